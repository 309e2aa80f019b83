"""From "open this session" to its page: ours beside Playwright's `new_context(storage_state=…)`, and beside a context without any session.

Rows `origins=N`: the page says that it is signed in, by cookie, localStorage and a record of its database. Row `bare origins=N`: a
session of N origins and the page, beside a bare context and the page. Row `capture origins=N`: see capture.py.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from _browsers import Browsers, browsers
from _measure import Row, arguments, median_of, show, stopwatch
from _world import origin, ours, playwrights, serving
from capture import compare_captures

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext

ORIGINS = (1, 10, 50, 200)
BARE_TURNS = 5  # times as many: both sides are quick, and a busy machine shakes quick things most


async def arrive(context: BrowserContext, port: int, *, signed_in: bool = True) -> None:
    """Reach the page, and see that it takes us for signed in."""
    page = await context.new_page()
    await page.goto(origin(0, port))
    if signed_in and not await page.evaluate("told"):
        message = "the page does not take us for signed in"
        raise SystemExit(message)


async def compare(both: Browsers, origins: int, port: int, turns: int) -> Row:
    """A session of so many origins in both."""
    state, peers = ours(origins, port), playwrights(origins, port)

    async def our_way() -> float:
        seconds = stopwatch()
        async with both.context(state) as (context, _):
            await arrive(context, port)
            return seconds()

    async def their_way() -> float:
        seconds = stopwatch()
        context = await both.peer.new_context(storage_state=peers)
        await arrive(context, port)
        took = seconds()
        await context.close()
        return took

    mine, theirs = await median_of(turns, our_way, their_way)
    return Row.less_is_better(f"origins={origins}", mine * 1000, theirs * 1000, "ms to the signed-in page")


async def compare_bare(both: Browsers, origins: int, port: int, turns: int) -> Row:
    """A session of so many origins beside none."""
    state = ours(origins, port)

    async def our_way() -> float:
        seconds = stopwatch()
        async with both.context(state) as (context, _):
            await arrive(context, port, signed_in=False)
            return seconds()

    async def bare_way() -> float:
        seconds = stopwatch()
        context = await both.peer.new_context()
        await arrive(context, port, signed_in=False)
        took = seconds()
        await context.close()
        return took

    mine, theirs = await median_of(turns, our_way, bare_way)
    return Row.less_is_better(f"bare origins={origins}", mine * 1000, theirs * 1000, "ms to the page; the peer has no session")


async def measure(turns: int) -> tuple[list[Row], str]:
    """All rows."""
    most = ORIGINS[-1]
    with serving() as port:
        async with browsers() as both:
            bare = await compare_bare(both, most, port, turns * BARE_TURNS)
            rows = [await compare(both, origins, port, turns if origins < most else min(turns, 3)) for origins in ORIGINS]
            capture = await compare_captures(both, most, port, 1)
            return [*rows, bare, Row(f"capture {capture.what}", capture.ours, capture.peer, capture.ratio, capture.unit)], both.program


if __name__ == "__main__":
    options = arguments(__doc__ or "")
    found, program = asyncio.run(measure(options.turns))
    show("Reopening a session", found, as_json=options.json, browser=program)
