"""From "open this session" to its signed-in page: ours beside Playwright's `new_context(storage_state=…)`, in the same browser,
and the capture of all origins: ours from the mirror, Playwright's by `context.storage_state()`.
"""

from __future__ import annotations

import asyncio
import statistics
from typing import TYPE_CHECKING

from _measure import Row, arguments, median_of, show, stopwatch
from _world import origin, ours, playwrights, serving
from playwright.async_api import async_playwright

from handstamp.browser import AsyncDrivers, Engine, Launch, find_browser

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext

    from handstamp.browser import Chromium, LiveContext
    from handstamp.state import StorageState

ORIGINS = (1, 10, 50, 200)
SAME_ARGUMENTS = ["--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]


async def arrive(context: BrowserContext, port: int) -> None:
    """Reach the page, and see that it takes us for signed in."""
    page = await context.new_page()
    await page.goto(origin(0, port))
    title = await page.title()
    if title != "signed in":
        message = f"the page says: {title}"
        raise SystemExit(message)


async def captured(live: LiveContext) -> StorageState:
    """The whole state of a live context, cookies as of now."""
    await live.look()
    return live.mirror.state()


async def compare(engine: Engine, drivers: AsyncDrivers, chromium: Chromium, peer: Browser, port: int, turns: int) -> list[Row]:
    """The rows for all sizes."""
    rows = []
    captures: list[float] = []
    peer_captures: list[float] = []
    for origins in ORIGINS:
        state, peers = ours(origins, port), playwrights(origins, port)

        async def our_way(state=state) -> float:  # noqa: ANN001
            seconds = stopwatch()
            async with drivers.context(chromium, state, None, {}) as (context, live):
                await arrive(context, port)
                took = seconds()
                looked = stopwatch()
                await engine.call(captured(live))
                captures.append(looked())
                return took

        async def their_way(peers=peers, origins=origins) -> float:  # noqa: ANN001
            seconds = stopwatch()
            context = await peer.new_context(storage_state=peers)
            await arrive(context, port)
            took = seconds()
            if origins == ORIGINS[-1] and not peer_captures:
                looked = stopwatch()
                await context.storage_state()
                peer_captures.append(looked())
            await context.close()
            return took

        mine, theirs = await median_of(turns if origins < ORIGINS[-1] else min(turns, 3), our_way, their_way)
        rows.append(Row.less_is_better(f"origins={origins}", mine * 1000, theirs * 1000, "ms to the signed-in page"))
    rows.append(Row.less_is_better(f"capture origins={ORIGINS[-1]}", statistics.median(captures[-3:]) * 1000, peer_captures[0] * 1000, "ms to capture all"))
    return rows


async def measure(turns: int) -> tuple[list[Row], str]:
    """All rows, in one browser of each kind of the same program."""
    engine = Engine()
    launch = Launch(find_browser())
    drivers = AsyncDrivers(engine)
    try:
        with serving() as port:
            browser = engine.browser(launch)
            chromium = await engine.call(_enter(browser))
            async with async_playwright() as playwright, drivers.context(chromium, ours(0, port), None, {}) as (warm, _):
                peer = await playwright.chromium.launch(executable_path=str(launch.executable), args=SAME_ARGUMENTS)
                rows = await compare(engine, drivers, chromium, peer, port, turns)
                version = warm.browser.version if warm.browser else ""
                await peer.close()
            await engine.call(browser.__aexit__(None, None, None))
    finally:
        await asyncio.to_thread(engine.close)
    return rows, f"Chromium {version} ({launch.executable.name})"


async def _enter(browser) -> Chromium:  # noqa: ANN001
    return await browser.__aenter__()


if __name__ == "__main__":
    options = arguments(__doc__ or "")
    found, program = asyncio.run(measure(options.turns))
    show("Reopening a session", found, as_json=options.json, browser=program)
