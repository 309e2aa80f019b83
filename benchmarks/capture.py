"""The whole state of an open context, as of now: ours from the mirror, beside Playwright's `context.storage_state(indexed_db=True)`."""

from __future__ import annotations

import asyncio
import statistics
from typing import TYPE_CHECKING

from _browsers import Browsers, browsers
from _measure import Row, arguments, median_of, show, stopwatch
from _world import expected, held, held_by_playwright, origin, ours, playwrights, serving

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext

ORIGINS = (1, 10, 50, 200)
AT_ONCE = 20  # captures of ours in one turn: one is too short for a clock on a busy machine


async def opened(context: BrowserContext, port: int) -> None:
    """A page that is there while the state is captured."""
    page = await context.new_page()
    await page.goto(origin(0, port))
    assert await page.evaluate("told")


async def compare_captures(both: Browsers, origins: int, port: int, turns: int) -> Row:
    """The same session in both."""
    async with both.context(ours(origins, port)) as (context, live):
        await opened(context, port)
        peer = await both.peer.new_context(storage_state=playwrights(origins, port))
        await opened(peer, port)

        async def our_way() -> float:
            took = []
            for _ in range(AT_ONCE):
                seconds = stopwatch()
                state = await both.engine.call(live.capture())
                took.append(seconds())
                assert held(state) == expected(origins)
            return statistics.median(took)

        async def their_way() -> float:
            seconds = stopwatch()
            state = await peer.storage_state(indexed_db=True)
            took = seconds()
            assert held_by_playwright(dict(state)) == expected(origins)
            return took

        mine, theirs = await median_of(turns, our_way, their_way)
        await peer.close()
    return Row.less_is_better(f"origins={origins}", mine * 1000, theirs * 1000, "ms to capture all")


async def measure(turns: int) -> tuple[list[Row], str]:
    """All rows."""
    with serving() as port:
        async with browsers() as both:
            rows = [await compare_captures(both, origins, port, turns if origins < ORIGINS[-1] else min(turns, 3)) for origins in ORIGINS]
            return rows, both.program


if __name__ == "__main__":
    options = arguments(__doc__ or "")
    found, program = asyncio.run(measure(options.turns))
    show("Capturing a session", found, as_json=options.json, browser=program)
