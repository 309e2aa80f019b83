"""`LoginManager` and `BrowserManager` for Playwright's sync API: the same flows, run to their end where the caller is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handstamp.browser import at_once
from handstamp.managers import browser as browsers
from handstamp.managers import login
from handstamp.managers.sync_profile import ProfileManager, get_profile_manager
from handstamp.managers.twin import documented_as

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Browser, BrowserContext, Page


@documented_as(login.LoginManager)
class LoginManager:
    def __init__(self, profile_manager: ProfileManager | None = None) -> None:
        self.profile_manager = profile_manager or get_profile_manager()
        self._flows = login.LoginManager(self.profile_manager._flows)  # noqa: SLF001  (two faces of one flow)

    def verify_login(
        self, service_id: str, browser: Browser | BrowserContext | Page, profile_name: str = "default", credentials: Mapping[str, str] | None = None
    ) -> bool:
        return at_once(self._flows.verify_login(service_id, browser, profile_name, credentials))  # type: ignore[arg-type]

    def mark_logged_in(self, service_id: str, browser: Browser | BrowserContext | Page, profile_name: str = "default") -> None:
        at_once(self._flows.mark_logged_in(service_id, browser, profile_name))  # type: ignore[arg-type]


@documented_as(browsers.BrowserManager)
class BrowserManager:
    def __init__(self, browser: Browser | BrowserContext | Page | None = None, mcp_client: Any = None, profile_manager: ProfileManager | None = None) -> None:
        self.profile_manager = profile_manager or get_profile_manager()
        self._flows = browsers.BrowserManager(browser, mcp_client, self.profile_manager._flows)  # type: ignore[arg-type]  # noqa: SLF001

    def set_current_profile(self, name: str) -> None:
        self._flows.set_current_profile(name)

    def save_session_for_current_domain(self, profile_name: str | None = None) -> bool:
        return at_once(self._flows.save_session_for_current_domain(profile_name))

    def restore_session_for_domain(self, domain: str, profile_name: str | None = None) -> bool:
        return at_once(self._flows.restore_session_for_domain(domain, profile_name))

    def verify_domain_session_health(self, domain: str, profile_name: str | None = None) -> bool:
        return at_once(self._flows.verify_domain_session_health(domain, profile_name))
