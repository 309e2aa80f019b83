"""What a pool does by itself: keeps sessions alive, lets others have what they wait for, ends what is over, minds its memory."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from handstamp._signed_in import engine
from handstamp.async_api import drivers
from handstamp.browser import sweep
from handstamp.errors import HandstampError
from handstamp.keeper import KeepAlive, launch_for
from handstamp.pool import hangs
from handstamp.pool.memory import megabytes_of
from handstamp.sites import list_sites

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from handstamp.pool.pool import Pool
    from handstamp.pool.windows import Windows

_log = logging.getLogger(__name__)
BEAT = 0.25
"""Seconds between two looks for somebody else who waits for a profile that is live here."""
NOTES_EVERY = 2.0
"""Seconds between two exchanges with the vault about which sessions are used, and which have ended elsewhere."""
_HOUR = 3600.0
_AGAIN = 5.0  # seconds after something failed
_ROOM_AGAIN = 0.8  # of the memory limit: below it there may be all windows again


class Rounds:
    """The tasks of one pool.

    Args:
        pool: whose.
        windows: of it.

    Attributes:
        memory_mb: what the browsers took when it was last measured.
    """

    def __init__(self, pool: Pool, windows: Windows) -> None:
        self._pool = pool
        self._windows = windows
        self.memory_mb = 0.0
        self._hangs = hangs.Hangs()
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """End what earlier processes left behind, and begin."""
        await asyncio.to_thread(sweep)
        await self._clear_files()
        look_every = self._pool.settings.look_every
        rounds = [
            (self._hand_over, BEAT),
            (self._exchange, NOTES_EVERY),
            (self._probe, hangs.PROBE_EVERY),
            (self._look, look_every),
            (self._mind_memory, min(10.0, look_every)),
            (self._clear_files, _HOUR),
        ]
        self._tasks = [asyncio.create_task(self._every(do, seconds)) for do, seconds in rounds]
        self._tasks.append(asyncio.create_task(self._again(self._keep_alive)))
        if self._pool.settings.isolation == "shared":
            self._tasks.append(asyncio.create_task(self._again(self._stay_warm)))

    async def stop(self) -> None:
        """End them, and write down what is not written down yet."""
        self._stop.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_AGAIN)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await asyncio.to_thread(self._pool.vault.note_served, self._pool.taken_note_of())
        except HandstampError as error:
            _log.warning("which sessions were used last could not be noted: %s", error)

    async def _every(self, do: Callable[[], Awaitable[None]], seconds: float) -> None:
        while not await self._stopped_within(seconds):
            try:
                await do()
            except HandstampError as error:
                _log.warning("%s; tried again in %.0f s", error, max(seconds, _AGAIN))
                await self._stopped_within(_AGAIN)
            except Exception:  # noqa: BLE001  (whatever it is, the sessions must go on)
                _log.exception("a round over the live sessions failed; it is repeated")
                await self._stopped_within(_AGAIN)

    async def _again(self, do: Callable[[], Awaitable[None]]) -> None:
        """Something that goes on until the end, begun anew when it fails."""
        while not self._stop.is_set():
            try:
                await do()
            except Exception as error:  # noqa: BLE001  (whatever it is, the sessions must go on)
                _log.warning("%s: %s; begun again in %.0f s", type(error).__name__, error, _AGAIN)
                await self._stopped_within(_AGAIN)

    async def _stopped_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return False
        return True

    # -- with the vault -----------------------------------------------------------------------------------------

    async def _hand_over(self) -> None:
        """A profile that somebody waits for is let go of, now or as soon as it is not used."""
        if not self._windows.live:
            return
        for profile in await asyncio.to_thread(self._pool.vault.waited_for):
            live = self._windows.live.get(profile)
            if live is not None and not live.unwanted:
                self._pool.counters.handed_over += 1
                self._windows.hibernate(profile)

    async def _exchange(self) -> None:
        for profile, one in list(self._windows.live.items()):
            if one.dead or one.unwanted:  # somebody has broken its lease; or who was to use it next has not come
                self._windows.hibernate(profile)
        used = self._pool.taken_note_of()
        live = [one.session.session_id for one in self._windows.live.values() if one.served is not None]
        for session_id in await asyncio.to_thread(self._exchanged, used, live):
            self._pool.let_go(session_id)

    def _exchanged(self, used: set[str], live: list[str]) -> list[str]:
        """Note what was used; the ids of those that are live here and have ended, or are gone."""
        vault = self._pool.vault
        if used:
            vault.note_served(used)
        return [session_id for session_id in live if (served := vault.served(session_id)) is None or served.ended_at is not None]

    # -- looking after sessions ---------------------------------------------------------------------------------

    async def _look(self) -> None:
        """End what has been idle for too long, and look at live sessions whose last look is long ago."""
        settings = self._pool.settings
        await self._exchange()  # what is in use is not idle
        for session_id in await asyncio.to_thread(self._pool.vault.end_idle_served, seconds=settings.session_timeout):
            self._pool.let_go(session_id)
        before = asyncio.get_running_loop().time() - settings.session_refresh_interval + settings.look_every / 2
        for profile, live in list(self._windows.live.items()):
            if live.checked_at < before and (live.served is None or live.served.keep_alive):
                try:
                    await self._pool.refresh(profile)
                except HandstampError as error:
                    _log.warning("%s, profile '%s': %s", live.site.name, profile, error)

    async def _keep_alive(self) -> None:
        """The sessions that are not live here; a keeper of the vault's queue, beside those of other processes."""
        sites = {known.name: known.site for known in await asyncio.to_thread(list_sites, home=self._pool.home) if known.site is not None}
        every = self._pool.settings.session_refresh_interval
        await KeepAlive(self._pool.openings.keeper(), sites, every=every, leave=self._pool.vault.not_kept_alive).run(self._stop)

    async def _stay_warm(self) -> None:
        """A browser and a Playwright are there before anybody comes, and stay when everybody has gone."""
        running = engine()
        shared = running.browser(await asyncio.to_thread(launch_for, None))
        chromium = await running.call(shared.__aenter__())
        try:
            async with drivers().ready(chromium) as still:
                while chromium.alive and still() and not await self._stopped_within(0.5):
                    pass
        finally:
            await running.call(shared.__aexit__(None, None, None))

    async def _clear_files(self) -> None:
        """Nobody gets a file whose time is over; nor does it stay on the disk."""
        await asyncio.to_thread(self._pool.files.sweep)

    async def _probe(self) -> None:
        await self._hangs.look(engine().browsers())  # also those in which somebody logs in, or a window is about to open

    async def _mind_memory(self) -> None:
        """Fewer windows while the browsers take too much, one more at a time when there is room again."""
        self.memory_mb = await asyncio.to_thread(megabytes_of, engine().pids())
        settings, board = self._pool.settings, self._windows.board
        if not settings.max_memory_mb:
            return
        if self.memory_mb > settings.max_memory_mb:
            self._windows.resize(max(1, board.taken - 1))
            _log.warning("the browsers take %.0f MB of %d; now at most %d sessions are live", self.memory_mb, settings.max_memory_mb, board.capacity)
        elif board.capacity < settings.max_sessions and self.memory_mb < _ROOM_AGAIN * settings.max_memory_mb:
            self._windows.resize(board.capacity + 1)
