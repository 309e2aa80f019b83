"""Opening sessions for the pool, and telling whether one that is open is still good."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handstamp._signed_in import Order, engine
from handstamp.errors import BrowserGone, PoolFull, SessionNotFound, SiteUnknown
from handstamp.keeper import Given, Keeper
from handstamp.pool.live import LiveSession
from handstamp.sites import find_site, list_sites
from handstamp.state import Health

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from handstamp.pool.settings import PoolSettings
    from handstamp.pool.values import Counters
    from handstamp.sites import ChallengeSolver, Site
    from handstamp.state import Session
    from handstamp.vault import Vault

_LEAST_WAIT = 5.0  # seconds for another server to let go of a session, after a login that took all the time
_ASKED_AGAIN = 10.0  # seconds until a site that did not say is asked again: each question waits as long as that for its answer


@dataclass(frozen=True, slots=True)
class Wanted:
    """A session that is to be live.

    Args:
        profile: the jar of state.
        site: where.
        given: credentials of the caller, for a login.
        solver: who answers what the site asks then.
    """

    profile: str
    site: Site
    given: Given = Given()
    solver: ChallengeSolver | None = None


class Openings:
    """Opens what is wanted.

    Args:
        vault: where the sessions are.
        settings: of the pool.
        counters: of the pool.
        home: where recipes are.
        solver: who answers what sites ask, where the caller brings nobody.
    """

    def __init__(self, vault: Vault, settings: PoolSettings, counters: Counters, *, home: Path, solver: ChallengeSolver | None) -> None:
        self._vault = vault
        self._settings = settings
        self._counters = counters
        self._home = home
        self._solver = solver
        self._sites: dict[str, Site] = {}
        self._addresses: dict[str, str] = {}  # by which sites without recipe are found, by name
        self._logins = asyncio.Semaphore(settings.max_sessions)

    def site(self, name: str) -> Site:
        """A site by name, as it was when it was first asked for. Names only: a caller must not point a login at a file or a URL.

        Raises:
            SiteUnknown: none of the sites here has this name. RecipeInvalid: see `find_site`.
        """
        if name not in self._sites:
            known = [one.name for one in list_sites(home=self._home)]
            if name not in known:
                raise SiteUnknown(f"there is no site of this name here; there are {', '.join(known)}")
            self._sites[name] = find_site(name, home=self._home)
        return self._sites[name]

    def site_at(self, url: str) -> Site:
        """The site at a URL; one without recipe can be asked for by its name from now on. Nobody logs in there: it has no login.

        A name does not say of which scheme it is: a caller who asks for ``http`` takes nobody else's ``https`` away.

        Raises:
            RecipeInvalid: `url` is none. SiteUnknown: another site has the name that it would get.
        """
        found = find_site(url, home=self._home)
        if found.recipe.login is not None or found.name in {one.name for one in list_sites(home=self._home)}:
            return self.site(found.name)
        if found.name not in self._addresses or found.base_url.startswith("https://"):
            self._addresses[found.name], self._sites[found.name] = found.base_url, found
        return found

    def keeper(self, solver: ChallengeSolver | None = None) -> Keeper:
        """One that checks and logs in for this pool."""
        return Keeper(engine(), self._vault, solver=solver or self._solver, gate=self._one_of_the_logins)

    @asynccontextmanager
    async def _one_of_the_logins(self) -> AsyncIterator[None]:
        """On the engine's loop: not more logins at once than windows, however long sites let them wait for answers."""
        try:
            async with asyncio.timeout(self._settings.queue_seconds):
                await self._logins.acquire()
        except TimeoutError:
            raise PoolFull("as many logins as there may be are under way, and none came to its end in time; ask again", retry_after=10.0) from None
        try:
            yield
        finally:
            self._logins.release()

    async def ready(self, wanted: Wanted) -> None:
        """Make sure of the login, without a window: what a site asks then may take minutes.

        Raises:
            LoginRequired, LoginFailed, ChallengeUnsolved, LoginBudgetSpent: see `Keeper.ensure`.
            PoolFull: too many logins are under way.
        """
        before = await asyncio.to_thread(self._vault.session, wanted.profile, wanted.site.name)
        session = await engine().call(self.keeper(wanted.solver).ensure(wanted.site, wanted.profile, wanted.given))
        made = (session.logins if session else 0) - (before.logins if before else 0)
        self._counters.logins += made
        self._counters.revived += before is not None and not made

    async def open(self, wanted: Wanted, died: Callable[[], None], *, until: float) -> LiveSession:
        """Open what is ready.

        Args:
            wanted: what.
            died: called when its browser ends by itself.
            until: how long to wait for another program that has the profile, by the loop's clock.
        """
        wait = max(_LEAST_WAIT, until - asyncio.get_running_loop().time())
        apart = wanted.profile if self._settings.isolation == "session" else ""
        order = Order(
            self._addresses.get(wanted.site.name, wanted.site.name), wanted.profile, wanted.given, vault=self._vault, wait=wait, apart=apart, checked=True
        )
        try:
            live = await LiveSession.open(wanted.site, order, died=died)
        except BrowserGone:  # it ended just then; there is another by now
            live = await LiveSession.open(wanted.site, order, died=died)
        try:
            live.session = await asyncio.to_thread(self._session, wanted)
        except BaseException:
            await asyncio.shield(live.close())
            raise
        return live

    def _session(self, wanted: Wanted) -> Session:
        session = self._vault.session(wanted.profile, wanted.site.name)
        if session is None:
            raise SessionNotFound(f"{wanted.site.name} in profile '{wanted.profile}' was forgotten while it was opened; ask again")
        return session

    async def is_valid(self, live: LiveSession, *, trust: float, asked: bool = False) -> bool:
        """Whether a live session may be used as it is: it was valid a moment ago, or is not known to have ended.

        Args:
            live: whose turn the caller has.
            trust: for how many seconds the last answer counts.
            asked: its browser is asked first if it is there; who does nothing in it need not know.
        """
        if asked and not await live.answers():
            return False
        now = asyncio.get_running_loop().time()
        if not live.site.can_check or now - live.checked_at < trust or (trust and now - live.unanswered_at < _ASKED_AGAIN):
            return True
        verdict = await engine().call(self.keeper().check(live.site, live.session.profile, by_browser=False, lease=live.lease))
        if verdict.health is Health.EXPIRED or verdict.renewed:  # its pages have the old token, and would spend the old refresh token
            return False
        if verdict.health is Health.VALID:
            live.checked_at = now
            live.session = await asyncio.to_thread(self._vault.session_by_id, live.session.session_id)
        else:
            live.unanswered_at = asyncio.get_running_loop().time()
        return True
