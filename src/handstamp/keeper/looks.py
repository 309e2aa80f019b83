"""A look over plain HTTP at a session that others use at the same moment: it saves what the site changed, and believes no stale answer.

Where a site gives a new session id with each answer, a look that was sent with the id of a moment ago is refused, and the
refusal says nothing of the session. So `expired` counts only if nobody has brought a newer id meanwhile. And what a look
brings back is stamped right behind what it was sent with: it never lies above what somebody else has saved since, a
deletion least of all.

Where the recipe says how a spent token is renewed, a session is not over while that works: it is tried, once, before `expired` is said.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from handstamp.http import probe
from handstamp.http.carrier import Carrier
from handstamp.keeper.saver import Saver
from handstamp.sites import Evidence, Verdict, expiry_evidence, judge
from handstamp.sites.bearer import bearer_header, bearer_token, origin_of
from handstamp.sites.check import check_by_http, withheld_changes
from handstamp.sites.expiry import auth_cookies
from handstamp.sites.renewal import Renewal, Renewed
from handstamp.sites.verdict import RENEWED
from handstamp.state import Device, Entry, Health, Part, PartId, PartKind, Stamp, StorageState, cookie_scope, merge_states
from handstamp.vault import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from handstamp.http import Transports
    from handstamp.sites import Site
    from handstamp.state import Clock, Cookie, Key, Session
    from handstamp.vault import Lease, Vault

PATIENCE = (0.25, 0.75)
"""Seconds that somebody who got a newer id from the site is given to save it, in steps. A login takes longer than that anyway."""
LONG_PATIENCE = (1.0, 2.0)
"""More of them, where a site has changed its cookies again and again."""
MOST_LOOKS = 20
TURN_WAIT = 60.0
"""Seconds to wait for requests of others, at a site that takes them one at a time."""
_OPEN = frozenset({Standing.ALIVE, Standing.FRESH, Standing.MINE})


@dataclass(frozen=True, slots=True)
class Looking:
    """What looks need.

    Args:
        vault: where the session is.
        clock: stamps cookies that nobody had before.
        transports: connections to use again; by default new ones for each look.
        pause: sleeps so many seconds; for tests.
    """

    vault: Vault
    clock: Clock
    transports: Transports | None = None
    pause: Callable[[float], None] = time.sleep

    def look(self, site: Site, profile: str, session: Session | None, *, lease: Lease | None = None, wake: str = "") -> Verdict | None:
        """How the session stands by what is saved and by plain HTTP; None when nothing is saved of the site. Blocking; see `steps`."""
        steps = self.steps(site, profile, session, lease=lease, wake=wake)
        while True:
            pause, told = advanced(steps)
            if told is not None:
                return told[0]
            self.pause(pause)

    async def alook(self, site: Site, profile: str, session: Session | None, *, lease: Lease | None = None, has_turn: bool = False) -> Verdict | None:
        """The same for an event loop: it works in threads, and holds none while it waits."""
        steps = self.steps(site, profile, session, lease=lease, has_turn=has_turn)
        while True:
            pause, told = await asyncio.to_thread(advanced, steps)
            if told is not None:
                return told[0]
            await asyncio.sleep(pause)

    def steps(
        self, site: Site, profile: str, session: Session | None, *, lease: Lease | None = None, wake: str = "", has_turn: bool = False
    ) -> Generator[float, None, Verdict | None]:
        """A look, as one generator for both: it yields the seconds to wait before it goes on, and returns the verdict.

        Args:
            site: with a check.
            profile: whose.
            session: its facts, if there are any.
            lease: of the caller, for the writes.
            wake: path or URL to ask for first, which keeps the session from going to sleep. What it answers proves no login;
                where it shows that the site is in trouble, that is the verdict.
            has_turn: the caller is an HTTP client whose turn it is; waiting for another would be for ever.
        """
        turn = partial(self._turn, site, profile, held=has_turn)
        if wake:
            with turn():
                if trouble := self._woken(site, profile, session, lease, wake=wake):
                    return trouble
        tried = False
        earlier: Verdict | None = None
        for _ in range(MOST_LOOKS):
            with turn():
                state = self.vault.load(profile, domains=site.domains)
                if not any(part.live() for part in state.parts.values()):
                    return None
                verdict, left = self._once(site, profile, session, state, lease)
                if not tried and renewable(site, verdict):
                    tried, verdict = True, after_renewal(self._renewed(site, profile, session, left, lease), verdict, site)
                    if verdict.renewed:
                        earlier = verdict
                        continue
            if verdict.health is not Health.EXPIRED:
                return verdict.after(earlier)
            for pause in PATIENCE + (LONG_PATIENCE if self._rotates(site, profile, session) else ()):
                yield pause
                if carriers(self.vault.load(profile, domains=site.domains), site) - carriers(left, site):
                    break  # brought by somebody else; what this look itself changed is in `left`
            else:
                return verdict
        return _superseded(site)

    def _renewed(self, site: Site, profile: str, session: Session | None, state: StorageState, lease: Lease | None) -> Renewed:
        """How it comes out to change the token in `state` for a new one, unless somebody else has done it meanwhile.

        Not where another has the profile open: its page renews the token itself, and the site may end the session when both do.
        """
        if lease is None and (info := self.vault.lease_info(profile)) is not None and info.standing in _OPEN:
            return Renewed.REFUSED
        origin = origin_of(site.base_url)
        items = PartId(PartKind.LOCAL, origin)
        cookies = {PartId(PartKind.COOKIES, cookie_scope(domain)) for domain in site.domains}
        saver = Saver(self.vault, profile, site, lease=lease)
        carrier = Carrier(self.vault, profile, clock=self.clock, items=[*cookies, items, PartId(PartKind.SESSION, origin)], save=saver.keep)
        try:
            carrier.look()
            spent = bearer_header(state, site.recipe, now=datetime.now(UTC))
            return Renewal(site, carrier, self.vault, profile, session.device if session else Device(), items=items).renew(spent=spent)
        finally:
            carrier.close()

    def _turn(self, site: Site, profile: str, *, held: bool) -> AbstractContextManager[object]:
        """Where a recipe says that requests go one at a time, none of the HTTP clients' is under way within."""
        if held or not site.recipe.session.in_turn:
            return nullcontext()
        return self.vault.lease(profile, site=f"{site.name} requests", purpose="login", wait=TURN_WAIT)

    def _rotates(self, site: Site, profile: str, session: Session | None) -> bool:
        """Whether the site's cookies were changed again and again since the login: a newer id may then be on its way to the vault."""
        since = (session.logged_in_at if session else None) or datetime.min.replace(tzinfo=UTC)
        ours = {PartId(PartKind.COOKIES, cookie_scope(domain)) for domain in site.domains}
        changed = [version for version in self.vault.history(profile) if version.part in ours and version.written_at > since + timedelta(seconds=5)]
        return len(changed) >= 2

    def _woken(self, site: Site, profile: str, session: Session | None, lease: Lease | None, *, wake: str) -> Verdict | None:
        state, now = self.vault.load(profile, domains=site.domains), datetime.now(UTC)
        if not state or expiry_evidence(state, site.recipe, now, logged_in_at=session.logged_in_at if session else None):
            return None  # the look that follows says so
        device = session.device if session else Device()
        bearer = bearer_header(state, site.recipe, now=now)
        asked = probe(site.url(wake), cookies=state.cookies(), device=device, bearer=bearer, follow=lambda _, __: False, transports=self.transports, now=now)
        verdict = judge(asked.observation, site.recipe)
        withheld = withheld_changes(verdict, asked.observation.status, asked.changes, now=now)
        if changes := changed_by(state, (cookie for cookie in asked.changes if cookie not in withheld), self.clock, now=now):
            Saver(self.vault, profile, site, lease=lease).keep(changes)
        return verdict if verdict.health is Health.BLOCKED or verdict.evidence[-1].rule in {"no-answer", "server-error", "proxy-login"} else None

    def _once(self, site: Site, profile: str, session: Session | None, state: StorageState, lease: Lease | None) -> tuple[Verdict, StorageState]:
        """The verdict, and the state with what the site changed."""
        now = datetime.now(UTC)
        ended = expiry_evidence(state, site.recipe, now, logged_in_at=session.logged_in_at if session else None)
        if ended is not None:
            return ended, state
        looked = check_by_http(site, state, session.device if session else Device(), transports=self.transports)
        changes = changed_by(state, looked.changes, self.clock, now=now)
        if changes:
            Saver(self.vault, profile, site, lease=lease).keep(changes)
        return looked.verdict, merge_states(state, changes)


def renewable(site: Site, verdict: Verdict) -> bool:
    """Whether a new token may help after this verdict: not when its time is over whatever happens."""
    return verdict.health is Health.EXPIRED and site.recipe.session.refresh is not None and verdict.evidence[-1].rule != "max-age"


def advanced(steps: Generator[float, None, Verdict | None]) -> tuple[float, tuple[Verdict | None] | None]:
    """Seconds to wait, or the verdict in a tuple of its own."""
    try:
        return next(steps), None
    except StopIteration as end:
        return 0.0, (end.value,)


def carriers(state: StorageState, site: Site) -> frozenset[str]:
    """What carries the login: the auth cookies and the token by the recipe's word, else every live cookie of the site."""
    now = datetime.now(UTC)
    rules = site.recipe.session
    if not rules.auth_cookies and rules.bearer is None:
        return frozenset(cookie.value for cookie in state.cookies() if site.covers(cookie.domain.lstrip(".")) and not cookie.expired(now.timestamp()))
    token = bearer_token(state, site.recipe, now=now)
    return frozenset(cookie.value for cookie in auth_cookies(state, site.recipe) if not cookie.expired(now.timestamp())) | ({token} if token else set())


def changed_by(state: StorageState, cookies: Iterable[Cookie], clock: Clock, *, now: datetime) -> StorageState:
    """Cookies that answers set (an ended one is a deletion) as changes of the `state` that the requests were made with.

    A new value is stamped right behind the one that it follows, a deletion with the very stamp of what it deletes, which
    lets it win over that and over nothing later.
    """
    changed: dict[PartId, dict[Key, Entry]] = {}
    for cookie in cookies:
        part_id = PartId(PartKind.COOKIES, cookie_scope(cookie.domain))
        known = state.parts[part_id].entries.get(cookie.key) if part_id in state.parts else None
        gone = cookie.expired(now.timestamp())
        if known is None and not gone:
            entry = Entry(cookie, clock.stamp())
        elif known is not None and gone and not known.deleted:
            entry = Entry(None, known.stamp)
        elif known is not None and not gone and known.value != cookie:
            entry = Entry(cookie, Stamp(known.stamp.time, known.stamp.counter + 1, clock.writer))
        else:
            continue
        changed.setdefault(part_id, {})[cookie.key] = entry
    return StorageState.of([Part(part_id, entries) for part_id, entries in changed.items()], epoch=state.epoch)


def after_renewal(renewed: Renewed, verdict: Verdict, site: Site) -> Verdict:
    """What is known after it: with a new token nothing yet, and where nobody can tell nothing either."""
    if renewed is Renewed.REFUSED:
        return verdict
    if renewed is Renewed.DONE:
        rule, words = RENEWED, f"the token at '{site.name}' was spent, and there is a new one"
    else:
        rule, words = "not-renewed", f"the token at '{site.name}' is spent, and whether it can be renewed nobody can tell: no answer, or the site is in trouble"
    return Verdict(Health.UNKNOWN, (Evidence("http", rule, words, datetime.now(UTC)),)).after(verdict)


def _superseded(site: Site) -> Verdict:
    words = f"others changed the session at '{site.name}' {MOST_LOOKS} times while it was looked at, so the answers tell nothing"
    return Verdict(Health.UNKNOWN, (Evidence("http", "superseded", words, datetime.now(UTC)),))
