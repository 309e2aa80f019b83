"""All that the stand-in sites remember in one run: accounts, sessions, counts, knobs, and the clock they live by."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from handstamp.demo.accounts import Accounts
from handstamp.demo.knobs import InterpalsKnobs, PortsideKnobs, SiteName
from handstamp.demo.limits import Attempts, Lockouts
from handstamp.demo.portside.appointments import Appointments
from handstamp.demo.portside.drafts import Drafts
from handstamp.demo.portside.presessions import Presessions
from handstamp.demo.sessions import Sessions
from handstamp.demo.tally import Tally
from handstamp.demo.tokens import Tokens
from handstamp.demo.totp import UsedCodes

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.demo.tally import SiteStats

SIGN_INS_KEPT = 6


class SiteClock:
    """Seconds that only grow, and that a test may move on without waiting."""

    def __init__(self, base: Callable[[], float] = time.monotonic) -> None:
        self._base = base
        self._ahead = 0.0

    def now(self) -> float:
        """Seconds from an arbitrary start."""
        return self._base() + self._ahead

    def advance(self, seconds: float) -> None:
        """From now on it is this much later for sessions, tokens and locks. One-time codes keep to the wall clock."""
        self._ahead += seconds


@dataclass(frozen=True, slots=True)
class SignIn:
    """One line of the account page's list of sign-ins."""

    at: datetime
    browser: str


@dataclass(slots=True)
class Portside:
    """State of the container terminal's portal."""

    knobs: PortsideKnobs
    accounts: Accounts
    sessions: Sessions
    tokens: Tokens
    presessions: Presessions
    lockouts: Lockouts
    drafts: Drafts
    appointments: Appointments = field(default_factory=Appointments)
    used_codes: UsedCodes = field(default_factory=UsedCodes)
    tally: Tally = field(default_factory=Tally)
    sign_ins: dict[str, deque[SignIn]] = field(default_factory=dict)

    def note_sign_in(self, username: str, browser: str) -> None:
        """Put it on top of the account's list of sign-ins."""
        self.sign_ins.setdefault(username, deque(maxlen=SIGN_INS_KEPT)).appendleft(SignIn(datetime.now(UTC), browser))

    def stats(self) -> SiteStats:
        """All counts now."""
        return _stats(self)


@dataclass(slots=True)
class Interpals:
    """State of the account service."""

    knobs: InterpalsKnobs
    accounts: Accounts
    sessions: Sessions
    attempts: Attempts
    tally: Tally = field(default_factory=Tally)

    def stats(self) -> SiteStats:
        """All counts now."""
        return _stats(self)


def _stats(site: Portside | Interpals) -> SiteStats:
    alive = Counter(session.username for session in site.sessions.alive(knobs=site.knobs))
    return site.tally.stats(alive=alive, ended=site.sessions.ended)


class World:
    """Both sites with the knobs they started with.

    Args:
        portside: knobs of portside, also after each reset.
        interpals: knobs of interpals, likewise.
    """

    def __init__(self, *, portside: PortsideKnobs | None = None, interpals: InterpalsKnobs | None = None) -> None:
        self._first_portside = portside or PortsideKnobs()
        self._first_interpals = interpals or InterpalsKnobs()
        self.reset()

    def reset(self) -> None:
        """As at the start: knobs, accounts, clock; no session, no count."""
        self.clock, self.accounts = SiteClock(), Accounts()
        now = self.clock.now
        self.portside = Portside(self._first_portside, self.accounts, Sessions(now), Tokens(now), Presessions(now), Lockouts(now), Drafts(now))
        self.interpals = Interpals(self._first_interpals, self.accounts, Sessions(now), Attempts(now))

    def site(self, name: SiteName) -> Portside | Interpals:
        """The state of one site."""
        return self.portside if name == "portside" else self.interpals
