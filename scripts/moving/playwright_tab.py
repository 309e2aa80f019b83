"""A page of Playwright's as a tab."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import BrowserContext, Frame, Page

    from moving.tabs import Tab

PATIENCE = 30.0  # seconds for a navigation


class PlaywrightTab:
    """A page of Playwright's."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def goto(self, url: str) -> None:
        """Open a page."""
        await self._page.goto(url)

    async def run(self, function: str, *, in_frame: bool) -> str:
        """What an async function returns: in the page, or in its frame."""
        frame: Frame = self._page.frames[1] if in_frame else self._page.main_frame
        await frame.wait_for_load_state()
        return str(await frame.evaluate(function))

    async def cookies(self) -> list[dict[str, Any]]:
        """All cookies of the context."""
        session = await self._page.context.new_cdp_session(self._page)
        found: list[dict[str, Any]] = (await session.send("Network.getAllCookies"))["cookies"]
        await session.detach()
        return found


@asynccontextmanager
async def page_of(context: BrowserContext) -> AsyncIterator[Tab]:
    """A tab that ends with the block."""
    page = await context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    yield PlaywrightTab(page)
    await page.close()
