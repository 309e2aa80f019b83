"""The engine: a thread with an event loop of its own, on which browsers are driven over CDP and states mirrored.

The sync API blocks on it, the async API awaits it; neither touches the caller's Playwright objects from here.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import secrets
import threading
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from handstamp.browser.chromium import Chromium
from handstamp.browser.drivers import AsyncDrivers
from handstamp.errors import ConfigError
from handstamp.state import Clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
    from concurrent.futures import Future
    from typing import Any

    from handstamp.browser.process import Launch

T = TypeVar("T")
LET_GO = 10.0  # seconds that cancelled work gets to close and release what it holds
LINGER = 5.0  # seconds that a browser nobody uses stays, so that the next opening need not start one


@dataclass
class _Shared:
    """A browser that is used by several at once."""

    starting: asyncio.Lock = field(default_factory=asyncio.Lock)
    browser: Chromium | None = None
    users: int = 0
    closing: asyncio.TimerHandle | None = None


class Engine:
    """Runs the browsers of one process. Safe across threads: `run` and `call` are the ways in.

    Attributes:
        clock: stamps all changes that this process observes.
        drivers: Playwright on the engine's own loop, for logins and checks.

    After a fork the child's engine is not usable: threads and pipes stay with the parent.
    """

    def __init__(self) -> None:
        self.clock = Clock(secrets.token_hex(4))
        self.drivers = AsyncDrivers(self)
        self._pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._browsers: dict[Launch, _Shared] = {}
        self._closing: list[Callable[[], Awaitable[None]]] = []
        self._retiring: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="handstamp-engine", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    @property
    def usable(self) -> bool:
        """Whether it belongs to this process and is not closed."""
        return self._pid == os.getpid() and not self._loop.is_closed() and self._thread.is_alive()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`, done on the engine's loop; blocks. A `KeyboardInterrupt` cancels it, and waits until it has let go.

        Raises:
            ConfigError: after a fork.
        """
        future = self._submit(work)
        try:
            return future.result()
        except BaseException:
            if not future.done():
                future.cancel()
                asyncio.run_coroutine_threadsafe(_let_go(), self._loop).result()
            raise

    async def call(self, work: Coroutine[Any, Any, T]) -> T:
        """The same for a caller on another event loop."""
        return await asyncio.wrap_future(self._submit(work))

    def soon(self, do: Callable[[], None]) -> None:
        """Have something done on the engine's loop, whatever becomes of the caller."""
        self._checked().call_soon_threadsafe(do)

    def _submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        try:
            return asyncio.run_coroutine_threadsafe(work, self._checked())
        except BaseException:
            work.close()
            raise

    def check(self) -> None:
        """Refuse to be used by a forked child: what is open belongs to its parent.

        Raises:
            ConfigError: this is one.
        """
        if self._pid != os.getpid():
            message = "this process was forked from one that uses handstamp; open sessions in the child itself, after the fork"
            raise ConfigError(message)

    def _checked(self) -> asyncio.AbstractEventLoop:
        self.check()
        return self._loop

    @asynccontextmanager
    async def browser(self, launch: Launch) -> AsyncIterator[Chromium]:
        """A running browser for this launch, shared with others that ask for the same. On the engine's loop only."""
        shared = self._browsers.setdefault(launch, _Shared())
        shared.users += 1
        try:
            async with shared.starting:
                if shared.closing is not None:
                    shared.closing.cancel()
                    shared.closing = None
                if shared.browser is None or not shared.browser.alive:
                    if shared.browser is not None:
                        await shared.browser.close()
                    shared.browser = await Chromium.start(launch, self.clock)
            yield shared.browser
        finally:
            shared.users -= 1
            if shared.users == 0 and shared.browser is not None:
                shared.closing = self._loop.call_later(LINGER, self._begin_to_retire, launch, shared)

    @contextmanager
    def closes(self, close: Callable[[], Awaitable[None]]) -> Iterator[None]:
        """Within the block `close` is called if the engine is closed first, as at the end of the process."""
        self._closing.append(close)
        try:
            yield
        finally:
            self._closing.remove(close)

    def _begin_to_retire(self, launch: Launch, shared: _Shared) -> None:
        task = self._loop.create_task(self._retire(launch, shared))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def _retire(self, launch: Launch, shared: _Shared) -> None:
        if shared.users == 0 and self._browsers.get(launch) is shared:
            del self._browsers[launch]
            if shared.browser is not None:
                await shared.browser.close()

    def pids(self) -> tuple[int, ...]:
        """Process ids of the browsers that run; the helpers of each are in the process group of the same number."""
        return tuple(browser.pid for browser in self.browsers())

    def browsers(self) -> tuple[Chromium, ...]:
        """The browsers that run, but for those on the files of a whole profile."""
        return tuple(shared.browser for shared in list(self._browsers.values()) if shared.browser is not None and shared.browser.alive)

    def close(self) -> None:
        """End all browsers and the thread. Called at exit by itself."""
        if self._pid != os.getpid() or self._loop.is_closed() or not self._thread.is_alive():
            return
        atexit.unregister(self.close)
        self.run(self._close_browsers())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close_browsers(self) -> None:
        for close in list(self._closing):
            await close()
        browsers, self._browsers = self._browsers, {}
        for shared in browsers.values():
            if shared.closing is not None:
                shared.closing.cancel()
            if shared.browser is not None:
                await shared.browser.close()
        if self._retiring:
            await asyncio.wait(self._retiring)


async def _let_go() -> None:
    """Wait for what was just cancelled to close its pages and release its leases: the end of the process must not overtake that."""
    cancelled = [task for task in asyncio.all_tasks() if task.cancelling()]
    if cancelled:
        await asyncio.wait(cancelled, timeout=LET_GO)
