"""Sessions of the page that a browser shows now, by its domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handstamp.errors import ConfigError
from handstamp.managers.pages import page_of
from handstamp.managers.playwright_mcp import McpBrowser
from handstamp.managers.profile import ProfileManager, get_profile_manager
from handstamp.state import host_of

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from playwright.async_api import Browser, BrowserContext, Page

_WEB = ("http://", "https://")


class BrowserManager:
    """Saves, restores and verifies sessions in one browser.

    Args:
        browser: a Playwright page; or a context, or a browser with one context at most, whose page is the one opened last.
        mcp_client: instead of a browser, a client session of the ``mcp`` SDK that is connected to the Playwright MCP server; the page is
            that of the server's current tab. With the async API only. What passes through it is sealed.
        profile_manager: keeps the profiles; by default the process's one.

    Raises:
        ConfigError: neither was given, or both; or an MCP client to the sync API.
    """

    def __init__(self, browser: Browser | BrowserContext | Page | None = None, mcp_client: Any = None, profile_manager: ProfileManager | None = None) -> None:
        if (browser is None) == (mcp_client is None):
            what = "no browser was given" if browser is None else "a browser and an MCP client were given"
            raise ConfigError(f"{what}; give either a Playwright Browser, BrowserContext or Page, or an MCP client session of the Playwright MCP server")
        self.profile_manager = profile_manager or get_profile_manager()
        self._browser = browser
        self._remote = None if mcp_client is None else self._behind(mcp_client)
        self._profile = "default"

    def set_current_profile(self, name: str) -> None:
        """Use this profile where a call names none; before, that is ``default``."""
        self._profile = name

    async def save_session_for_current_domain(self, profile_name: str | None = None) -> bool:
        """Save the login that the page is in now, under its domain; False when the page is at no web site.

        Args:
            profile_name: the jar; None for the current one.
        """
        async with self._page() as page:
            domain = host_of(page.url)
            if not domain or not page.url.startswith(_WEB):
                return False
            await self.profile_manager.on_successful_login(profile_name or self._profile, page, domain)
            return True

    async def restore_session_for_domain(self, domain: str, profile_name: str | None = None) -> bool:
        """Bring a saved login into the browser; see `ProfileManager.restore_session`.

        Args:
            domain: of the site, or its name.
            profile_name: the jar; None for the current one.
        """
        async with self._page() as page:
            return await self.profile_manager.restore_session(profile_name or self._profile, page, domain)

    async def verify_domain_session_health(self, domain: str, profile_name: str | None = None) -> bool:
        """Whether the session is valid; see `ProfileManager.verify_session_health`.

        Args:
            domain: of the site, or its name.
            profile_name: the jar; None for the current one.
        """
        async with self._page() as page:
            return await self.profile_manager.verify_session_health(profile_name or self._profile, page, domain)

    def _page(self) -> AbstractAsyncContextManager[Any]:
        if self._remote is not None:
            return self._remote.page()
        return page_of(self.profile_manager._caller, self._browser)  # noqa: SLF001  (one package)

    def _behind(self, client: Any) -> McpBrowser:
        if self.profile_manager._caller.name == "sync":  # noqa: SLF001
            raise ConfigError("MCP client sessions are awaited, which the sync API cannot do; use BrowserManager of handstamp (async) with this one")
        return McpBrowser(client)
