"""The pool: sessions by credentials or id, live in at most so many windows, the others hibernated and back on their next use."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from handstamp._signed_in import engine
from handstamp.errors import BrowserGone, ConfigError, HandstampError, OperationError, WorkflowEnded
from handstamp.home import home as home_directory
from handstamp.home import settings as settings_of
from handstamp.keeper import Given
from handstamp.keeper.solvers import ServiceSolver
from handstamp.operations.failures import overdue
from handstamp.pool.accounts import forget_account, keep_credentials, profile_for, supersede
from handstamp.pool.ids import take_on, there, usable
from handstamp.pool.openings import Openings, Wanted
from handstamp.pool.rounds import Rounds
from handstamp.pool.settings import PoolSettings
from handstamp.pool.values import Admission, Counters, Listed, PoolFacts
from handstamp.pool.windows import Windows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path
    from typing import Self

    from handstamp.operations import Files, Outcome
    from handstamp.pool.live import LiveSession
    from handstamp.sites import ChallengeSolver, Site, Verdict
    from handstamp.sites.operation import Operation
    from handstamp.state import Session
    from handstamp.vault import Served, ServedSession, Vault

_log = logging.getLogger(__name__)
DRAIN_SECONDS = 30.0


class Pool:
    """Live sessions for many callers. An async context manager, on one event loop; any number of pools share one vault.

    Args:
        vault: where the sessions are; stays the caller's.
        settings: see `PoolSettings`.
        files: where operations leave what they made.
        home: where recipes are; by default the home directory.
        solver: who answers what sites ask during logins, besides the configured service and whoever answers in the vault.

    Attributes:
        counters: what was done since the beginning.
        home: where recipes and settings are.
        openings: opens sessions, and knows the sites.
    """

    def __init__(
        self, vault: Vault, settings: PoolSettings = PoolSettings(), *, files: Files, home: Path | None = None, solver: ChallengeSolver | None = None
    ) -> None:
        self.vault = vault
        self.settings = settings
        self.files = files
        self.counters = Counters()
        self.home = home or home_directory()
        self.openings = Openings(vault, settings, self.counters, home=self.home, solver=solver)
        self._windows = Windows(settings.max_sessions, self.counters)
        self._used: set[str] = set()  # ids that were asked for since this was last written down
        self._rounds = Rounds(self, self._windows)

    async def __aenter__(self) -> Self:
        await self._rounds.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.drain(0.0)

    async def drain(self, seconds: float = DRAIN_SECONDS) -> None:
        """Begin nothing new, give what is under way so many seconds, and hibernate all. Then the pool is of no more use."""
        await self._windows.stop(seconds)
        await self._rounds.stop()

    def site(self, name: str) -> Site:
        """A site by name; see `Openings.site`."""
        return self.openings.site(name)

    # -- who comes ----------------------------------------------------------------------------------------------

    async def admit(
        self, site: str, username: str, password: str, *, captcha_api_key: str | None = None, keep_alive: bool | None = True, live: bool = True
    ) -> Admission:
        """The session of these credentials, live; made by one login when there is none, or when it has ended, however many ask at once.

        Args:
            site: name of a site with a recipe for a login.
            username: of the account.
            password: of it; another than the session was made with has to succeed in a login first, whose session then takes its place.
            captcha_api_key: the account's own key for the service that reads captchas; kept, sealed, for later logins.
            keep_alive: see `Served`; None leaves it as it is, for a new session True.
            live: False leaves a session that is hibernated as it is, for a caller who uses it next, which opens it.

        Raises:
            LoginFailed, ChallengeUnsolved, LoginBudgetSpent: see `Keeper.ensure`.
            PoolFull: no window came free in time.
            LeaseHeld: another program has the profile.
        """
        found = self.site(site)
        profile = profile_for(found.name, username, await asyncio.to_thread(self.vault.password_mark, found.name, username, password))
        wanted = Wanted(profile, found, Given(username, password), self._captcha_solver(captcha_api_key))
        async with self._windows.alone(profile, until=self._until()):
            open_already = self._windows.live.get(profile)
            before = open_already.session if open_already else await asyncio.to_thread(self.vault.session, profile, found.name)
            known = before is not None and await self._was_served(before)  # else a login was made, and nobody has had it yet
            if before is not None and known and open_already is None and not live:
                await asyncio.to_thread(keep_credentials, self.vault, before, password, captcha_api_key, proven=False)
                return Admission(before, await self._serve(before, keep_alive=keep_alive), is_new=False)
            taken = await self._taken(wanted, asked=False)
            try:
                if not known or taken is not open_already or captcha_api_key:
                    proven = before is None or not known or taken.session.logins > before.logins
                    await asyncio.to_thread(keep_credentials, self.vault, taken.session, password, captcha_api_key, proven=proven)
                    for old in () if known else await asyncio.to_thread(supersede, self.vault, taken.session):
                        self.let_go(old.session_id)
                return Admission(taken.session, await self._serve(taken.session, keep_alive=keep_alive), is_new=not known)
            finally:
                self._windows.leave(profile)

    async def _was_served(self, session: Session) -> bool:
        live = self._windows.live.get(session.profile)
        return (live is not None and live.served is not None) or await asyncio.to_thread(self.vault.served, session.session_id) is not None

    async def admit_profile(self, site: str, profile: str) -> Admission:
        """The session of a profile at a site, live: what `signed_in(site, profile=…)` would open.

        Raises:
            LoginRequired: it has ended, or there is none, and no credentials are known; further as `admit`.
        """
        found = self.site(site)
        async with self._windows.alone(profile, until=self._until()):
            before = await asyncio.to_thread(self.vault.session, profile, found.name)
            live = await self._taken(Wanted(profile, found))
            try:
                return Admission(live.session, await self._serve(live.session, keep_alive=None), is_new=before is None)
            finally:
                self._windows.leave(profile)

    def _captcha_solver(self, key: str | None) -> ChallengeSolver | None:
        url = settings_of(self.home).solver_url
        return ServiceSolver(url, api_key=key) if url and key else None

    async def _serve(self, session: Session, *, keep_alive: bool | None) -> Served:
        live = self._windows.live.get(session.profile)
        known = await asyncio.to_thread(self.vault.served, session.session_id) if live is not None else None  # others may have ended it
        if known is None or known.ended_at is not None or keep_alive not in {None, known.keep_alive}:
            known = await asyncio.to_thread(take_on, self.vault, session.session_id, keep_alive=keep_alive)
        if live is not None:
            live.served = known
        self._used.add(session.session_id)
        return known

    async def known(self, session_id: str) -> Session:
        """The facts of a session that may be used.

        Raises:
            SessionNotFound: there is none of this id, or it has ended.
        """
        for live in self._windows.live.values():
            if live.session.session_id == session_id and live.served is not None:
                return live.session
        return await asyncio.to_thread(usable, self.vault, session_id)

    async def session_of_workflow(self, workflow_id: str) -> str:
        """The id of the session in which a workflow waits.

        Raises:
            WorkflowEnded: none of this id waits.
        """
        waiting = await asyncio.to_thread(self.vault.workflow, workflow_id)
        if waiting is None or waiting.ended:
            text = "no workflow of this id waits: it is done, or its time is over; look at the site which, before you begin anew"
            raise WorkflowEnded(text, repeatable=False)
        return waiting.session_id

    # -- what is done -------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def use(self, session_id: str, *, wait: float | None = None) -> AsyncIterator[LiveSession]:
        """A session, live and nobody else's within the block; a hibernated one is revived, one that has ended is brought back by a login.

        Its browser has just answered; if it ends within the block, the caller hears Playwright's own error. Afterwards pages are closed,
        except those in `LiveSession.pages`, and what was set on the context is taken back.

        Args:
            session_id: of it.
            wait: seconds to wait for it, and for a window; by default the setting `queue_seconds`.

        Raises:
            SessionNotFound: see `known`. PoolFull: no window came free in time.
            LoginRequired, LoginFailed, …: it has ended, and could not be brought back.
        """
        session = await self.known(session_id)
        async with self._windows.alone(session.profile, until=self._until(wait)):
            session = await self.known(session_id)  # it may have ended while we waited
            live = await self._taken(Wanted(session.profile, self.site(session.site), Given(session.username)), wait=wait)
            self._used.add(session_id)
            try:
                if live.served is None:
                    live.served = await asyncio.to_thread(self.vault.served, session_id)
                yield live
            finally:
                self._used.add(session_id)
                self._windows.leave_untidy(session.profile)

    async def run(self, session_id: str, operation: Operation, given: Mapping[str, Any], *, workflow_id: str | None = None, evidence: bool = False) -> Outcome:
        """What an operation gives, done in a session.

        It is done again when its browser ended in the middle, or the site had ended the session, as often as the setting `retries`
        says, if it is declared repeatable.

        Args:
            session_id: of the session.
            operation: of its site.
            given: its input, by field.
            workflow_id: of the workflow that goes on.
            evidence: leave a debug bundle.

        Raises:
            OperationError: see there; `repeatable` says whether to call again.
            BrowserGone: the browser ended in the middle, again and again.
        """
        self.counters.operations += 1
        left = self.settings.retries
        while True:
            async with self.use(session_id) as live:
                try:
                    return await self._performed(live, operation, given, workflow_id, evidence=evidence)
                except (BrowserGone, OperationError) as error:
                    if not await self._cut_off(live, error):
                        raise
                    live.unwanted = True
                    if not left or (isinstance(error, OperationError) and not error.repeatable):
                        raise
                    if isinstance(error, OperationError):
                        workflow_id = error.appointment_session_id or workflow_id
            left -= 1
            self.counters.repeated += 1

    async def _performed(self, live: LiveSession, operation: Operation, given: Mapping[str, Any], workflow_id: str | None, *, evidence: bool) -> Outcome:
        from handstamp.operations import perform  # noqa: PLC0415  (an extra)

        seconds = self.settings.operation_seconds
        limit = live.limit(seconds)
        try:
            async with limit:
                with live.unfenced():
                    return await perform(
                        operation, live.site, live.session, live.context, given, vault=self.vault, files=self.files, pages=live.pages,
                        workflow_id=workflow_id, seconds=self.settings.workflow_seconds, evidence=evidence,
                    )  # fmt: skip
        except TimeoutError:
            if not limit.expired():  # one of its own
                raise
            live.unwanted = True
            raise overdue(operation, f"after {seconds:g} s, the setting operation_seconds", gone=live.dead) from None

    async def _cut_off(self, live: LiveSession, error: BrowserGone | OperationError) -> bool:
        """Whether an operation failed because its window, or its session, has ended."""
        if live.dead or isinstance(error, BrowserGone):
            return True
        if error.code != "operation-failed":
            return False
        if not error.repeatable:  # nothing must come between this error and its caller; who comes next asks
            live.checked_at = float("-inf")
            return False
        try:
            return not await self.openings.is_valid(live, trust=0.0, asked=True)
        except HandstampError as trouble:
            _log.warning("whether %s still stands could not be found out: %s", live.session.session_id, trouble)
            return False

    async def check(self, session_id: str) -> Verdict:
        """How a session stands, asked of the site over plain HTTP, beside whoever uses it.

        Raises:
            SessionNotFound: see `known`. ConfigError: its site has no check.
        """
        session = await self.known(session_id)
        return await engine().call(self.openings.keeper().check(self.site(session.site), session.profile, by_browser=False))

    async def hibernate(self, session_id: str) -> bool:
        """Close the window of a session as soon as nobody uses it; False when it has none here."""
        return self._windows.hibernate((await self.known(session_id)).profile)

    async def end(self, session_id: str, *, forget: bool = False) -> bool:
        """End a session for those who use servers: its id is not taken any more, its window closes, nobody keeps it alive.

        It stays in the vault, and whoever comes with its credentials is back in without a login.

        Args:
            session_id: of it.
            forget: remove it from the vault as well, with the credentials that were kept for it; also one that has ended before.

        Returns:
            Whether it was live here.

        Raises:
            SessionNotFound: see `known`. PoolFull: it is in use, and did not come free in time.
        """
        session = await (asyncio.to_thread(there, self.vault, session_id) if forget else self.known(session_id))
        async with self._windows.alone(session.profile, until=(until := self._until())):
            was_live = await self._windows.shut(session.profile, until=until)
            if forget:
                await asyncio.to_thread(forget_account, self.vault, session, domains=self._domains(session.site))
            await asyncio.to_thread(self.vault.end_served, session_id)
            self.let_go(session_id)
        return was_live

    def _domains(self, site: str) -> tuple[str, ...]:
        """Those of a site; of one whose recipe is not here any more, its name."""
        try:
            return tuple(self.site(site).domains)
        except ConfigError:
            return (site,)

    # -- how it stands ------------------------------------------------------------------------------------------

    async def listed(self) -> list[Listed]:
        """The sessions that servers have, the oldest first."""
        served = await asyncio.to_thread(self.vault.served_sessions)
        now = datetime.now(UTC)
        return [self._listed(one, now) for one in served]

    def _listed(self, one: ServedSession, now: datetime) -> Listed:
        live = self._windows.live.get(one.profile)
        here = live is not None and live.session.session_id == one.served.session_id
        return Listed(
            one.served.session_id,
            one.profile,
            one.username,
            one.site,
            keep_alive=one.served.keep_alive,
            created_at=one.served.served_at,
            last_used=now if one.served.session_id in self._used else one.served.used_at,
            age_seconds=max(0.0, (now - one.served.served_at).total_seconds()),
            last_refresh=one.last_verified,
            health=one.health,
            state="live" if here else "hibernated",
            in_use=here and self._windows.busy(one.profile),
        )

    def facts(self) -> PoolFacts:
        """How the pool stands now."""
        board = self._windows.board
        busy = sum(self._windows.busy(key) for key in self._windows.live)
        return PoolFacts(board.taken, busy, board.waiting, board.capacity, self._rounds.memory_mb, replace(self.counters))

    def _until(self, wait: float | None = None) -> float:
        return asyncio.get_running_loop().time() + (self.settings.queue_seconds if wait is None else wait)

    async def _taken(self, wanted: Wanted, *, wait: float | None = None, trust: float | None = None, asked: bool = True) -> LiveSession:
        """The window of a session, whose turn the caller has; `leave` ends its use."""
        until = self._until(wait)
        valid = partial(self.openings.is_valid, trust=self.settings.trust_seconds if trust is None else trust, asked=asked)
        return await self._windows.take(
            wanted.profile, wanted.site, partial(self.openings.ready, wanted), partial(self.openings.open, wanted, until=until), until=until, valid=valid
        )

    # -- for the rounds -----------------------------------------------------------------------------------------

    def taken_note_of(self) -> set[str]:
        """The ids that were asked for since the last call, or are in use."""
        used, self._used = self._used, set()
        return used | {live.session.session_id for profile, live in self._windows.live.items() if self._windows.busy(profile)}

    def let_go(self, session_id: str) -> None:
        """A session has ended elsewhere, or by its time: its window closes as soon as nobody uses it."""
        for profile, live in list(self._windows.live.items()):
            if live.session.session_id == session_id:
                live.served = None
                self._windows.hibernate(profile)

    async def refresh(self, profile: str) -> bool:
        """Look at a live session that nobody uses, and bring it back when it has ended; False when there was nothing to do.

        One that is about to close, such as one that has just ended by its time, is not opened again for that.
        """
        live = self._windows.live.get(profile)
        if live is None or not self._windows.rests(profile):
            return False
        async with self._windows.alone(profile, until=self._until(1.0)):
            if self._windows.live.get(profile) is not live:
                return False
            logins = live.session.logins
            again = await self._taken(Wanted(profile, live.site, Given(live.session.username)), trust=0.0)
            self.counters.brought_back += again.session.logins > logins
            self._windows.leave(profile)
            return True
