"""A whole login: the site's own way in, then a look whether it worked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handstamp.errors import ChallengeUnsolved, LoginFailed
from handstamp.sites.page_watch import PageWatch
from handstamp.sites.playwright_errors import page_error, raise_if_gone
from handstamp.sites.token_wait import wait_for_token
from handstamp.state import Health

if TYPE_CHECKING:
    from datetime import datetime

    from playwright.async_api import Page

    from handstamp.sites.challenge import ChallengeSolver
    from handstamp.sites.credentials import Credentials
    from handstamp.sites.site import Site
    from handstamp.sites.verdict import Verdict


@dataclass(frozen=True, slots=True)
class LoginOutcome:
    """A login that the site took.

    Args:
        username: who is in.
        verdict: of the check after it; `UNKNOWN` only where the site has no check.
    """

    username: str
    verdict: Verdict

    @property
    def at(self) -> datetime:
        """When it was confirmed, UTC."""
        return self.verdict.evidence[-1].at


async def run_login(site: Site, page: Page, credentials: Credentials, *, timeout: float = 30.0, solver: ChallengeSolver | None = None) -> LoginOutcome:
    """Logs in on `page`, once, and confirms it by the site's check in the same browser.

    Args:
        site: whose recipe, or own `login`, is used.
        page: Playwright's, async, in a context of the session.
        credentials: of the account; nothing of them is in any error or log but the user name.
        timeout: seconds for each thing to wait for.
        solver: who answers challenges; None when nobody does.

    Raises:
        LoginRequired: the site has no way to log in by itself.
        LoginFailed: the site did not let us in; its `health` says what that means for the session.
        ChallengeUnsolved: the site asks for something that nobody answers.
        BrowserGone: the page or its browser was closed.
    """
    problem = ""
    try:
        await site.login(page, credentials, timeout=timeout, solver=solver)
    except page_error() as error:  # a site's own login that hands Playwright's errors on
        raise_if_gone(error, page)
        problem = _blanked(str(error).partition("\n")[0], credentials)
    if problem:
        raise LoginFailed(f"the login of '{site.name}' stopped: {problem}", health=Health.UNKNOWN)
    with PageWatch(page) as watch:
        verdict = await site.check(page)
        if verdict.health is Health.VALID:
            await wait_for_token(site.recipe, page, watch)
    if verdict.health is Health.VALID or not site.can_check:
        return LoginOutcome(credentials.username, verdict)
    raise _unconfirmed(site, credentials, verdict)


def _blanked(text: str, credentials: Credentials) -> str:
    for secret in (credentials.password, credentials.totp):
        text = text.replace(secret, "•••") if secret else text
    return text


def _unconfirmed(site: Site, credentials: Credentials, verdict: Verdict) -> LoginFailed | ChallengeUnsolved:
    """The error for a login whose check does not say that it worked."""
    if verdict.health is Health.CHALLENGED:
        by_hand = f"log in by hand: handstamp login {site.name} --by-hand"
        return ChallengeUnsolved(f"'{site.name}' wants to see a person after the login: {verdict.text}; {by_hand}")
    if verdict.health is Health.EXPIRED:
        return LoginFailed(f"'{site.name}' did not let '{credentials.username}' in: {verdict.text}; check user name and password, it was tried once")
    problem = f"the login of '{credentials.username}' at '{site.name}' could not be confirmed: {verdict.text}"
    return LoginFailed(problem, health=verdict.health, until=verdict.until)
