"""Keeping sessions alive: a queue by due time in the vault, looks over plain HTTP in a few threads, browsers only where a recipe says so.

    due ──claimed──▶ waits at its site's gate ──▶ looked at ──valid──▶ next turn
                                                      ├──expired──▶ brought back by one login, or flagged
                                                      └──anything else──▶ noted, next turn later

Any number of keepers, in any number of processes, share one queue: a turn is claimed by one of them, for a while, so that
those of a keeper that was killed come to another. A profile that somebody has open for itself is left alone: its own page
keeps it alive, and a look from here could end what that page holds.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from handstamp.errors import ChallengeUnsolved, HandstampError, LoginBudgetSpent, LoginError
from handstamp.http import Transports
from handstamp.keeper.gates import Gates
from handstamp.keeper.keeper import Given
from handstamp.keeper.looks import Looking
from handstamp.keeper.plan import HOPELESS_SECONDS, Plan, planned, regular
from handstamp.keeper.survival import Curve, curve_of, lives_of
from handstamp.keeper.verdicts import recorded
from handstamp.state import Health
from handstamp.vault import Ended, Standing, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from handstamp.keeper.keeper import Keeper
    from handstamp.sites import Site, Verdict
    from handstamp.state import Session
    from handstamp.vault import Vault

_log = logging.getLogger(__name__)
WORKERS = 8
CLAIM_LIFE = 180.0
"""Seconds in which a claimed turn is ended, or taken for a dead keeper's."""
ENROL_EVERY = 30.0
LEARN_EVERY = 600.0
BEAT = 0.5
"""Seconds between writes to the vault: a batch of claims, a batch of results."""
LET_GO = 15.0
"""Seconds that looks under way get when it ends."""


@dataclass
class Counts:
    """What a keeper has done since it began; `late` are the seconds that the last looks came after their due time."""

    looked: int = 0
    by_health: dict[str, int] = field(default_factory=dict)
    brought_back: int = 0
    flagged: int = 0
    in_use: int = 0
    postponed: int = 0
    late: deque[float] = field(default_factory=lambda: deque(maxlen=20_000))


@dataclass(frozen=True, slots=True)
class _Task:
    turn: Turn
    session: Session
    site: Site


class KeepAlive:
    """Keeps the sessions of some sites alive.

    Args:
        keeper: logs in, and looks in a browser where a recipe says so.
        sites: by name; those without a check or a keep-alive section are left out.
        workers: threads that look over HTTP.
        log_in: bring back what has ended; otherwise it is only flagged.
        given: credentials for that, by site and profile; by default what the environment and the vault know.
        every: seconds between two looks at a session, in place of what the recipes say.
        leave: gives the ids of sessions that are to be left alone; asked twice a minute. Blocking.
    """

    def __init__(
        self,
        keeper: Keeper,
        sites: Mapping[str, Site],
        *,
        workers: int = WORKERS,
        log_in: bool = True,
        given: Given = Given(),
        every: float | None = None,
        leave: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self.counts = Counts()
        self._keeper = keeper
        self._vault: Vault = keeper.vault
        self._sites = {name: site for name, site in sites.items() if site.recipe.keep_alive is not None and site.can_check}
        self._workers = workers
        self._log_in = log_in
        self._given = given
        self._every = every
        self._leave = leave
        self._unwanted: Collection[str] = ()
        self._gates = Gates()
        self._waiting: deque[_Task] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._ended: list[Ended] = []
        self._curves: dict[str, Curve] = {}
        self._browsers = asyncio.Semaphore(1)

    @property
    def sites(self) -> tuple[str, ...]:
        """The sites whose sessions it keeps."""
        return tuple(self._sites)

    async def run(self, stop: asyncio.Event, *, once: bool = False) -> None:
        """Keep, until `stop` is set; then what is under way is finished and put down. On any event loop, one at a time.

        Args:
            stop: set it to end.
            once: end when nothing is due any more.

        Raises:
            VaultError: the vault cannot be used; what was claimed comes to another keeper.
        """
        enrolled = learned = float("-inf")
        with Transports() as transports, _threads(self._workers) as threads:
            looking = Looking(self._vault, self._keeper.engine.clock, transports)
            while not stop.is_set():
                now = time.monotonic()
                if now - learned >= LEARN_EVERY:
                    learned = now
                    await asyncio.to_thread(self._learn)
                if now - enrolled >= ENROL_EVERY:
                    enrolled = now
                    await asyncio.to_thread(self._enrol)
                await asyncio.to_thread(self._exchange, self._room())
                if once and not self._waiting and not self._running and not self._ended:
                    break
                await self._until_next_beat(looking, threads, stop)
            await self._finish()

    # -- with the vault -----------------------------------------------------------------------------------------

    def _enrol(self) -> None:
        self._unwanted = self._leave()
        for name, site in self._sites.items():
            if site.recipe.keep_alive is not None:
                self._vault.enrol(name, within=self._often(site), why="first")

    def _learn(self) -> None:
        self._curves = {name: curve_of(lives_of(self._vault, name)) for name in self._sites}

    def _room(self) -> int:
        return max(0, 8 * self._workers - len(self._waiting) - len(self._running))

    def _exchange(self, room: int) -> None:
        """Put down what has ended, and take what is due."""
        ended, self._ended = self._ended, []
        if ended:
            self._vault.end_turns(ended)
        claimed = self._vault.claim_turns(limit=room, life=CLAIM_LIFE) if room else []
        if not claimed:
            return
        busy = {
            lease.profile for lease in self._vault.leases() if lease.purpose == "open" and lease.standing in {Standing.ALIVE, Standing.FRESH, Standing.MINE}
        }
        for turn, session in claimed:
            self._accept(turn, session, in_use=session.profile in busy)

    def _accept(self, turn: Turn, session: Session, *, in_use: bool) -> None:
        site = self._sites.get(session.site)
        if site is None:
            self._end(turn, Plan(_now() + timedelta(seconds=HOPELESS_SECONDS), "no recipe here keeps it alive"))
        elif session.session_id in self._unwanted:
            self._end(turn, Plan(_now() + timedelta(seconds=HOPELESS_SECONDS), "nobody wants it kept alive"))
        elif in_use:
            self.counts.in_use += 1
            self._end(turn, regular(_now(), every=self._often(site), chance=_chance(), why="somebody has it open"))
        else:
            self._waiting.append(_Task(turn, session, site))

    def _often(self, site: Site) -> float:
        """Seconds between two looks."""
        if self._every is not None:
            return self._every
        return site.recipe.keep_alive.every if site.recipe.keep_alive is not None else HOPELESS_SECONDS

    def _end(self, turn: Turn, plan: Plan, *, valid_at: datetime | None = None) -> None:
        self._ended.append(Ended(Turn(turn.session_id, plan.at, plan.why), valid_at))

    # -- looking ------------------------------------------------------------------------------------------------

    async def _until_next_beat(self, looking: Looking, threads: ThreadPoolExecutor, stop: asyncio.Event) -> None:
        until = time.monotonic() + BEAT
        while (left := until - time.monotonic()) > 0 and not stop.is_set():
            self._begin(looking, threads)
            waits = [asyncio.create_task(stop.wait()), *self._running]
            pause = min(left, 0.02) if self._waiting else left
            await asyncio.wait(waits, timeout=pause, return_when=asyncio.FIRST_COMPLETED if self._waiting else asyncio.ALL_COMPLETED)
            waits[0].cancel()

    def _begin(self, looking: Looking, threads: ThreadPoolExecutor) -> None:
        """Let pass what its site's gate lets pass, in order; what has waited too long gives way to others."""
        held: deque[_Task] = deque()
        now = time.monotonic()
        while self._waiting and len(self._running) < self._workers:
            task = self._waiting.popleft()
            keep_alive = task.site.recipe.keep_alive
            if keep_alive is not None and self._gates.enter(task.site.name, now, per_second=keep_alive.per_second):
                running = asyncio.create_task(self._turn(task, looking, threads))
                self._running.add(running)
                running.add_done_callback(self._left)
            else:
                held.append(task)
        self._waiting.extendleft(reversed(held))
        if len(held) > 4 * self._workers:  # its site is slow: it must not keep the others' room
            for task in [self._waiting.pop() for _ in range(len(held) // 2)]:
                self.counts.postponed += 1
                self._end(task.turn, Plan(_now() + timedelta(seconds=2 + 8 * _chance()), "its site takes no more at once"))

    def _left(self, running: asyncio.Task[None]) -> None:
        self._running.discard(running)
        if not running.cancelled() and (error := running.exception()) is not None:
            _log.error("a look at a session failed; it is repeated in %.0f s", CLAIM_LIFE, exc_info=error)

    async def _turn(self, task: _Task, looking: Looking, threads: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        try:
            self.counts.late.append(max(0.0, (_now() - task.turn.due_at).total_seconds()))
            verdict = await loop.run_in_executor(threads, self._looked, task, looking)
        except HandstampError as error:
            _log.warning("%s, profile '%s': %s", task.site.name, task.session.profile, error)
            self._end(task.turn, regular(_now(), every=self._often(task.site), chance=_chance(), why=f"{error.code}: {error}"))
            return
        finally:
            self._gates.leave(task.site.name)
        self.counts.looked += 1
        await self._consequence(task, verdict)

    def _looked(self, task: _Task, looking: Looking) -> Verdict | None:
        keep_alive = task.site.recipe.keep_alive
        check = task.site.recipe.check
        wake = keep_alive.url if keep_alive and check and keep_alive.url != check.url else ""
        verdict = looking.look(task.site, task.session.profile, task.session, wake=wake)
        if verdict is not None and not _nothing_new(task.session, verdict):
            recorded(self._vault, task.site, task.session.profile, verdict, seen=task.session)
        return verdict

    async def _consequence(self, task: _Task, verdict: Verdict | None) -> None:
        """What follows from a verdict."""
        health = verdict.health.value if verdict else "nothing saved"
        self.counts.by_health[health] = self.counts.by_health.get(health, 0) + 1
        if verdict is None:
            self._end(task.turn, Plan(_now() + timedelta(seconds=HOPELESS_SECONDS), "nothing is saved of it"))
        elif verdict.health is Health.EXPIRED or (verdict.ask_browser and task.site.recipe.keep_alive and task.site.recipe.keep_alive.browser):
            await self._in_browser(task, verdict)
        else:
            self._plan(task, task.session, verdict, valid_at=verdict.evidence[-1].at if _nothing_new(task.session, verdict) else None)

    async def _in_browser(self, task: _Task, verdict: Verdict) -> None:
        """What only a browser can do, one at a time: a login, a look that HTTP could not take."""
        name, profile = task.site.name, task.session.profile
        async with self._browsers:
            try:
                if verdict.health is not Health.EXPIRED:
                    verdict = await self._keeper.engine.call(self._keeper.check(task.site, profile))
                if verdict.health is Health.EXPIRED and self._log_in:
                    work = self._keeper.log_in(task.site, profile, self._given, why="the session has ended", before=task.session)
                    session = await self._keeper.engine.call(work)
                    self.counts.brought_back += 1
                    _log.info("%s, profile '%s': brought back", name, profile)
                    self._end(task.turn, regular(_now(), every=self._often(task.site), chance=_chance(), why=f"brought back, login {session.logins}"))
                    return
            except (LoginError, HandstampError) as error:
                self.counts.flagged += 1
                _log.warning("%s, profile '%s': %s", name, profile, error)
                self._end(task.turn, await asyncio.to_thread(self._after_failure, task, error))
                return
        self.counts.flagged += verdict.health is Health.EXPIRED
        self._plan(task, task.session, verdict)

    def _after_failure(self, task: _Task, error: HandstampError) -> Plan:
        """Not before the account may be tried again; where only a person can help, seldom."""
        seconds = HOPELESS_SECONDS if isinstance(error, ChallengeUnsolved) else self._often(task.site)
        at = _now() + timedelta(seconds=max(seconds, self._often(task.site)))
        if isinstance(error, LoginError) and task.session.username:
            known = self._vault.login_attempts(task.site.name, task.session.username)
            at = max(at, known.not_before or at)
        if isinstance(error, LoginBudgetSpent):
            at = max(at, _now() + timedelta(seconds=self._often(task.site)))
        return Plan(at, f"{error.code}: {error}")

    def _plan(self, task: _Task, session: Session, verdict: Verdict, *, valid_at: datetime | None = None) -> None:
        plan = planned(_now(), session, verdict, every=self._often(task.site), curve=self._curves.get(task.site.name), chance=_chance())
        self._end(task.turn, plan, valid_at=valid_at)

    async def _finish(self) -> None:
        """What waits goes back, what is under way is waited for, and all of it is put down."""
        for task in self._waiting:
            self._end(task.turn, Plan(task.turn.due_at, task.turn.why))
        self._waiting.clear()
        if self._running:
            await asyncio.wait(set(self._running), timeout=LET_GO)
        for running in self._running:
            running.cancel()
        await asyncio.to_thread(self._exchange, 0)


def kept_sites(sites: Mapping[str, Site]) -> list[str]:
    """Names of the sites whose sessions can be kept alive."""
    return sorted(name for name, site in sites.items() if site.recipe.keep_alive is not None and site.can_check)


@contextmanager
def _threads(number: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that nobody waits for at the end: a look may take long, and the event loop is not only ours."""
    threads = ThreadPoolExecutor(number, thread_name_prefix="handstamp-look")
    try:
        yield threads
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


def _nothing_new(session: Session, verdict: Verdict) -> bool:
    """Found valid, as before: noted with the session, and not in the event log, which would grow by millions of lines."""
    return verdict.health is Health.VALID and session.health is Health.VALID and not session.needs_refresh


def _now() -> datetime:
    return datetime.now(UTC)


def _chance() -> float:
    return random.random()  # noqa: S311  (spreads the work, no secret)
