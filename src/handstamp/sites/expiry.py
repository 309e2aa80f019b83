"""What the saved state alone tells: has the login ended, and when will it?"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from handstamp.sites.bearer import bearer_token
from handstamp.sites.conditions import fits
from handstamp.sites.verdict import Evidence, Verdict
from handstamp.state import Health, cookie_belongs

if TYPE_CHECKING:
    from handstamp.sites.recipe import Recipe
    from handstamp.state import Cookie, StorageState

CLOCK_SKEW = 60.0
"""Seconds by which clocks may differ before a token counts as ended (RFC 7519 §4.1.4 allows some)."""


def expiry_evidence(state: StorageState, recipe: Recipe, now: datetime, *, logged_in_at: datetime | None = None) -> Verdict | None:
    """`EXPIRED` when the saved state proves it without asking the site, else None, which says nothing.

    The login is proved to be over when the site's `max_age` has passed since it was made, or when everything that the
    recipe names as carrying it is gone: every auth cookie, and the bearer token (a JWT's `exp` counts). While one of
    them is alive the site may renew the others, so it must be asked.

    Args:
        state: of the profile.
        recipe: of the site.
        now: aware.
        logged_in_at: aware; None when nobody knows.
    """
    rules = recipe.session
    if rules.max_age is not None and logged_in_at is not None and logged_in_at + timedelta(seconds=rules.max_age) <= now:
        return _expired("max-age", f"the login was made at {logged_in_at:%Y-%m-%d %H:%M}Z and lasts {rules.max_age:.0f} s at '{recipe.name}'", now)
    if not rules.auth_cookies and rules.bearer is None:
        return None
    alive = [cookie for cookie in auth_cookies(state, recipe) if not cookie.expired(now.timestamp())]
    token = bearer_token(state, recipe, now=now)
    if alive or (token and not _ended(token, now)):
        return None
    named = ", ".join(f"cookie {name}" for name in rules.auth_cookies) or "the bearer token"
    return _expired("carriers-gone", f"what carries the login at '{recipe.name}' ({named}) is gone or has ended", now)


def auth_cookies(state: StorageState, recipe: Recipe) -> list[Cookie]:
    """The saved cookies of the site that carry the login by the recipe's word, ended ones included."""
    ours = (cookie for cookie in state.cookies() if any(cookie_belongs(cookie.key, domain) for domain in recipe.domains))
    return [cookie for cookie in ours if any(fits(pattern, cookie.name) for pattern in recipe.session.auth_cookies)]


def login_ends_at(state: StorageState, recipe: Recipe, *, logged_in_at: datetime | None = None) -> datetime | None:
    """When the login will end at the latest, as far as the saved state and the recipe tell: the earliest of the auth cookies' ends and `max_age`."""
    ends = [datetime.fromtimestamp(cookie.expires, UTC) for cookie in auth_cookies(state, recipe) if cookie.expires is not None]
    if recipe.session.max_age is not None and logged_in_at is not None:
        ends.append(logged_in_at + timedelta(seconds=recipe.session.max_age))
    return min(ends, default=None)


def jwt_expiry(token: str) -> datetime | None:
    """The `exp` of a JWT; None for other tokens. The signature is not looked at: it is the site's business."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return datetime.fromtimestamp(float(claims["exp"]), UTC)
    except (ValueError, TypeError, KeyError, OverflowError, OSError, RecursionError):
        return None


def _ended(token: str, now: datetime) -> bool:
    end = jwt_expiry(token)
    return end is not None and end + timedelta(seconds=CLOCK_SKEW) <= now


def _expired(rule: str, text: str, now: datetime) -> Verdict:
    return Verdict(Health.EXPIRED, (Evidence("state", rule, text, now),))
