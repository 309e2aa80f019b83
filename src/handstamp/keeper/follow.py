"""A live context and everybody else who has the profile open: it hears of what they save, and they can ask it to save first.

In one process news come at once (`handstamp.vault.company`); of other processes the vault is asked each second, for the parts
that matter to the pages that are open and to the site, which is a query or two.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from handstamp.errors import BrowserError, HandstampError
from handstamp.state import PartId, PartKind, StorageState, cookie_scope, host_of
from handstamp.vault.company import COMPANY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handstamp.browser import Engine, LiveContext
    from handstamp.vault import Vault

_log = logging.getLogger(__name__)
LOOK_EVERY = 1.0
"""Seconds between two looks at what other processes have saved."""


class Follower:
    """Keeps one live context in step with the vault, from its making until `stop`. May be made on any thread.

    Args:
        engine: whose loop the context lives on.
        vault: where the profile is.
        profile: its name.
        live: the context.
        domains: of the site that it was opened for; their cookies are followed whatever page is open.
    """

    def __init__(self, engine: Engine, vault: Vault, profile: str, live: LiveContext, *, domains: Iterable[str] = ()) -> None:
        self._engine = engine
        self._vault = vault
        self._profile = profile
        self._live = live
        self._scopes = {cookie_scope(domain) for domain in domains}
        self._where = vault.where
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        COMPANY.join(self._where, profile, self)
        engine.soon(self._start)

    def _start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._follow())

    def settle(self) -> None:
        """Have the context save what it has changed until now. Blocking; not for the engine's own thread."""
        if not self._live.gone.is_set():
            with contextlib.suppress(BrowserError):
                self._engine.run(self._saved())

    async def _saved(self) -> None:
        await self._live.look()
        await self._live.save()

    def changed(self) -> None:
        """Somebody has saved to the profile."""
        self._engine.soon(self._news.set)

    def catch_up(self) -> None:
        """Bring in what others have saved until now. Blocking; not for the engine's own thread."""
        if not self._live.gone.is_set():
            with contextlib.suppress(BrowserError):
                self._engine.run(self._bring())

    async def _follow(self) -> None:
        while not self._live.gone.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await self._news.wait()
            self._news.clear()
            try:
                await self._bring()
            except BrowserError:
                return  # it has ended
            except HandstampError as error:
                _log.debug("what others saved is not looked at now: %s", error)

    async def _bring(self) -> None:
        homes = self._live.homes()
        scopes = {host_of(scope) for scope, _ in homes}
        wanted = {PartId(PartKind.COOKIES, scope) for scope in self._scopes | {cookie_scope(host) for host in scopes if host}}
        wanted |= {PartId(PartKind.LOCAL, scope) for scope, _ in homes}
        parts = await asyncio.to_thread(self._vault.pieces, self._profile, wanted)
        if any(self._live.mirror.news(part) for part in parts):
            await self._live.take_in(StorageState.of(parts))

    async def stop(self) -> None:
        """Follow no longer. On the engine's loop."""
        COMPANY.leave(self._where, self._profile, self)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
