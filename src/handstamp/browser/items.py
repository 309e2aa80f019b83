"""Items of localStorage and sessionStorage: what pages change of them goes into the mirror."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from handstamp.browser.storage_key import scope_of, storage_key_of
from handstamp.browser.waking import ANSWERS_WITHIN
from handstamp.errors import BrowserError
from handstamp.state import PartId, PartKind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from handstamp.browser.cdp import Connection, Message
    from handstamp.browser.mirror import Mirror
    from handstamp.browser.tabs import Document, Tabs
    from handstamp.state import Key

    Area = tuple[PartId, str | None]  # and its tab, if it is sessionStorage

_MANY = 200  # areas of which nothing is forgotten


class Items:
    """The storage items of one live context. Belongs to the engine's loop.

    Args:
        connection: to the browser.
        mirror: takes what is heard and read.
        tabs: which tab a page's sessionStorage is of.
        served: called with a scope whose localStorage a document was seen to have.
    """

    def __init__(self, connection: Connection, mirror: Mirror, tabs: Tabs, *, served: Callable[[str], None]) -> None:
        self._connection = connection
        self._mirror = mirror
        self._tabs = tabs
        self._served = served
        self._present: dict[Area, set[str]] = {}  # keys that the browser itself was seen to hold

    def hear(self, document: Document, method: str, params: Message) -> None:
        """An event of CDP's DOMStorage domain."""
        identifier = params["storageId"]
        scope = scope_of(identifier.get("storageKey", ""))
        if scope is None:
            return
        if identifier["isLocalStorage"]:
            self._served(scope)
            part_id, tab = PartId(PartKind.LOCAL, scope), None
        else:
            part_id, tab = PartId(PartKind.SESSION, scope), self._tabs.of(document, scope)
        present = self._present.setdefault((part_id, tab), set())
        if method == "DOMStorage.domStorageItemsCleared":
            present.clear()
            self._mirror.clear(part_id, tab=tab)
            return
        (present.discard if method == "DOMStorage.domStorageItemRemoved" else present.add)(params["key"])
        self._mirror.set(part_id, _item(tab, params["key"]), params.get("newValue"))

    def forget(self, closed: Document, homes: Collection[str]) -> None:
        """A page or frame is gone.

        Args:
            closed: that one.
            homes: scopes that have a document still.
        """
        many = len(self._present) > _MANY
        own = set(closed.names.items())
        self._present = {
            (part_id, tab): keys for (part_id, tab), keys in self._present.items() if (part_id.scope, tab) not in own and (not many or part_id.scope in homes)
        }

    async def read(self, documents: Iterable[tuple[str, Document]]) -> None:
        """Ask pages what they hold: news of the last moment may still be under way.

        Args:
            documents: each with a scope that it has.
        """
        asked: dict[Area, Document] = {}
        for scope, document in documents:
            asked[PartId(PartKind.LOCAL, scope), None] = document
            if tab := document.names.get(scope):
                asked[PartId(PartKind.SESSION, scope), tab] = document
        await asyncio.gather(*(self._read_area(part_id, tab, document) for (part_id, tab), document in asked.items()))

    async def _read_area(self, part_id: PartId, tab: str | None, document: Document) -> None:
        params = {"storageId": {"storageKey": storage_key_of(part_id.scope), "isLocalStorage": tab is None}}
        with contextlib.suppress(BrowserError):
            answer = await self._connection.send("DOMStorage.getDOMStorageItems", params, session=document.session, timeout=ANSWERS_WITHIN)
            items = dict(answer["entries"])
            for key, value in items.items():
                self._mirror.set(part_id, _item(tab, key), value)
            for key in self._present.get((part_id, tab), set()) - items.keys():
                self._mirror.set(part_id, _item(tab, key), None)


def _item(tab: str | None, key: str) -> Key:
    """Key of a storage item in its part."""
    return (key,) if tab is None else (tab, key)
