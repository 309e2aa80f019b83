"""From an application to a server that listens: its socket, its connections, and how it ends.

After SIGTERM, SIGINT or SIGHUP new work gets 503, what runs may end within `drain_seconds`, and then all sessions hibernate. A second signal
ends the process at once: sessions are as they were saved last, and the browsers end with their pipe.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

import uvicorn

from handstamp.server.connection import limited

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Generator
    from types import FrameType

    from handstamp.pool import Pool
    from handstamp.server.front import Front, Intake
    from handstamp.server.settings import ServerSettings

_log = logging.getLogger(__name__)
_KEEP_ALIVE_SECONDS = 75  # longer than the pools of most clients keep a connection, so that few take one up in the moment of its end
_LAST_SECONDS = 2  # for answers that are on their way
_BACKLOG = 2048
_SIGNALLED = 128  # and the signal's number, as shells count
_FILES_BESIDE = 512  # open files that browsers, vault and logs may need


def allow_connections(wanted: int) -> int:
    """How many connections there may be: as many as wanted, unless the system lets a process open fewer files."""
    if sys.platform == "win32":
        return wanted
    import resource  # noqa: PLC0415  (not on Windows)

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _FILES_BESIDE
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    most = max(10, soft - _FILES_BESIDE)
    _log.warning("this process may open %s files, so %s connections are taken at a time and not %s", soft, most, wanted)
    return most


class Listener(uvicorn.Server):
    """Serves an application until it is stopped.

    Args:
        app: the application.
        pool: drained before the end.
        settings: limits.
        intake: shared with the application.
    """

    def __init__(self, app: Front, pool: Pool, settings: ServerSettings, *, intake: Intake) -> None:
        super().__init__(_config(app, settings))
        self._pool = pool
        self._drain_seconds = settings.drain_seconds
        self._intake = intake
        self._ready: Callable[[], None] | None = None
        self._draining: asyncio.Task[None] | None = None
        self._signalled = False

    async def run_until_stopped(self, sock: socket.socket, *, ready: Callable[[], None]) -> None:
        """Serve.

        Args:
            sock: see `bound`.
            ready: called once, when requests are taken.
        """
        self._ready = ready
        await self.serve(sockets=[sock])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open for requests, then tell."""
        await super().startup(sockets=sockets)
        if self._ready is not None:
            self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Signals drain; uvicorn's own handlers would close the door first."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()

        def signalled(number: int, frame: FrameType | None) -> None:
            del frame
            if self._signalled:
                logging.shutdown()
                os._exit(_SIGNALLED + number)
            self._signalled = True
            loop.call_soon_threadsafe(self.stop)

        taken = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
        before = {number: signal.signal(number, signalled) for number in taken}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """Begin to end: what runs may end, nothing new is taken."""
        if self._draining is None:
            self._intake.open = False
            _log.warning("stopping: no new work is taken, what runs has %g s to end", self._drain_seconds)
            self._draining = asyncio.get_running_loop().create_task(self._drain())

    async def _drain(self) -> None:
        try:
            await self._pool.drain(self._drain_seconds)
        finally:
            self.should_exit = True


def _config(app: Front, settings: ServerSettings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=limited(settings),
        loop="asyncio",
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_LAST_SECONDS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        backlog=_BACKLOG,
    )
