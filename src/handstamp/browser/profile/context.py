"""The browser's own context, on a directory that has kept what sites left there: given what is newer elsewhere, then as any other."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from handstamp.browser.cookies import by_key
from handstamp.browser.live import LiveContext
from handstamp.browser.profile.catch_up import by_scope, catch_up
from handstamp.browser.profile.holdings import IN_FILES, behind, cookies_due, digest, not_held, up_to_date
from handstamp.browser.restore import Areas
from handstamp.errors import BrowserError
from handstamp.state import Loss

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from handstamp.browser.cdp import Connection
    from handstamp.browser.helper import HelperPages
    from handstamp.state import Clock, Part, PartId, StorageState

_AT_ONCE = 4  # documents in which storage is brought up to date
# What the mirror cannot read and the browser's own files have.
_KEPT_BY_FILES = frozenset(
    {
        "blob",
        "cache-storage",
        "crypto-key",
        "file-handle",
        "image-bitmap",
        "opfs-file",
        "rtc-certificate",
        "service-worker",
        "storage-bucket",
        "too-big",
        "value",
    }
)


class ProfileContext(LiveContext):
    """See `LiveContext`.

    Args:
        connection: to the browser.
        state: what the vault has.
        clock: stamps changes.
        save: see `LiveContext`.
        helpers: makes helper pages.
        holds: what of `state` the browser has by itself, see `holdings.py`.
    """

    def __init__(
        self,
        connection: Connection,
        state: StorageState,
        clock: Clock,
        save: Callable[[StorageState], None] | None,
        *,
        helpers: HelperPages,
        holds: Mapping[PartId, str],
    ) -> None:
        super().__init__(connection, state, clock, save, helpers=helpers)
        self._saved = state
        self._held = holds
        self._given = not_held(state, holds)
        self._serving.areas = Areas.of(self._given, guest=True)  # service workers are at work from the start
        self._left_behind: set[PartId] = set()

    @property
    def saved(self) -> bool:
        """Whether the vault has all that was seen here."""
        return self.failed is None and not self.mirror.dirty

    def holds(self) -> dict[PartId, str]:
        """What the browser has of the mirrored state by now: the `holds` of the next context on the same directory."""
        held = {}
        for part in self.mirror.state().parts.values():
            waiting = part.id in self._given.parts and self._serving.awaits(part.id.scope)
            if part.id.kind in IN_FILES and not waiting:
                held[part.id] = "" if part.id in self._left_behind else digest(part)
        return held

    async def fill(self, context: str) -> None:
        """Bring what is newer in the vault into the context, and begin to watch it."""
        self.id = context
        await self._fill_jar_up()
        await self._fill_storage_up()
        self._jar.full.set()
        self._watch()

    def lose(self, loss: Loss) -> None:
        """See `LiveContext.lose`. What the directory keeps is not lost."""
        if loss.what not in _KEPT_BY_FILES:
            super().lose(loss)

    async def _fill_jar_up(self) -> None:
        now = time.time()
        give, remove = cookies_due(self._saved, self._held, by_key(await self.jar()), now=now)
        await self._jar.put([*give, *remove])
        await self._jar.start_from(give, now=now)

    async def _fill_storage_up(self) -> None:
        for part in up_to_date(self._saved, self._held):
            self._databases.has(part.id, part.live())
        turns = asyncio.Semaphore(_AT_ONCE)
        await asyncio.gather(*(self._bring_up(scope, parts, turns) for scope, parts in by_scope(behind(self._saved, self._held))))

    async def _bring_up(self, scope: str, parts: list[Part], turns: asyncio.Semaphore) -> None:
        try:
            async with turns, self._helper(scope) as world:
                failed = await catch_up(world, parts)
        except BrowserError as error:
            failed = [("its storage", str(error))]
        for where, why in failed:
            self.lose(Loss("behind", f"{scope}, {where}", f"newer values that were saved elsewhere could not be brought in ({why})"))
        for part in parts:
            self._databases.has(part.id, part.live())
            if failed:
                self._left_behind.add(part.id)
