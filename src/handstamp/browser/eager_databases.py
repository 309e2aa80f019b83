"""IndexedDB in the eager way: given back at the start of a document, and read in the pages that are open when we look.

The library of `idb/` does both, here in the page's own world, where it leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from handstamp.browser.either import now
from handstamp.browser.idb import World, changes, dump, only_there, part_of_database, seen
from handstamp.errors import BrowserError
from handstamp.state import PartKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from handstamp.browser.idb import Captured, Database
    from handstamp.browser.mirror import Mirror
    from handstamp.state import Key, Loss, StorageState

REST = 5  # a reading that took long is followed by a rest of so many times its length, except at the end
_LONG = 0.3  # seconds
_SOME = "globalThis.indexedDB?.databases ? indexedDB.databases().then((all) => all.length, () => 0) : 0"


def dumps_by_origin(state: StorageState) -> dict[str, list[dict[str, Any]]]:
    """The saved databases of top-level pages, as the library restores them."""
    found: dict[str, list[dict[str, Any]]] = {}
    for part in state.of_kind(PartKind.IDB):
        if "^" not in part.id.scope and (made := dump(part.id.name, part.live())) is not None:
            found.setdefault(part.id.scope, []).append(made)
    return found


class EagerDatabases:
    """The databases of one context.

    Args:
        mirror: takes what is read.
        lose: called with what cannot be kept.
    """

    def __init__(self, mirror: Mirror, lose: Callable[[Loss], None]) -> None:
        self._mirror = mirror
        self._lose = lose
        self._seen: dict[str, dict[str, Mapping[Key, Any]]] = {}
        self._rest_until: dict[str, float] = {}

    async def read(self, page: Any, origin: str, *, last: bool) -> None:
        """Read the databases of a page's origin.

        Args:
            page: of Playwright.
            origin: of its document.
            last: whether there may be no other time.
        """
        started = time.monotonic()
        known = self._seen.setdefault(origin, {})
        if (started < self._rest_until.get(origin, 0.0) and not last) or not (await now(page.evaluate(_SOME)) or known):
            return
        held = await now(page.evaluate_handle("() => ({})"))  # for the library: the page is to see nothing of it

        def evaluate(expression: str) -> Any:
            return now(page.evaluate(f"(held) => ({expression.replace('globalThis.handstamp', 'held.handstamp')})", held))

        with contextlib.suppress(BrowserError):  # another look at the same page has cut this one off
            captured = await World(only_there(evaluate, origin), origin).databases()
            self._take(origin, known, captured)
        await now(held.dispose())
        took = time.monotonic() - started
        self._rest_until[origin] = time.monotonic() + (REST * took if took > _LONG else 0.0)

    def _take(self, origin: str, known: dict[str, Mapping[Key, Any]], captured: Captured) -> None:
        for name, database in captured.databases.items():
            self._take_one(origin, name, known, database)
        for name in [name for name in known if name not in captured.names]:
            self._take_one(origin, name, known, None)
            del known[name]
        for loss in captured.losses:
            self._lose(loss)

    def _take_one(self, origin: str, name: str, known: dict[str, Mapping[Key, Any]], database: Database | None) -> None:
        part_id = part_of_database(origin, name)
        before = known.get(name, {})
        values, gone = changes(before, database)
        for key, value in values.items():
            self._mirror.set(part_id, key, value)
        for key in gone:
            self._mirror.set(part_id, key, None)
        known[name] = seen(before, database)
