"""From what was seen to a verdict: one table, read from the top; the first row that fits decides.

Strict on purpose: only `expired` may start a login, so every doubt ends in `unknown`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from handstamp.http.observation import Observation, bare_url
from handstamp.sites.conditions import Seen, any_holds, is_redirect
from handstamp.sites.verdict import CheckKind, Evidence, Verdict
from handstamp.state import Health, within

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.sites.recipe import Check, Condition, Recipe

BLOCK_SECONDS = 900.0
"""How long a block is taken to last when the site does not say."""
MAX_BLOCK_SECONDS = 86_400.0
"""The longest wait that a site's own word is taken for."""

_CAPTCHA = re.compile(
    r"<(?:img|input|iframe|div|script|form)\b[^<>]{0,400}?(?:captcha(?!/api\.js\?render)|cf-turnstile|challenge-platform|arkoselabs|geetest)", re.IGNORECASE
)


class Case:
    """What the rows ask about one observation, each worked out once."""

    def __init__(self, observation: Observation, recipe: Recipe, check: Check) -> None:
        self.observation = observation
        self.status = observation.status or 0
        self._domains = recipe.domains
        self._check = check
        self._seen = Seen(observation, recipe.domains)

    @cached_property
    def outside(self) -> bool:
        """Whether the way led off the site: a captive portal, a single sign-on."""
        ends = [self.observation.final_url]
        if is_redirect(self.observation.status):
            ends += self.observation.redirects[-1:]
        return not all(any(within(urlsplit(url).hostname or "", domain) for domain in self._domains) for url in ends)

    @cached_property
    def logged_in(self) -> bool | None:
        """Whether it looks as from inside; None when it cannot be told from here."""
        return any_holds(filter(self._counts, self._check.logged_in), self._seen)

    @cached_property
    def logged_out(self) -> bool | None:
        """Whether it looks as from outside; None when it cannot be told from here."""
        return any_holds(filter(self._counts, self._check.logged_out), self._seen)

    def _counts(self, condition: Condition) -> bool:
        """Words alone prove nothing on an error page or on a stranger's: a firewall's page says "Log in", too."""
        if self.outside:
            return bool(condition.redirect or condition.url)
        return self.status < 400 or bool(condition.status or condition.redirect or condition.url)

    def fits(self, conditions: tuple[Condition, ...]) -> bool:
        """Whether one of the recipe's other conditions holds."""
        return any_holds(conditions, self._seen) is True

    @cached_property
    def blocked(self) -> bool:
        """Whether the recipe knows this as a block."""
        return self.fits(self._check.blocked)

    @cached_property
    def challenged(self) -> bool:
        """Whether the recipe knows this as a challenge."""
        return self.fits(self._check.challenged)

    @cached_property
    def captcha(self) -> bool:
        """Whether the document shows one of the usual captchas."""
        return _CAPTCHA.search(self.observation.body) is not None


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table.

    Args:
        name: stable, for the event log.
        when: what must be so, for the docs.
        health: the verdict.
        text: what to tell people.
        fits: whether it is so.
        ask_browser: whether a browser may see more.
    """

    name: str
    when: str
    health: Health
    text: str
    fits: Callable[[Case], bool]
    ask_browser: bool = False


RULES = (
    Rule("no-answer", "DNS, connection, TLS or proxy failed, no answer in time, redirects without end", Health.UNKNOWN,
         "there was no answer", lambda case: case.observation.failure is not None or not case.status),
    Rule("recipe-blocked", "a `blocked` condition of the recipe holds", Health.BLOCKED,
         "the site says that it is closed to this account or machine", lambda case: case.blocked),
    Rule("recipe-challenged", "a `challenged` condition of the recipe holds", Health.CHALLENGED,
         "the site asks for something that only a person can give", lambda case: case.challenged),
    Rule("bot-check", "header `cf-mitigated: challenge`", Health.CHALLENGED,
         "the site's firewall wants to see a person", lambda case: case.observation.headers.get("cf-mitigated", "").lower() == "challenge"),
    Rule("too-many", "status 429", Health.BLOCKED,
         "the site counts too many requests", lambda case: case.status == 429),
    Rule("locked", "status 423", Health.BLOCKED,
         "the site says that this is locked", lambda case: case.status == 423),
    Rule("server-error", "status 500 and above", Health.UNKNOWN,
         "the site is in trouble itself", lambda case: case.status >= 500),
    Rule("proxy-login", "status 407", Health.UNKNOWN,
         "a proxy on the way wants a login of its own", lambda case: case.status == 407),
    Rule("contradiction", "`logged_in` and `logged_out` both hold", Health.UNKNOWN,
         "the recipe's logged_in and logged_out both fit this page, make them tell it apart", lambda case: bool(case.logged_in and case.logged_out)),
    Rule("logged-out", "`logged_out` holds and `logged_in` does not", Health.EXPIRED,
         "this is how the site looks to somebody who is not logged in", lambda case: case.logged_out is True and case.logged_in is False),
    Rule("logged-in", "`logged_in` holds and `logged_out` does not", Health.VALID,
         "this is how the site looks to somebody who is logged in", lambda case: case.logged_in is True and case.logged_out is False),
    Rule("off-site", "redirected to a host that is not among the site's domains", Health.UNKNOWN,
         "the way led off the site: to a network's portal, or to a sign-on whose domain the recipe does not name", lambda case: case.outside, ask_browser=True),
    Rule("unauthorized", "status 401 and nothing above", Health.EXPIRED,
         "the site wants a login", lambda case: case.status == 401),
    Rule("captcha", "the document shows a captcha and nothing above", Health.CHALLENGED,
         "the site shows a captcha", lambda case: case.captcha),
    Rule("forbidden", "status 403 and nothing above", Health.BLOCKED,
         "the site refuses us", lambda case: case.status == 403),
    Rule("needs-document", "a condition asks for a selector and there is no document", Health.UNKNOWN,
         "only a browser can tell", lambda case: case.logged_in is None or case.logged_out is None, ask_browser=True),
    Rule("neither", "nothing above", Health.UNKNOWN,
         "this fits neither logged_in nor logged_out of the recipe", lambda _: True, ask_browser=True),
)  # fmt: skip
"""The decision table of health."""


def judge(observation: Observation, recipe: Recipe, *, by: CheckKind = "http") -> Verdict:
    """The verdict on what was seen at the recipe's check.

    Args:
        observation: what was seen.
        recipe: one without a check gives `UNKNOWN`.
        by: who looked.
    """
    if recipe.check is None:
        evidence = Evidence(by, "no-check", f"the site '{recipe.name}' has no recipe with a check, so nobody can tell", observation.at)
        return Verdict(Health.UNKNOWN, (evidence,))
    case = Case(observation, recipe, recipe.check)
    rule = next(row for row in RULES if row.fits(case))
    return Verdict(rule.health, (_evidence(rule, observation, by),), until=_until(rule, observation), ask_browser=rule.ask_browser and by == "http")


def _evidence(rule: Rule, observation: Observation, by: CheckKind) -> Evidence:
    url = bare_url(observation.url)
    redirect = bare_url(observation.redirects[-1]) if observation.redirects else ""
    if observation.failure:
        answer = f"{observation.detail or url} ({observation.failure})"
    elif redirect and not is_redirect(observation.status):
        answer = f"{url} led to {redirect}, which answered {observation.status}"
    else:
        answer = f"{url} answered {observation.status}" + (f" and pointed to {redirect}" if redirect else "")
    return Evidence(by, rule.name, f"{answer}: {rule.text}", observation.at, url=url, status=observation.status, redirect=redirect)


def _until(rule: Rule, observation: Observation) -> datetime | None:
    told = retry_after(observation.headers.get("retry-after", ""), now=observation.at)
    if rule.health is Health.BLOCKED:
        return told or observation.at + timedelta(seconds=BLOCK_SECONDS)
    return told if rule.name == "server-error" else None


def retry_after(value: str, *, now: datetime) -> datetime | None:
    """The time that a Retry-After header names (RFC 9110 §10.2.3), at most a day from `now`; None when it names none."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        seconds = MAX_BLOCK_SECONDS if len(value) > 6 else float(value)
    else:
        try:
            told = parsedate_to_datetime(value)
        except (ValueError, TypeError, IndexError):
            return None
        seconds = ((told if told.tzinfo else told.replace(tzinfo=UTC)) - now).total_seconds()
    return now + timedelta(seconds=min(max(seconds, 0.0), MAX_BLOCK_SECONDS))
