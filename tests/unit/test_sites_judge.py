"""Verdicts: the strict classes, row by row, and what stands against what."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handstamp.http import Failure, Observation
from handstamp.sites import RULES, Recipe, judge
from handstamp.sites.judge import BLOCK_SECONDS, MAX_BLOCK_SECONDS, retry_after
from handstamp.sites.recipe import Check, Condition
from handstamp.state import Health

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
ASKED = "https://portside.example/account"
CHECK = Check(
    "/account",
    logged_in=(Condition(status=(200,), text=("Log out",)),),
    logged_out=(Condition(redirect=("/login",)), Condition(text=("Please log in",))),
    challenged=(Condition(url=("/prove",)),),
    blocked=(Condition(text=("account is suspended",)),),
)
RECIPE = Recipe("portside", "https://portside.example", ("portside.example",), check=CHECK)


def seen(status: int | None = 200, body: str = "", **more: Any) -> Observation:
    more.setdefault("final_url", ASKED)
    headers = {"content-type": "text/html; charset=utf-8"} | more.pop("headers", {})
    return Observation(ASKED, NOW, status=status, body=body, headers=headers, **more)


def redirected(to: str, status: int = 302) -> Observation:
    return seen(status, redirects=(to,))


ROWS = [
    ("no-answer", seen(None, failure=Failure.DNS, detail="no such host"), Health.UNKNOWN),
    ("no-answer", seen(None, failure=Failure.TIMEOUT), Health.UNKNOWN),
    ("recipe-blocked", seen(body="Your account is suspended."), Health.BLOCKED),
    ("recipe-challenged", seen(final_url="https://portside.example/prove"), Health.CHALLENGED),
    ("bot-check", seen(403, headers={"cf-mitigated": "challenge"}), Health.CHALLENGED),
    ("too-many", seen(429), Health.BLOCKED),
    ("locked", seen(423), Health.BLOCKED),
    ("server-error", seen(500), Health.UNKNOWN),
    ("server-error", seen(502, "<p>Please log in"), Health.UNKNOWN),
    ("server-error", seen(503, "<form><p>Log out"), Health.UNKNOWN),
    ("server-error", seen(511), Health.UNKNOWN),
    ("proxy-login", seen(407, "Please log in"), Health.UNKNOWN),
    ("contradiction", seen(body="<a>Log out</a> <p>Please log in"), Health.UNKNOWN),
    ("logged-out", redirected("https://portside.example/login?next=/account"), Health.EXPIRED),
    ("logged-out", redirected("https://www.portside.example/login/step"), Health.EXPIRED),
    ("logged-out", seen(body="<h1>Please&nbsp;<b>log</b> in</h1>"), Health.EXPIRED),
    ("logged-out", seen(200, "form", final_url="https://portside.example/login", redirects=("https://portside.example/login",)), Health.EXPIRED),
    ("logged-in", seen(body="<button>LOG\n OUT</button>"), Health.VALID),
    ("logged-in", seen(body="Log out", redirects=("https://portside.example/login", ASKED)), Health.VALID),
    ("off-site", redirected("http://wifi.hotel.example/login"), Health.UNKNOWN),
    ("off-site", seen(body="Please log in to our network", final_url="https://wifi.hotel.example/"), Health.UNKNOWN),
    ("off-site", seen(body="Log out", final_url="https://portside.example.evil.example/"), Health.UNKNOWN),
    ("unauthorized", seen(401), Health.EXPIRED),
    ("captcha", seen(403, '<div class="g-recaptcha" data-sitekey="x">'), Health.CHALLENGED),
    ("captcha", seen(200, '<img alt="x" src="/captcha.png">'), Health.CHALLENGED),
    ("forbidden", seen(403), Health.BLOCKED),
    ("forbidden", seen(403, "<p>Please log in or go away"), Health.BLOCKED),
    ("neither", seen(200, "<p>We are redesigning"), Health.UNKNOWN),
    ("neither", seen(404, "<a href=/login>Please log in</a>"), Health.UNKNOWN),
    ("neither", redirected("https://portside.example/loginhelp"), Health.UNKNOWN),
    ("neither", seen(200, '<script src="https://www.google.com/recaptcha/api.js?render=key"></script>'), Health.UNKNOWN),
    ("neither", seen(200, "<script>if (out) show('Log out')</script>"), Health.UNKNOWN),
]


@pytest.mark.parametrize(("rule", "observation", "health"), ROWS)
def test_each_row_decides_what_it_says(rule: str, observation: Observation, health: Health) -> None:
    verdict = judge(observation, RECIPE)
    assert (verdict.evidence[-1].rule, verdict.health) == (rule, health)


def test_every_row_of_the_table_is_tried_above() -> None:
    # What is left needs another recipe: see the test of documents.
    assert {row.name for row in RULES} - {rule for rule, _, _ in ROWS} == {"needs-document"}


def test_the_names_of_rows_are_unique_and_only_the_plain_ones_start_a_login() -> None:
    names = [row.name for row in RULES]
    assert len(names) == len(set(names))
    assert {row.name for row in RULES if row.health is Health.EXPIRED} == {"logged-out", "unauthorized"}


@pytest.mark.parametrize("status", [100, 204, 301, 400, 404, 408, 418, 451, 500, 502, 503, 504, 511, 599])
def test_no_bare_status_but_401_means_expired(status: int) -> None:
    assert judge(seen(status), RECIPE).health is Health.UNKNOWN


def test_a_status_that_the_recipe_names_counts_over_the_general_rule() -> None:
    check = Check("/", logged_in=(Condition(status=(200,)),), logged_out=(Condition(status=(403,)),))
    assert judge(seen(403), replace(RECIPE, check=check)).health is Health.EXPIRED


def test_what_only_a_document_shows_is_left_to_a_browser() -> None:
    check = Check("/", logged_in=(Condition(status=(200,)),), logged_out=(Condition(selector=("#login",)),))
    recipe = replace(RECIPE, check=check)
    verdict = judge(seen(200), recipe)
    assert (verdict.health, verdict.evidence[-1].rule, verdict.ask_browser) == (Health.UNKNOWN, "needs-document", True)
    assert judge(seen(200, selectors={"#login": False}), recipe, by="browser").health is Health.VALID
    both = judge(seen(200, selectors={"#login": True}), recipe, by="browser")
    assert (both.health, both.evidence[-1].rule) == (Health.UNKNOWN, "contradiction")


def test_a_redirect_has_no_document_so_a_selector_is_not_in_it() -> None:
    check = Check("/", logged_in=(Condition(selector=(".avatar",)),), logged_out=(Condition(redirect=("/login",)),))
    assert judge(redirected("https://portside.example/login"), replace(RECIPE, check=check)).health is Health.EXPIRED


def test_a_browser_is_asked_where_it_may_see_more_and_only_then() -> None:
    assert judge(seen(200, "redesigned"), RECIPE).ask_browser
    assert judge(redirected("https://sso.example.net/"), RECIPE).ask_browser
    for settled in (seen(None, failure=Failure.DNS), seen(500), seen(429), seen(403), seen(401), seen(200, "Log out")):
        assert not judge(settled, RECIPE).ask_browser
    assert not judge(seen(200, "redesigned"), RECIPE, by="browser").ask_browser


def test_a_block_always_has_an_end() -> None:
    assert judge(seen(429, headers={"retry-after": "120"}), RECIPE).until == NOW + timedelta(seconds=120)
    assert judge(seen(403), RECIPE).until == NOW + timedelta(seconds=BLOCK_SECONDS)
    assert judge(seen(body="account is suspended"), RECIPE).until == NOW + timedelta(seconds=BLOCK_SECONDS)


def test_a_server_in_trouble_may_say_when_to_come_back() -> None:
    assert judge(seen(503, headers={"retry-after": "30"}), RECIPE).until == NOW + timedelta(seconds=30)
    assert judge(seen(503), RECIPE).until is None
    assert judge(seen(200, "Log out", headers={"retry-after": "30"}), RECIPE).until is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        (" 90 ", 90),
        ("99999999999999999999999999", MAX_BLOCK_SECONDS),
        ("Wed, 04 Mar 2026 05:08:07 GMT", 120),
        ("Wed, 04 Mar 2026 05:00:00 GMT", 0),
        ("Fri, 04 Mar 2050 05:00:00 GMT", MAX_BLOCK_SECONDS),
    ],
)
def test_retry_after_is_seconds_or_a_date_within_a_day(value: str, seconds: float) -> None:
    assert retry_after(value, now=NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("value", ["", "soon", "-5", "1.5", "٣", "Wed, 99 Foo 2026"])
def test_a_retry_after_that_says_nothing_is_none(value: str) -> None:
    assert retry_after(value, now=NOW) is None


def test_a_site_without_a_check_is_unknown() -> None:
    verdict = judge(seen(200, "Log out"), replace(RECIPE, check=None))
    assert (verdict.health, verdict.evidence[-1].rule) == (Health.UNKNOWN, "no-check")


def test_evidence_names_what_was_seen_and_no_secret_of_a_url() -> None:
    observation = replace(redirected("https://ada:pw@portside.example/login?token=hunter2#hunter2"), url=ASKED + "?key=hunter2")
    evidence = judge(observation, RECIPE).evidence[-1]
    assert evidence.facts() == {
        "at": "2026-03-04T05:06:07.000Z",
        "check": "http",
        "rule": "logged-out",
        "text": f"{ASKED} answered 302 and pointed to https://portside.example/login: this is how the site looks to somebody who is not logged in",
        "url": ASKED,
        "status": 302,
        "redirect": "https://portside.example/login",
    }


def test_the_dearer_look_keeps_the_cheaper_ones_evidence() -> None:
    cheap, dear = judge(seen(200, "redesigned"), RECIPE), judge(seen(200, "Log out"), RECIPE, by="browser")
    whole = dear.after(cheap)
    assert (whole.health, [evidence.check for evidence in whole.evidence]) == (Health.VALID, ["http", "browser"])
    assert dear.after(None) is dear


def test_an_endless_page_is_judged_in_time_linear_to_its_size() -> None:
    for body in ("<img" * 250_000, "<script>" * 120_000, "<!--" * 250_000, "<" * 1_000_000, "&" * 1_000_000, "<input type=submit value=" * 40_000):
        assert judge(seen(200, body), RECIPE).health is Health.UNKNOWN
