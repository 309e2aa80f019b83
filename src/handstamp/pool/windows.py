"""The windows of a pool: opens, keeps and closes what the board decides. On one event loop; keys are names of profiles."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from handstamp.errors import PoolFull, Stopping
from handstamp.pool.board import Board, Window
from handstamp.pool.turns import Turns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from handstamp.pool.board import Decisions
    from handstamp.pool.live import LiveSession
    from handstamp.pool.values import Counters
    from handstamp.sites import Site

    Open = Callable[[Callable[[], None]], Awaitable[LiveSession]]
    Ready = Callable[[], Awaitable[None]]

_log = logging.getLogger(__name__)
_RETRY_AFTER = 5.0
_LEAST_WAIT = 1.0  # seconds for a window after a login that took all the time
_LAST_SECONDS = 30.0  # in which windows are closed at the end; a browser that hangs must not keep the process


class Windows:
    """Live sessions by key.

    Args:
        capacity: how many at once.
        counters: where what is done is counted.
    """

    def __init__(self, capacity: int, counters: Counters) -> None:
        self.board = Board(capacity)
        self._counters = counters
        self._turns = Turns()
        self._live: dict[str, LiveSession] = {}
        self._granted: dict[str, asyncio.Future[None]] = {}
        self._closing: dict[str, asyncio.Task[None]] = {}
        self._leaving: dict[str, asyncio.Task[None]] = {}
        self._stopping = False

    @property
    def live(self) -> dict[str, LiveSession]:
        """The sessions that are open now; not to be changed."""
        return self._live

    def busy(self, key: str) -> bool:
        """Whether somebody has or wants this session."""
        return not self._turns.free(key)

    def rests(self, key: str) -> bool:
        """Whether this session is open and goes on, and nobody has it, wants it, or clears away what its last user left."""
        live = self._live.get(key)
        return live is not None and not live.unwanted and self.board.window(key) is Window.IDLE and not self.busy(key)

    @asynccontextmanager
    async def alone(self, key: str, *, until: float) -> AsyncIterator[None]:
        """Within the block nobody else does anything with this session here.

        Args:
            key: of it.
            until: how long to wait for it, by the loop's clock.

        Raises:
            PoolFull: it did not come free in time.
            Stopping: the pool begins nothing new.
        """
        self._refuse_when_stopping()
        async with self._turns.turn(key, until=until):
            self._refuse_when_stopping()  # it may have begun while we waited
            yield

    def _refuse_when_stopping(self) -> None:
        if self._stopping:
            raise Stopping("the server is about to end and begins nothing new; ask again in a moment")

    async def take(self, key: str, site: Site, ready: Ready, open_it: Open, *, until: float, valid: Callable[[LiveSession], Awaitable[bool]]) -> LiveSession:
        """The session's window, open and the caller's until `leave`; the caller has its turn (`alone`).

        Args:
            key: of it.
            site: for which it must have been opened.
            ready: makes it ready to be opened, without a window.
            open_it: opens it; is told whom to tell when it ends by itself.
            until: how long to wait for a window, by the loop's clock.
            valid: whether a session that is open need not be opened anew.

        Raises:
            PoolFull: all windows are in use.
        """
        await self._settled(key, until=until)
        if self.board.window(key) is Window.IDLE:
            self.board.use(key)
            live = self._live[key]
            try:
                fit = not live.dead and live.site.name == site.name and await valid(live)
            except BaseException:
                self.leave(key)
                raise
            if fit and not live.dead:
                return live
            await self.give_up(key)
        await ready()
        self._refuse_when_stopping()
        return await self._opened(key, open_it, until=max(until, asyncio.get_running_loop().time() + _LEAST_WAIT))

    async def _opened(self, key: str, open_it: Open, *, until: float) -> LiveSession:
        await self._room(key, until=until)
        try:
            live = await open_it(lambda: self._died(key))
        except BaseException:
            self._do(self.board.closed(key))
            raise
        self._live[key] = live
        self._counters.opened += 1
        return live

    async def _room(self, key: str, *, until: float) -> None:
        granted = self._granted[key] = asyncio.get_running_loop().create_future()
        self._do(self.board.ask(key))
        try:
            async with asyncio.timeout_at(until):
                await granted
        except BaseException as error:
            self._granted.pop(key, None)
            self._do(self.board.withdraw(key))
            if isinstance(error, TimeoutError):
                self._counters.refused += 1
                what = f"all {self.board.capacity} windows are in use, and none came free in time"
                raise PoolFull(f"{what}; ask again, or give the server more (`max_sessions`)", retry_after=_RETRY_AFTER) from None
            raise

    def leave(self, key: str) -> None:
        """The caller of `take` is done with it."""
        live = self._live.get(key)
        if live is None or self.board.window(key) is not Window.BUSY:
            return  # it was closed under its user, at the end
        if live.dead or live.unwanted or self._stopping:
            self._begin_to_close(key)
        else:
            self._do(self.board.leave(key, asyncio.get_running_loop().time()))

    def leave_untidy(self, key: str) -> None:
        """The caller of `take` is done with it and waits for nothing more; what it left is cleared away before anybody else has the window."""
        if live := self._live.get(key):
            self._leaving[key] = asyncio.get_running_loop().create_task(self._tidied(key, live))

    async def _tidied(self, key: str, live: LiveSession) -> None:
        try:
            await live.tidy()
        except Exception:  # noqa: BLE001  (whatever it is, the window must come free)
            _log.exception("the window of profile '%s' could not be tidied, and is closed", key)
            live.unwanted = True
        finally:
            del self._leaving[key]
            self.leave(key)

    async def _settled(self, key: str, *, until: float) -> None:
        """When its last user has left it altogether, and it is closed if it was closing.

        Raises:
            PoolFull: that takes too long; its browser may hang.
        """
        for under_way in (self._leaving, self._closing):
            if (task := under_way.get(key)) and not (await asyncio.wait({task}, timeout=max(0.0, until - asyncio.get_running_loop().time())))[0]:
                raise PoolFull("the window of this session is being closed, and its browser takes long for that; ask again", retry_after=2.0)

    async def give_up(self, key: str) -> None:
        """The caller of `take` is done with it, and it is closed, if that was not done under it, at the end."""
        if self.board.window(key) in {Window.IDLE, Window.BUSY}:
            self._begin_to_close(key)
        if closing := self._closing.get(key):
            await asyncio.shield(closing)

    async def shut(self, key: str, *, until: float) -> bool:
        """Close the window, whose turn the caller has and which nobody uses; False when there is none.

        Raises:
            PoolFull: it is being closed already, and that takes too long.
        """
        await self._settled(key, until=until)
        if self.board.window(key) is not Window.IDLE:
            return False
        await self.give_up(key)
        return True

    def hibernate(self, key: str) -> bool:
        """Close the window when nobody uses it, else as soon as that is so; False when there is none."""
        live = self._live.get(key)
        if live is None:
            return False
        live.unwanted = True
        if self.board.window(key) is Window.IDLE and not self.busy(key):
            self._begin_to_close(key)
        return True

    def resize(self, capacity: int) -> None:
        """Have more or fewer windows from now on."""
        self._do(self.board.resize(capacity))

    async def closed(self) -> None:
        """Wait for the windows that are closing, as long as that may take."""
        until = asyncio.get_running_loop().time() + _LAST_SECONDS
        while (tasks := {*self._leaving.values(), *self._closing.values()}) and (left := until - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait(tasks, timeout=left)

    async def stop(self, seconds: float) -> None:
        """Begin nothing new, wait so long for what is under way, then close all windows; what is still under way is cut off."""
        self._stopping = True
        until = asyncio.get_running_loop().time() + seconds
        for granted in self._granted.values():
            if not granted.done():
                granted.set_exception(Stopping("the server is about to end; ask again in a moment"))
        for key in self.board.of(Window.IDLE):
            self._begin_to_close(key)
        while (self._turns.taken or self.board.of(Window.BUSY)) and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110  (each is left in its own time)
            await asyncio.sleep(0.05)
        for key in self.board.of(Window.BUSY):
            if key in self._live:
                self._begin_to_close(key)
        await self.closed()

    # -- doing what was decided ---------------------------------------------------------------------------------

    def _begin_to_close(self, key: str) -> asyncio.Task[None]:
        self.board.close(key)
        closing = self._closing[key] = asyncio.get_running_loop().create_task(self._close(key))
        return closing

    def _do(self, decisions: Decisions) -> None:
        for key in decisions.close:
            self._counters.evicted += 1
            self._closing[key] = asyncio.get_running_loop().create_task(self._close(key))
        for key in decisions.grant:
            granted = self._granted.pop(key)
            if not granted.done():
                granted.set_result(None)

    async def _close(self, key: str) -> None:
        try:
            if live := self._live.get(key):
                await live.close()
        except Exception:  # noqa: BLE001  (whatever it is, the window must come free)
            _log.exception("the window of profile '%s' did not close in order", key)
        finally:
            self._live.pop(key, None)
            self._closing.pop(key, None)
            self._do(self.board.closed(key))

    def _died(self, key: str) -> None:
        """Its browser, or its context, has ended by itself."""
        self._counters.crashes += 1
        if self.board.window(key) is Window.IDLE and not self.busy(key):
            self._begin_to_close(key)
