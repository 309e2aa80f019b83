"""The sentences of a login that ends early: what happened, where, what to do. No secret comes near them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from handstamp.errors import ChallengeUnsolved, LoginError, LoginFailed
from handstamp.http.observation import bare_url
from handstamp.sites.credentials import variable
from handstamp.sites.form_moves import Stop
from handstamp.sites.judge import BLOCK_SECONDS, retry_after
from handstamp.state import Health

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handstamp.sites.recipe import ChallengeMarker, Recipe, Step


_UNSENT = "the password had not been typed yet"


def note_unsent(error: BaseException) -> None:
    """Say of what ended a login that it came before the password."""
    error.add_note(_UNSENT)


def may_have_sent(error: BaseException) -> bool:
    """Whether the site may have seen the password when this ended a login; False only where it certainly has not."""
    return _UNSENT not in getattr(error, "__notes__", ()) and (not isinstance(error, LoginError) or error.sent)


def cannot_be_reached(site: str, url: str, reason: str) -> LoginFailed:
    """There is no login page because there is no answer."""
    return LoginFailed(f"'{site}' cannot be reached: {bare_url(url)} ({reason}); try again later, nothing was changed", health=Health.UNKNOWN)


def stopped(reason: Stop, site: str, username: str, url: str, *, status: int | None, headers: Mapping[str, str]) -> LoginFailed:
    """The site answered, and the answer ends the login.

    Args:
        reason: why, but for `Stop.MISSING`, see `step_missing`.
        site: its name.
        username: who wanted in.
        url: of the page.
        status: of its answer.
        headers: of its answer.
    """
    where = f"'{site}' answered {status} at {bare_url(url)}"
    told = retry_after(headers.get("retry-after", ""), now=datetime.now(UTC))
    if reason is Stop.BLOCKED:
        until = told or datetime.now(UTC) + timedelta(seconds=BLOCK_SECONDS)
        return LoginFailed(f"{where}: it does not want a login now; wait until {until:%Y-%m-%d %H:%M:%S}Z", health=Health.BLOCKED, until=until)
    if reason is Stop.TROUBLE:
        problem = "it is in trouble itself" if status and status >= 500 else "its login page is not there"
        return LoginFailed(f"{where}: {problem}; try again later, or correct the recipe; nothing was changed", health=Health.UNKNOWN, until=told)
    return LoginFailed(f"'{site}' refused the login of '{username}'; check user name and password: it was tried once and is not tried again by itself")


def step_missing(recipe: Recipe, step: Step, url: str) -> LoginFailed:
    """The page has not what the recipe says."""
    return LoginFailed(
        f"the login page of '{recipe.name}' at {bare_url(url)} shows no {step.selector} (step {step}); "
        f"it may have changed: correct the recipe{_from(recipe)}, or log in by hand: handstamp login {recipe.name} --by-hand",
        health=Health.UNKNOWN,
    )


def step_refused(recipe: Recipe, step: Step, url: str) -> LoginFailed:
    """The element is there and would not do it."""
    return LoginFailed(
        f"step {step} of the login at '{recipe.name}' could not be done at {bare_url(url)}; "
        f"the page may have changed: correct the recipe{_from(recipe)}, or log in by hand: handstamp login {recipe.name} --by-hand",
        health=Health.UNKNOWN,
    )


def _from(recipe: Recipe) -> str:
    return f" ({recipe.source})" if recipe.source else ""


def strange_page(site: str, step: Step, url: str, *, unsafe: bool) -> LoginFailed:
    """The login led to a page where nothing may be typed."""
    if unsafe:
        return LoginFailed(f"the login of '{site}' led to {bare_url(url)}, which anybody on the way can read; nothing was typed there", health=Health.UNKNOWN)
    return LoginFailed(
        f"the login of '{site}' led to {bare_url(url)}, which is not of its domains, so step {step} was not done; "
        "if that page belongs to it, add its domain to `domains` in the recipe",
        health=Health.UNKNOWN,
    )


def challenge_unsolved(site: str, marker: ChallengeMarker, url: str) -> ChallengeUnsolved:
    """Nobody answers the challenge."""
    return ChallengeUnsolved(
        f"'{site}' shows a challenge ({marker.kind}, {marker.selector}) at {bare_url(url)} and nobody is there to pass it; "
        f"log in by hand: handstamp login {site} --by-hand"
    )


def code_unknown(site: str, username: str) -> ChallengeUnsolved:
    """A one-time code is wanted and there is no secret to make it from."""
    return ChallengeUnsolved(
        f"'{site}' asks '{username}' for a one-time code and no TOTP secret is known; save it with the account's password, or set {variable(site, 'totp')}"
    )
