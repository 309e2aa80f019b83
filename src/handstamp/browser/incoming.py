"""What others saved while a context is open, brought into it: cookies into its jar, localStorage into the documents that are there.

An origin that no document is open of keeps what it was given: nothing can be written there without a page.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from handstamp.browser.cdp import CdpError
from handstamp.browser.cookies import to_cdp
from handstamp.browser.storage_key import storage_key_of
from handstamp.state import PartKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handstamp.browser.cdp import Connection
    from handstamp.browser.mirror import Mirror
    from handstamp.state import Cookie, Entry, Part, StorageState


class Incoming:
    """Brings news into one context. Belongs to the engine's loop.

    Args:
        connection: to the browser.
        mirror: what the context holds.
        context: its `browserContextId`.
    """

    def __init__(self, connection: Connection, mirror: Mirror, context: str | None) -> None:
        self._connection = connection
        self._mirror = mirror
        self._context = context

    async def take_in(self, state: StorageState, homes: Iterable[tuple[str, str]]) -> None:
        """Bring in what is newer in `state` than what the context holds.

        Args:
            state: as it is saved now.
            homes: scope and session of the documents that are open.
        """
        open_at = dict(homes)
        for part in state.parts.values():
            if part.id.kind is PartKind.COOKIES:
                await self._cookies(part)
            elif part.id.kind is PartKind.LOCAL and part.id.scope in open_at:
                await self._items(part, open_at[part.id.scope])

    async def _cookies(self, part: Part) -> None:
        for key, entry in self._mirror.news(part):
            old: Cookie | None = self._mirror.values(part.id).get(key)
            self._mirror.adopt(part.id, key, entry)
            if not entry.deleted and entry.value.expired(time.time()):
                continue
            if not entry.deleted:
                await self._set(to_cdp(entry.value))
            elif old is not None:
                await self._set({**to_cdp(old), "expires": 1})  # an end that has passed is how a browser is told to delete

    async def _set(self, cookie: dict[str, object]) -> None:
        with contextlib.suppress(CdpError):  # one that Chromium refuses
            await self._connection.send("Storage.setCookies", {"cookies": [cookie], "browserContextId": self._context})

    async def _items(self, part: Part, session: str) -> None:
        storage = {"storageKey": storage_key_of(part.id.scope), "isLocalStorage": True}
        for key, entry in self._mirror.news(part):
            self._mirror.adopt(part.id, key, entry)
            method, value = _command(entry)
            with contextlib.suppress(CdpError):  # the document has gone meanwhile
                await self._connection.send(method, {"storageId": storage, "key": key[0], **value}, session=session)


def _command(entry: Entry) -> tuple[str, dict[str, str]]:
    return ("DOMStorage.removeDOMStorageItem", {}) if entry.deleted else ("DOMStorage.setDOMStorageItem", {"value": entry.value})
