"""When is a session looked at next, and why then? Decided over values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from handstamp.keeper.survival import FEWEST_DEATHS, Curve
from handstamp.state import Health

if TYPE_CHECKING:
    from datetime import datetime

    from handstamp.sites import Verdict
    from handstamp.state import Session

JITTER = 0.1
"""Share of the interval by which a turn may come early, so that sessions saved together are not looked at together."""
MARGIN = 0.02
"""Share of a login's likely age, at most a minute, by which the look comes before its likely end."""
HOPELESS_SECONDS = 3600.0
"""Between looks at a session that only a person can bring back."""


@dataclass(frozen=True, slots=True)
class Plan:
    """When, and why then."""

    at: datetime
    why: str


def regular(now: datetime, *, every: float, chance: float, why: str = "regular") -> Plan:
    """After the interval, a little early; `chance` is 0 to 1."""
    return Plan(now + timedelta(seconds=every * (1 - JITTER * chance)), why)


def planned(now: datetime, session: Session, verdict: Verdict, *, every: float, curve: Curve | None = None, chance: float = 0.0) -> Plan:
    """The next look at a session after a verdict.

    Args:
        now: aware.
        session: as it is after the verdict.
        verdict: of the look that was just made.
        every: seconds between looks, by the site's recipe.
        curve: of the site's logins; None when there is none.
        chance: 0 to 1, spreads the looks.
    """
    if verdict.health is Health.VALID:
        usual = regular(now, every=every, chance=chance)
        return _before_likely_end(now, session, usual, curve) or usual
    if verdict.health is Health.UNKNOWN or (verdict.health is Health.BLOCKED and verdict.until is not None):
        later = regular(now, every=every, chance=chance, why=f"{verdict.health.value}: {verdict.text}")
        return later if verdict.until is None or verdict.until <= later.at else Plan(verdict.until, later.why)
    return regular(now, every=max(every, HOPELESS_SECONDS), chance=chance, why=f"{verdict.health.value}, and only a person can bring it back")


def _before_likely_end(now: datetime, session: Session, usual: Plan, curve: Curve | None) -> Plan | None:
    """A look just before the login is likely to end, when that comes sooner than the usual one."""
    if session.logged_in_at is None or curve is None or curve.ended < FEWEST_DEATHS:
        return None
    age = (now - session.logged_in_at).total_seconds()
    end = curve.likely_end(age)
    if end is None:
        return None
    at = session.logged_in_at + timedelta(seconds=end - min(60.0, end * MARGIN))
    if not now < at < usual.at:
        return None
    why = f"likely to end: of {curve.lives} logins at {session.site}, {curve.ended} of them over, half of those as old as this one end by {duration(end)}"
    return Plan(at, why)


def duration(seconds: float) -> str:
    """For people: ``45 s``, ``12 min``, ``7.5 h``, ``3.2 d``."""
    for size, unit in ((86_400.0, "d"), (3600.0, "h")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"
