"""From "open this session" to its page: ours beside Playwright's `new_context(storage_state=…)`, and beside a context without any session.

Rows `origins=N`: the page says that it is signed in, by cookie, localStorage and a record of its database. Rows `bare origins=N`: a
session of N origins and a page, beside a bare context and the page; of an origin without a database, as nine in ten are, and of
one with it. Row `capture origins=N`: see capture.py.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from _browsers import Browsers, browsers
from _measure import Row, arguments, median_of, show, stopwatch
from _world import origin, ours, playwrights, serving
from capture import compare_captures

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext

ORIGINS = (1, 10, 50, 200)
BARE_TURNS = 5  # times as many: both sides are quick, and a busy machine shakes quick things most
REST = 0.1  # seconds after each, so that the end of one does not weigh on the next


async def arrive(context: BrowserContext, port: int) -> None:
    """Reach the page, and see that it takes us for signed in."""
    page = await context.new_page()
    await page.goto(origin(0, port))
    if not await page.evaluate("told"):
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


async def compare_bare(both: Browsers, origins: int, url: str, turns: int) -> tuple[float, float]:
    """Milliseconds to a page, in a session of so many origins and in none."""
    state = ours(origins, urlsplit(url).port or 0)

    async def our_way() -> float:
        await asyncio.sleep(REST)
        seconds = stopwatch()
        async with both.context(state) as (context, _):
            page = await context.new_page()
            await page.goto(url)
            took = seconds()
            assert await page.evaluate("known")
            return took

    async def bare_way() -> float:
        await asyncio.sleep(REST)
        seconds = stopwatch()
        context = await both.peer.new_context()
        page = await context.new_page()
        await page.goto(url)
        took = seconds()
        assert not await page.evaluate("known")
        await context.close()
        return took

    mine, theirs = await median_of(turns, our_way, bare_way)
    return mine * 1000, theirs * 1000


async def measure(turns: int) -> tuple[list[Row], str]:
    """All rows."""
    most = ORIGINS[-1]
    with serving() as port:
        async with browsers() as both:
            bare = []
            for number, what in ((1, ""), (0, ", its database")):
                mine, theirs = await compare_bare(both, most, origin(number, port), turns * BARE_TURNS)
                bare.append(Row.less_is_better(f"bare origins={most}{what}", mine, theirs, "ms to the page; the peer has no session"))
            rows = [await compare(both, origins, port, turns if origins < most else min(turns, 3)) for origins in ORIGINS]
            capture = await compare_captures(both, most, port, 1)
            return [*rows, *bare, Row(f"capture {capture.what}", capture.ours, capture.peer, capture.ratio, capture.unit)], both.program


if __name__ == "__main__":
    options = arguments(__doc__ or "")
    found, program = asyncio.run(measure(options.turns))
    show("Reopening a session", found, as_json=options.json, browser=program)
