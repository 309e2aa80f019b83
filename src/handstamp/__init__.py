"""Log in once, get back in everywhere: keeps authenticated web sessions for people who automate the web."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handstamp._version import __version__

if TYPE_CHECKING:
    from handstamp import errors
    from handstamp.clients.chosen import AsyncClient, Client
    from handstamp.clients.requests_session import requests_session
    from handstamp.http.service_clients import AsyncServiceClient, ServiceClient
    from handstamp.managers import (
        BrowserManager,
        BrowserSession,
        LockInfo,
        LoginManager,
        PersistentSession,
        Profile,
        ProfileManager,
        ProfileManagerConfig,
        SessionManager,
        SessionState,
        get_profile_manager,
    )
    from handstamp.sites import Site
    from handstamp.state import Device, StorageState
    from handstamp.vault import Vault

# Loaded when first asked for: `import handstamp` alone costs next to nothing.
_PLACES = {
    "AsyncClient": "handstamp.clients.chosen",
    "AsyncServiceClient": "handstamp.http.service_clients",
    "BrowserManager": "handstamp.managers",
    "BrowserSession": "handstamp.managers",
    "Client": "handstamp.clients.chosen",
    "Device": "handstamp.state",
    "LockInfo": "handstamp.managers",
    "LoginManager": "handstamp.managers",
    "PersistentSession": "handstamp.managers",
    "Profile": "handstamp.managers",
    "ProfileManager": "handstamp.managers",
    "ProfileManagerConfig": "handstamp.managers",
    "ServiceClient": "handstamp.http.service_clients",
    "SessionManager": "handstamp.managers",
    "SessionState": "handstamp.managers",
    "Site": "handstamp.sites",
    "StorageState": "handstamp.state",
    "Vault": "handstamp.vault",
    "get_profile_manager": "handstamp.managers",
    "requests_session": "handstamp.clients.requests_session",
}

__all__ = [
    "AsyncClient",
    "AsyncServiceClient",
    "BrowserManager",
    "BrowserSession",
    "Client",
    "Device",
    "LockInfo",
    "LoginManager",
    "PersistentSession",
    "Profile",
    "ProfileManager",
    "ProfileManagerConfig",
    "ServiceClient",
    "SessionManager",
    "SessionState",
    "Site",
    "StorageState",
    "Vault",
    "__version__",
    "errors",
    "get_profile_manager",
    "requests_session",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module  # noqa: PLC0415

    if name == "errors":
        return import_module("handstamp.errors")
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    message = f"module 'handstamp' has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted(__all__)
