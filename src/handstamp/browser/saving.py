"""Saving what a mirror holds and the vault does not: behind the pages' backs, and at the end."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from handstamp.errors import HandstampError

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.browser.mirror import Mirror
    from handstamp.state import StorageState

    Save = Callable[[StorageState], None]

_log = logging.getLogger(__name__)
SAVE_AFTER = 0.4  # seconds that changes gather before they are saved together
_FOR_GOOD = frozenset({"lease-lost", "conflict", "key-missing", "unsupported-version"})


class Saving:
    """Saves the changes of one mirror, one lot at a time. Belongs to the engine's loop.

    Args:
        mirror: what is known.
        save: keeps changes; blocking, called in a worker thread. None keeps nothing.

    Attributes:
        failed: why saving has ended for good (a lost lease, something forgotten meanwhile), else None.
    """

    def __init__(self, mirror: Mirror, save: Save | None) -> None:
        self.failed: HandstampError | None = None
        self._mirror = mirror
        self._save = save
        self._turn = asyncio.Lock()
        self._under_way: set[asyncio.Future[None]] = set()

    @property
    def on(self) -> bool:
        """Whether anything that is seen from now on will be saved."""
        return self._save is not None and self.failed is None

    async def behind(self) -> None:
        """Save changes soon after they are seen, for as long as that is of use."""
        while self.on:
            await asyncio.sleep(SAVE_AFTER)
            await self.now()

    async def now(self) -> None:
        """Save what is not saved yet. What fails is tried again later, unless it fails for good (see `failed`).

        Cancelled or not, it comes to its end: nobody stops a thread that writes.
        """
        work = asyncio.ensure_future(self._take_turn())
        self._under_way.add(work)
        work.add_done_callback(self._under_way.discard)
        await asyncio.shield(work)

    async def _take_turn(self) -> None:
        async with self._turn:
            if self._save is None or self.failed is not None or not self._mirror.dirty:
                return
            changes = self._mirror.take()
            try:
                await _in_thread(self._save, changes)
            except BaseException as error:
                self._mirror.give_back(changes)
                if not isinstance(error, Exception):
                    raise
                self._failed(error)

    def _failed(self, error: Exception) -> None:
        if isinstance(error, HandstampError):
            if error.code in _FOR_GOOD:
                self.failed = error
            _log.warning("a change of the session is not saved: %s", error)
        else:
            _log.error("a change of the session is not saved, by a fault of handstamp; it is tried again", exc_info=error)


async def _in_thread(save: Save, changes: StorageState) -> None:
    """In a worker thread, so that the loop goes on; while the interpreter shuts down there are no new ones, and nothing else to do either."""
    try:
        future = asyncio.get_running_loop().run_in_executor(None, save, changes)
    except RuntimeError:
        save(changes)
    else:
        await future
