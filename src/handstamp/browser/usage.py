"""What the origins of a context store, as the browser counts it: kinds and bytes, without a document of theirs."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from handstamp.browser.storage_key import origin_of, partition_of
from handstamp.errors import BrowserError
from handstamp.state import Loss

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterator
    from contextlib import AbstractAsyncContextManager

    from handstamp.browser.cdp import Connection

    Blank = Callable[[], AbstractAsyncContextManager[str]]

_NOT_READ = {  # idb/losses.js names the same, where there is a document
    "cache_storage": ("cache-storage", "what it keeps in the Cache API is not moved; the site fills it again"),
    "service_workers": ("service-worker", "its registration is not moved; the site registers it again when it is opened"),
}


class Usage:
    """Asks the browser. Belongs to the engine's loop.

    Args:
        connection: to the browser.
        open_now: sessions of pages and frames of the context that are there now.
        blank: makes an empty page of the context, gives its session; None where none may be made.
    """

    def __init__(self, connection: Connection, *, open_now: Callable[[], Iterator[str]], blank: Blank | None) -> None:
        self._connection = connection
        self._open_now = open_now
        self._blank = blank

    async def kinds(self, scope: str, asked: str | None = None) -> frozenset[str]:
        """Which kinds of storage (CDP `Storage.StorageType`) a scope uses.

        Args:
            scope: the browser knows of first parties only; one under another site counts as if it used all that we read.
            asked: session to ask; None to find one.

        Raises:
            BrowserError: there is nobody to ask.
        """
        if partition_of(scope):
            return frozenset({"indexeddb", "file_systems"})
        async with contextlib.AsyncExitStack() as stack:
            session = asked or await stack.enter_async_context(self.someone_to_ask())
            answer = await self._connection.send("Storage.getUsageAndQuota", {"origin": origin_of(scope)}, session=session)
        return frozenset(one["storageType"] for one in answer["usageBreakdown"] if one["usage"] > 0)

    @contextlib.asynccontextmanager
    async def someone_to_ask(self) -> AsyncIterator[str]:
        """Session of a page of the context; an empty one of ours where there is none."""
        session = next(self._open_now(), None)
        if session is not None:
            yield session
        elif self._blank is not None:
            async with self._blank() as session:
                yield session
        else:
            raise BrowserError("no page is open that could be asked what its context stores")


def not_read(scope: str, kinds: Collection[str]) -> tuple[Loss, ...]:
    """What of these kinds is never read."""
    return tuple(Loss(what, scope, why) for kind, (what, why) in _NOT_READ.items() if kind in kinds)
