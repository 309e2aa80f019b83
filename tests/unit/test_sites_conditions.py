"""Conditions of a recipe, one by one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from handstamp.http import Observation
from handstamp.sites.conditions import Seen, any_holds, holds, url_fits
from handstamp.sites.page_text import page_text
from handstamp.sites.recipe import Condition

NOW = datetime(2026, 3, 4, tzinfo=UTC)
DOMAINS = ("portside.example",)


def held(condition: Condition, **more: Any) -> bool | None:
    more.setdefault("final_url", "https://portside.example/account")
    more.setdefault("headers", {"content-type": "application/json"})
    return holds(condition, Seen(Observation("https://portside.example/account", NOW, **more), DOMAINS))


@pytest.mark.parametrize(
    ("condition", "more", "expected"),
    [
        (Condition(status=(200, 204)), {"status": 204}, True),
        (Condition(status=(200,)), {"status": 302}, False),
        (Condition(text=("Log out", "Abmelden")), {"body": "jetzt  abmelden"}, True),
        (Condition(text=("Log out",)), {"body": "logout"}, False),
        (Condition(selector=("#a", "#b")), {"selectors": {"#a": False, "#b": True}}, True),
        (Condition(selector=("#a",)), {"selectors": {}}, False),
        (Condition(selector=("#a",)), {"status": 200}, None),
        (Condition(selector=("#a",)), {"status": 302}, False),
        (Condition(selector=("#a",), status=(500,)), {"status": 200}, False),
        (Condition(cookie=("sid",)), {"cookies": frozenset({"sid"})}, True),
        (Condition(cookie=("wp_logged_in_*",)), {"cookies": frozenset({"wp_logged_in_4711"})}, True),
        (Condition(cookie=("wp_*",)), {"cookies": frozenset({"sid"})}, False),
        (Condition(url=("/account",)), {}, True),
        (Condition(redirect=("/login",)), {"status": 302, "redirects": ("https://portside.example/login",)}, True),
        (Condition(redirect=("/login",)), {"status": 302}, False),
        (Condition(header=(("x-user", "*"),)), {"headers": {"x-user": "ada"}}, True),
        (Condition(header=(("x-user", "a*"),)), {"headers": {"x-user": "bob"}}, False),
        (Condition(header=(("x-user", "*"),)), {}, False),
        (Condition(json=(("user.id", 1),)), {"body": '{"user": {"id": 1}}'}, True),
        (Condition(json=(("user.id", 1),)), {"body": '{"user": {"id": true}}'}, False),
        (Condition(json=(("users.0.name", "*"),)), {"body": '{"users": [{"name": "ada"}]}'}, True),
        (Condition(json=(("user", "*"),)), {"body": '{"user": null}'}, False),
        (Condition(json=(("user.id", 1),)), {"body": "no json"}, False),
        (Condition(json=(("a", 1),)), {"body": "[" * 100_000}, False),
    ],
)
def test_a_condition_holds_when_all_that_it_names_does(condition: Condition, more: dict[str, Any], expected: object) -> None:
    assert held(condition, **more) is expected


def test_of_several_conditions_any_may_hold_and_doubt_is_told() -> None:
    seen = Seen(Observation("https://portside.example/", NOW, status=200), DOMAINS)
    yes, no, doubt = Condition(status=(200,)), Condition(status=(201,)), Condition(selector=("#a",))
    assert any_holds((no, yes, doubt), seen) is True
    assert any_holds((no, doubt), seen) is None
    assert any_holds((no,), seen) is False
    assert any_holds((), seen) is False


@pytest.mark.parametrize(
    ("pattern", "url", "fits"),
    [
        ("/login", "https://portside.example/login", True),
        ("/login", "https://portside.example/login/", True),
        ("/login/", "https://portside.example/login", True),
        ("/login", "https://portside.example/login/otp?next=/", True),
        ("/login", "https://portside.example/loginhelp", False),
        ("/login", "https://www.portside.example/login", True),
        ("/login", "https://evil.example/login", False),
        ("/login", "https://portside.example.evil.example/login", False),
        ("/", "https://portside.example", True),
        ("/", "https://portside.example/account", False),
        ("/*", "https://portside.example/account", True),
        ("/*/login", "https://portside.example/en/login", True),
        ("/a?b", "https://portside.example/a", True),
        ("/a[b]", "https://portside.example/a[b]", True),
        ("https://sso.example/auth", "https://sso.example/auth?x=1", True),
        ("https://sso.example/auth", "http://sso.example/auth", False),
        ("https://*.sso.example/auth", "https://eu.sso.example/auth", True),
        ("https://sso.example/", "https://user:pw@sso.example/", True),
        ("/login", "https://[broken", False),
        ("/login", "", False),
    ],
)
def test_a_url_fits_a_path_at_the_site_or_a_whole_url(pattern: str, url: str, *, fits: bool) -> None:
    assert url_fits(pattern, url, DOMAINS) is fits


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("<p>Log <b>out</b></p>", "Log out"),
        ("<td>Log</td><td>out</td>", "Log out"),
        ("Lo<b>g</b>&nbsp;o&#117;t", "Log out"),
        ("<SCRIPT>Log out</SCRIPT>in", "in"),
        ("<style>a</style><template>b</template><noscript>c</noscript>d", "d"),
        ("<!-- Log out -->in", "in"),
        ("<!doctype html><?xml ?>in", "in"),
        ("<input type=submit value='Log out'>", "Log out"),
        ('<input value="Log out" type="button">', "Log out"),
        ("<input type=password value='hunter2'>", ""),
        ("<input type=hidden value='hunter2'>", ""),
        ("1 < 2 and 3<4", "1 < 2 and 3<4"),
        ("cut <p", "cut"),
        ("cut <!-- off", "cut"),
        ("cut <script>off", "cut"),
        ("İ<b>x</b>", "İx"),
        ("", ""),
    ],
)
def test_the_text_of_a_page_is_what_a_person_reads(document: str, text: str) -> None:
    assert page_text(document) == text
