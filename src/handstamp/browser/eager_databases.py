"""IndexedDB in the eager way: given back at the start of a document, and read in the pages that are open when we look.

The library of `idb/` does both, here in the page's own world, where it leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from handstamp.browser.captures import Captures
from handstamp.browser.either import now
from handstamp.browser.idb import World, dump, only_there
from handstamp.browser.places import Place
from handstamp.errors import BrowserError
from handstamp.state import PartKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.browser.mirror import Mirror
    from handstamp.state import Loss, StorageState

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
        self._captures = Captures(mirror, lose)
        self._places: dict[str, Place] = {}

    async def read(self, page: Any, origin: str, *, last: bool) -> None:
        """Read the databases of a page's origin.

        Args:
            page: of Playwright.
            origin: of its document.
            last: whether there may be no other time.
        """
        started = time.monotonic()
        place = self._places.setdefault(origin, Place(origin))
        if (started < place.rest_until and not last) or not (await now(page.evaluate(_SOME)) or place.seen):
            return
        held = await now(page.evaluate_handle("() => ({})"))  # for the library: the page is to see nothing of it

        def evaluate(expression: str) -> Any:
            return now(page.evaluate(f"(held) => ({expression.replace('globalThis.handstamp', 'held.handstamp')})", held))

        with contextlib.suppress(BrowserError):  # another look at the same page has cut this one off
            captured = await World(only_there(evaluate, origin), origin).databases()
            self._captures.take(place, captured, everything=True)
        await now(held.dispose())
        took = time.monotonic() - started
        place.rest_until = time.monotonic() + (REST * took if took > _LONG else 0.0)
