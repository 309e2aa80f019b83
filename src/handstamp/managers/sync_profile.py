"""`ProfileManager` for Playwright's sync API: the same flows, run to their end where the caller is."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from handstamp.browser import at_once
from handstamp.managers import profile
from handstamp.managers.caller import Blocking, Caller
from handstamp.managers.twin import documented_as

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from playwright.sync_api import Page

    from handstamp.managers.values import LockInfo, Profile, ProfileManagerConfig, SessionState
    from handstamp.vault import Vault


class _Flows(profile.ProfileManager):
    _caller: Caller = Blocking()


@documented_as(profile.ProfileManager)
class ProfileManager:
    def __init__(self, config: ProfileManagerConfig | None = None, *, vault: Vault | None = None) -> None:
        self._flows = _Flows(config, vault=vault)
        self.config = self._flows.config
        self.vault = self._flows.vault

    def export_cookies(self, profile_name: str, page: Page, domain: str | None = None) -> int:
        return at_once(self._flows.export_cookies(profile_name, page, domain))  # type: ignore[arg-type]

    def import_cookies(self, profile_name: str, page: Page, domain: str | None = None) -> int:
        return at_once(self._flows.import_cookies(profile_name, page, domain))  # type: ignore[arg-type]

    def clear_cookies(self, profile_name: str, domain: str | None = None) -> int:
        return self._flows.clear_cookies(profile_name, domain)

    def export_localstorage(self, profile_name: str, page: Page, domain: str | None = None) -> int:
        return at_once(self._flows.export_localstorage(profile_name, page, domain))  # type: ignore[arg-type]

    def import_localstorage(self, profile_name: str, page: Page, domain: str | None = None) -> int:
        return at_once(self._flows.import_localstorage(profile_name, page, domain))  # type: ignore[arg-type]

    def clear_localstorage(self, profile_name: str, domain: str | None = None) -> int:
        return self._flows.clear_localstorage(profile_name, domain)

    def on_successful_login(self, profile_name: str, page: Page, domain: str) -> None:
        at_once(self._flows.on_successful_login(profile_name, page, domain))  # type: ignore[arg-type]

    def restore_session(self, profile_name: str, page: Page, domain: str) -> bool:
        return at_once(self._flows.restore_session(profile_name, page, domain))  # type: ignore[arg-type]

    def verify_session_health(self, profile_name: str, page: Page, domain: str) -> bool:
        return at_once(self._flows.verify_session_health(profile_name, page, domain))  # type: ignore[arg-type]

    def register_check(self, domain: str, check: Callable[[ProfileManager, str, Page], bool]) -> None:
        self._flows._register(domain, partial(check, self))  # noqa: SLF001  (two faces of one flow)

    def get_session_state(self, profile_name: str, domain: str) -> SessionState | None:
        return self._flows.get_session_state(profile_name, domain)

    def get_sessions_needing_refresh(self, profile_name: str) -> list[str]:
        return self._flows.get_sessions_needing_refresh(profile_name)

    def mark_session_needs_refresh(self, profile_name: str, domain: str) -> None:
        self._flows.mark_session_needs_refresh(profile_name, domain)

    def update_session_state(
        self,
        profile_name: str,
        domain: str,
        *,
        logged_in: bool | None = None,
        needs_refresh: bool | None = None,
        session_expires: datetime | None = None,
    ) -> None:
        self._flows.update_session_state(profile_name, domain, logged_in=logged_in, needs_refresh=needs_refresh, session_expires=session_expires)

    def acquire_profile_lock(self, profile_name: str) -> bool:
        return self._flows.acquire_profile_lock(profile_name)

    def release_profile_lock(self, profile_name: str, *, force: bool = False) -> None:
        self._flows.release_profile_lock(profile_name, force=force)

    def lock_info(self, profile_name: str) -> LockInfo | None:
        return self._flows.lock_info(profile_name)

    def get_profile(self, profile_name: str) -> Profile:
        return self._flows.get_profile(profile_name)


@cache
def get_profile_manager() -> ProfileManager:
    """The process's one `ProfileManager`, with everything on and the vault of the settings."""
    return ProfileManager()
