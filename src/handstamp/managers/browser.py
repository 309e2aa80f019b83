"""Sessions of the page that a browser shows now, by its domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handstamp.errors import ConfigError
from handstamp.managers.pages import page_of
from handstamp.managers.profile import ProfileManager, get_profile_manager
from handstamp.state import host_of

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page


class BrowserManager:
    """Saves, restores and verifies sessions in one browser.

    Args:
        browser: a Playwright page; or a context, or a browser with one context at most, whose page is the one opened last.
        mcp_client: not served by this version.
        profile_manager: keeps the profiles; by default the process's one.

    Raises:
        ConfigError: no browser was given.
    """

    def __init__(self, browser: Browser | BrowserContext | Page | None = None, mcp_client: Any = None, profile_manager: ProfileManager | None = None) -> None:
        if browser is None:
            instead = "browsers behind an MCP client are not served by this version" if mcp_client is not None else "no browser was given"
            raise ConfigError(f"{instead}; give a Playwright Browser, BrowserContext or Page")
        self.profile_manager = profile_manager or get_profile_manager()
        self._browser = browser
        self._profile = "default"

    def set_current_profile(self, name: str) -> None:
        """Use this profile where a call names none; before, that is ``default``."""
        self._profile = name

    async def save_session_for_current_domain(self, profile_name: str | None = None) -> bool:
        """Save the login that the page is in now, under its domain; False when the page is at no web site.

        Args:
            profile_name: the jar; None for the current one.
        """
        async with page_of(self.profile_manager._caller, self._browser) as page:  # noqa: SLF001  (one package)
            domain = host_of(page.url)
            if not domain:
                return False
            await self.profile_manager.on_successful_login(profile_name or self._profile, page, domain)
            return True

    async def restore_session_for_domain(self, domain: str, profile_name: str | None = None) -> bool:
        """Bring a saved login into the browser; see `ProfileManager.restore_session`.

        Args:
            domain: of the site, or its name.
            profile_name: the jar; None for the current one.
        """
        async with page_of(self.profile_manager._caller, self._browser) as page:  # noqa: SLF001
            return await self.profile_manager.restore_session(profile_name or self._profile, page, domain)

    async def verify_domain_session_health(self, domain: str, profile_name: str | None = None) -> bool:
        """Whether the session is valid; see `ProfileManager.verify_session_health`.

        Args:
            domain: of the site, or its name.
            profile_name: the jar; None for the current one.
        """
        async with page_of(self.profile_manager._caller, self._browser) as page:  # noqa: SLF001
            return await self.profile_manager.verify_session_health(profile_name or self._profile, page, domain)
