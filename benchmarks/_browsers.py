"""Two browsers of one program: one of ours with Playwright beside the engine, and one that Playwright started by itself."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playwright.async_api import async_playwright

from handstamp.browser import AsyncDrivers, Engine, Launch, find_browser
from handstamp.state import StorageState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from playwright.async_api import Browser, BrowserContext

    from handstamp.browser import Chromium, LiveContext

SAME_ARGUMENTS = ["--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]


@dataclass
class Browsers:
    """Both, running.

    Attributes:
        engine: ours.
        peer: Playwright's own.
        program: name and version, for the table.
    """

    engine: Engine
    peer: Browser
    program: str
    _drivers: AsyncDrivers
    _chromium: Chromium

    def context(
        self, state: StorageState, save: Callable[[StorageState], None] | None = None
    ) -> AbstractAsyncContextManager[tuple[BrowserContext, LiveContext]]:
        """A context of ours that holds `state`."""
        return self._drivers.context(self._chromium, state, save, {})


@asynccontextmanager
async def browsers() -> AsyncIterator[Browsers]:
    """Both, each with a context that keeps it warm."""
    engine = Engine()
    launch = Launch(find_browser())
    drivers = AsyncDrivers(engine)
    running = engine.browser(launch)
    try:
        chromium = await engine.call(_entered(running))
        async with async_playwright() as playwright, drivers.context(chromium, StorageState(), None, {}) as (warm, _):
            peer = await playwright.chromium.launch(executable_path=str(launch.executable), args=SAME_ARGUMENTS)
            version = warm.browser.version if warm.browser else ""
            yield Browsers(engine, peer, f"Chromium {version} ({launch.executable.name})", drivers, chromium)
            await peer.close()
        await engine.call(running.__aexit__(None, None, None))
    finally:
        await asyncio.to_thread(engine.close)


async def _entered(running: AbstractAsyncContextManager[Chromium]) -> Chromium:
    return await running.__aenter__()
