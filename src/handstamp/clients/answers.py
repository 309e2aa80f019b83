"""What one answer says about the login, by the recipe's check. Pure.

Most answers say nothing: whether one is worth judging is told from its status and headers, without a look at its body.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urldefrag, urljoin

from handstamp.http.observation import Observation
from handstamp.sites import judge
from handstamp.state import Health

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from handstamp.sites import Check, Condition, Recipe, Verdict

_TELLING = frozenset({401, 403, 423})
_FOR_A_PERSON = frozenset({"recipe-challenged", "bot-check"})
_HTML = ("text/html", "application/xhtml+xml")


class Answers:
    """How one site's answers are read.

    Args:
        recipe: of the site.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        conditions = _telling(recipe.check) if recipe.check else ()
        self._plain = [condition for condition in conditions if not condition.redirect and _fits_success(condition)]
        self.reads_body = any(condition.text or condition.json for condition in conditions)

    def worth_judging(self, status: int, headers: Mapping[str, str], *, redirected: bool) -> bool:
        """Whether an answer can be one of somebody who is not logged in."""
        if self.recipe.check is None:
            return False
        if status in _TELLING or redirected or status in {301, 302, 303, 307, 308} or "cf-mitigated" in headers:
            return True
        return bool(self._plain) and status < 400

    def wants_body(self, headers: Mapping[str, str]) -> bool:
        """Whether the verdict on an answer that comes as a stream takes a look at its text: pages only, never a download."""
        return self.reads_body and headers.get("content-type", "").startswith(_HTML)

    def verdict(
        self, url: str, final_url: str, status: int, headers: Mapping[str, str], *, redirects: Sequence[str], body: Callable[[], str], cookies: frozenset[str]
    ) -> Verdict:
        """The verdict on an answer, by the same table as that of a check.

        Args:
            url: that was asked for.
            final_url: that answered.
            status: of the answer.
            headers: of it, names in lower case.
            redirects: where answers pointed, in order.
            body: gives its text.
            cookies: names of those that go to `final_url`.
        """
        text = body() if self.reads_body or status >= 400 else ""
        seen = Observation(url, datetime.now(UTC), final_url, status, headers, text, tuple(redirects), cookies)
        return judge(seen, self.recipe)


def for_a_person(verdict: Verdict, status: int) -> bool:
    """Whether somebody has to prove something before the site goes on. A captcha on a page that answers is that page's own."""
    rule = verdict.evidence[-1].rule
    return verdict.health is Health.CHALLENGED and (rule in _FOR_A_PERSON or status >= 400)


def pointed_to(url: str, headers: Mapping[str, str], status: int) -> list[str]:
    """Where an answer points, as a list of one or none."""
    location = headers.get("location")
    if not location or status not in {301, 302, 303, 307, 308}:
        return []
    try:
        return [urldefrag(urljoin(url, location)).url]
    except ValueError:
        return []


def _telling(check: Check) -> tuple[Condition, ...]:
    return (*check.logged_out, *check.challenged, *check.blocked)


def _fits_success(condition: Condition) -> bool:
    return not condition.status or any(status < 300 for status in condition.status)
