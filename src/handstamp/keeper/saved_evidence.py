"""What can be said of a session from what is saved of it and when it was last looked at. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from handstamp.sites import Evidence, Verdict, expiry_evidence
from handstamp.state import Health, live_entries

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from handstamp.sites import Site
    from handstamp.state import Cookie, Session, StorageState

_DAY = 86_400.0


def verdict_by_state(site: Site, state: StorageState, session: Session | None, now: datetime) -> Verdict:
    """How a session stands at a site that cannot be asked.

    `EXPIRED` is proved (see `expiry_evidence`), or nothing is left that could carry a login. `VALID` is as much as can be
    known: somebody said that this was a login, and no cookie of it has ended since. Else nobody knows.

    Args:
        site: maybe without a recipe.
        state: saved of it.
        session: its facts.
        now: aware.
    """
    logged_in_at = session.logged_in_at if session else None
    if (proved := expiry_evidence(state, site.recipe, now, logged_in_at=logged_in_at)) is not None:
        return proved
    cookies = state.cookies()
    ended = [cookie for cookie in cookies if cookie.expired(now.timestamp())]
    if live_entries(state) == len(ended):
        return _verdict(Health.EXPIRED, "nothing-alive", f"nothing that is saved of {site.name} is alive", now)
    if logged_in_at is None:
        return _verdict(Health.UNKNOWN, "no-login-known", f"nobody has said that what is saved of {site.name} is a login, and there is no check", now)
    if ended and len(ended) == len(cookies):
        return _verdict(Health.UNKNOWN, "cookies-ended", f"all cookies of {site.name} have ended; what else is saved may be a login or not", now)
    return _verdict(Health.VALID, "cookies-alive", f"what was saved at the login at {site.name} is still alive", now)


def verdict_by_word(health: Health, now: datetime) -> Verdict:
    """What the program's own check said."""
    return _verdict(health, "own-check", f"the program's own check says {health.value}", now)


def _verdict(health: Health, rule: str, text: str, now: datetime) -> Verdict:
    return Verdict(health, (Evidence("state", rule, text, now),))


def due(session: Session, now: datetime, *, interval: float) -> bool:
    """Whether a session should be looked at: somebody said so, it is known to be over, or the last look is `interval` seconds old (0: never by age)."""
    if session.needs_refresh or session.health is Health.EXPIRED:
        return True
    return interval > 0 and (session.last_verified is None or session.last_verified + timedelta(seconds=interval) <= now)


def ending_soon(cookies: Iterable[Cookie], now: datetime, *, days: float) -> list[tuple[str, float]]:
    """Names of cookies that end within so many days, with the days left; the first to end first."""
    left = [(cookie.name, (cookie.expires - now.timestamp()) / _DAY) for cookie in cookies if cookie.expires is not None]
    return sorted(((name, rest) for name, rest in left if 0 < rest <= days), key=lambda item: item[1])
