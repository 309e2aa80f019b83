"""What it costs to save one changed key: in a session of 1,000 origins and 50 MB, beside the same in a session of one of these origins.

Both are open in a browser; the page changes an item of its localStorage, and the change is saved, sealed and durable. The key is as
large in both, and so is the origin that it belongs to.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from _browsers import Browsers, browsers
from _measure import Row, arguments, median_of, show, stopwatch
from _world import origin, serving

from handstamp.keeper import Saver
from handstamp.state import Clock, Entry, Part, PartId, PartKind, StorageState
from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

    from handstamp.browser import LiveContext

ORIGINS = 1_000
ITEMS = 10
ITEM = 5_000  # characters; with `ITEMS` and `ORIGINS`, 50 MB
TURNS = 20  # for each one that is asked: a save is short


def session(origins: int, port: int) -> StorageState:
    """So many origins of 50 KB each, which no compression makes small."""
    dice, clock = random.Random(1), Clock("benchmark")  # noqa: S311  (no secret)
    items = [{f"k{item}": dice.randbytes(ITEM // 2).hex() for item in range(ITEMS)} for _ in range(origins)]
    return StorageState.of(
        [
            Part(PartId(PartKind.LOCAL, origin(number, port)), {(name,): Entry(value, clock.stamp()) for name, value in held.items()})
            for number, held in enumerate(items)
        ]
    )


class Session:
    """One that is open in a browser and kept in a vault."""

    def __init__(self, both: Browsers, live: LiveContext, page: Page) -> None:
        self._both = both
        self._live = live
        self._page = page

    async def save(self) -> float:
        """Change one key, and the seconds until it is kept."""
        await self._page.evaluate("localStorage.setItem('k0', crypto.randomUUID().padEnd(5000, '.'))")
        for _ in range(1_000):
            if self._live.mirror.dirty:  # what the page stored comes as an event on the engine's loop
                break
            await asyncio.sleep(0.001)
        else:
            return await self.save()  # saved behind our back, as it should be: once more
        seconds = stopwatch()
        await self._both.engine.call(self._live.save())
        return seconds()


@asynccontextmanager
async def opened(both: Browsers, origins: int, port: int) -> AsyncIterator[tuple[Session, Vault]]:
    """A session of so many origins, from a vault of its own."""
    with tempfile.TemporaryDirectory(prefix="handstamp-benchmark-") as home, Vault(f"sqlite:///{home}/vault.db", home=Path(home)) as vault:
        vault.save("default", session(origins, port))
        async with both.context(vault.load("default"), Saver(vault, "default")) as (context, live):
            page = await context.new_page()
            await page.goto(origin(0, port))
            yield Session(both, live, page), vault


def kept(vault: Vault, origins: int) -> None:
    """See that the last change is in the vault, and everything else is still there."""
    parts = vault.load("default").of_kind(PartKind.LOCAL)
    changed = [entry.value for part in parts for key, entry in part.entries.items() if entry.value.endswith("....")]
    if len(parts) != origins or len(changed) != 1:
        message = f"the vault has {len(parts)} origins of {origins}, and {len(changed)} changed keys"
        raise SystemExit(message)


async def measure(turns: int) -> tuple[list[Row], str]:
    """The row, and the browser's name."""
    with serving() as port:
        async with browsers() as both, opened(both, ORIGINS, port) as (large, large_vault), opened(both, 1, port) as (small, small_vault):
            mine, theirs = await median_of(turns * TURNS, large.save, small.save)
            kept(large_vault, ORIGINS)
            kept(small_vault, 1)
            return [Row.less_is_better(f"origins={ORIGINS}", mine * 1000, theirs * 1000, "ms to save one key; the peer is ours with one origin")], both.program


if __name__ == "__main__":
    options = arguments(__doc__ or "")
    found, program = asyncio.run(measure(options.turns))
    show("Saving a change", found, as_json=options.json, browser=program)
