"""The check in a browser: dearer than plain HTTP, and sees what scripts make of the page."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from handstamp.http.observation import Observation, bare_url
from handstamp.sites.judge import judge
from handstamp.sites.page_token import bear_token
from handstamp.sites.page_watch import PageWatch
from handstamp.sites.playwright_errors import failure_of, page_error, raise_if_gone
from handstamp.state import Health

if TYPE_CHECKING:
    from playwright.async_api import Page

    from handstamp.sites.recipe import Check, Recipe
    from handstamp.sites.verdict import Verdict

_LOOK_AGAIN = 0.1
_SURE_AFTER = 0.5
"""Seconds without news before a page that looks logged out is believed: many draw that first and the person later."""
_GIVE_UP_AFTER = 5.0
"""Seconds without news before a page that fits nothing is taken as it is: large applications start for seconds without asking for anything."""


async def check_in_page(recipe: Recipe, page: Page, *, timeout: float = 10.0) -> Verdict:
    """Goes to the recipe's check in `page` and judges what is seen there.

    Args:
        recipe: one without a check gives `UNKNOWN` and leaves the page where it is.
        page: Playwright's, async, in the session's context.
        timeout: seconds to wait for the answer, and again for a document that its scripts still write.

    Raises:
        BrowserGone: the page or its browser was closed.
        RecipeInvalid: a selector in the check cannot be read.
    """
    if recipe.check is None:
        return judge(Observation(recipe.base_url, datetime.now(UTC)), recipe, by="browser")
    url = urljoin(recipe.base_url, recipe.check.url)
    with PageWatch(page) as watch:
        await bear_token(recipe, page, url)
        try:
            await page.goto(url, wait_until="domcontentloaded", timeout=timeout * 1000)
        except page_error() as error:
            raise_if_gone(error, page)
            # A script that moves on at once interrupts our navigation; what it leads to is as good an answer.
            if "interrupted" not in str(error):
                failure, name = failure_of(error)
                seen = Observation(url, datetime.now(UTC), final_url=url, failure=failure, detail=f"{bare_url(url)}: {name}")
                return judge(seen, recipe, by="browser")
        return await _settled(recipe, recipe.check, watch, url, timeout=timeout)


async def _settled(recipe: Recipe, check: Check, watch: PageWatch, url: str, *, timeout: float) -> Verdict:
    """The verdict as soon as there is one that will stay."""
    selectors = _selectors(check)
    deadline = time.monotonic() + timeout
    while True:
        documents = watch.documents
        verdict = judge(await watch.observe(url, selectors), recipe, by="browser")
        if watch.documents == documents and _final(verdict, watch):
            return verdict
        if time.monotonic() >= deadline:
            return verdict
        await asyncio.sleep(_LOOK_AGAIN)


def _final(verdict: Verdict, watch: PageWatch) -> bool:
    """Whether waiting cannot change it: scripts may still log in, finish a sign-on, or write what was looked for."""
    rule = verdict.evidence[-1].rule
    if rule in {"neither", "off-site", "contradiction", "captcha", "no-answer"}:
        return watch.quiet_for() >= _GIVE_UP_AFTER
    return verdict.health is not Health.EXPIRED or watch.quiet_for() >= _SURE_AFTER


def _selectors(check: Check) -> set[str]:
    conditions = (*check.logged_in, *check.logged_out, *check.challenged, *check.blocked)
    return {selector for condition in conditions for selector in condition.selector}
