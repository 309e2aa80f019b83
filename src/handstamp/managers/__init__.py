"""The managers: thin faces over vault, engine and keeper for programs that own their browser. `handstamp.sync_api` has the same names."""

from handstamp.managers.browser import BrowserManager
from handstamp.managers.login import LoginManager
from handstamp.managers.persistent import PersistentSession
from handstamp.managers.profile import ProfileManager, get_profile_manager
from handstamp.managers.recorder import BrowserSession
from handstamp.managers.session import SessionManager
from handstamp.managers.values import LockInfo, Profile, ProfileManagerConfig, SessionState

__all__ = [
    "BrowserManager",
    "BrowserSession",
    "LockInfo",
    "LoginManager",
    "PersistentSession",
    "Profile",
    "ProfileManager",
    "ProfileManagerConfig",
    "SessionManager",
    "SessionState",
    "get_profile_manager",
]
