"""Which answers are looked at, what they say, and what follows: values in, values out."""

from __future__ import annotations

from typing import Any

import pytest

from handstamp.clients.answers import Answers, for_a_person
from handstamp.clients.peek import _text
from handstamp.errors import RecipeInvalid
from handstamp.http.transport import joined
from handstamp.sites import Check, Condition, Recipe, parse_recipe
from handstamp.state import Health

REDIRECT = Check("/account", (Condition(text=("Log out",)),), (Condition(redirect=("/login",)),))
TEXT = Check("/account", (Condition(text=("Log out",)),), (Condition(text=("Please sign in",)),), challenged=(Condition(text=("robot",)),))


def answers(check: Check | None) -> Answers:
    return Answers(Recipe("local", "https://a.example", ("a.example",), check=check))


@pytest.mark.parametrize(
    ("check", "status", "headers", "redirected", "worth"),
    [
        (REDIRECT, 200, {}, False, False),
        (REDIRECT, 200, {}, True, True),
        (REDIRECT, 302, {}, False, True),
        (REDIRECT, 401, {}, False, True),
        (REDIRECT, 404, {}, False, False),
        (REDIRECT, 503, {}, False, False),
        (REDIRECT, 200, {"cf-mitigated": "challenge"}, False, True),
        (TEXT, 200, {}, False, True),
        (TEXT, 404, {}, False, False),
        (None, 401, {}, False, False),
    ],
)
def test_only_answers_that_can_tell_are_looked_at(check: Check | None, status: int, headers: dict[str, str], redirected: bool, worth: bool) -> None:
    assert answers(check).worth_judging(status, headers, redirected=redirected) is worth


def verdict(check: Check, status: int = 200, *, body: str = "", redirects: tuple[str, ...] = (), url: str = "https://a.example/page") -> Any:
    headers = {"content-type": "text/html"}
    return answers(check).verdict(url, url, status, headers, redirects=redirects, body=lambda: body, cookies=frozenset())


@pytest.mark.parametrize(
    ("check", "status", "body", "redirects", "health"),
    [
        (TEXT, 200, "Please sign in", (), Health.EXPIRED),
        (TEXT, 200, "Please sign in or Log out", (), Health.UNKNOWN),
        (TEXT, 200, "hello", (), Health.UNKNOWN),
        (TEXT, 200, "are you a robot?", (), Health.CHALLENGED),
        (REDIRECT, 302, "", ("https://a.example/login?next=%2Fpage",), Health.EXPIRED),
        (REDIRECT, 302, "", ("https://a.example/other",), Health.UNKNOWN),
        (REDIRECT, 302, "", ("https://elsewhere.example/login",), Health.UNKNOWN),
        (REDIRECT, 401, "", (), Health.EXPIRED),
    ],
)
def test_the_verdict_is_that_of_the_recipes_check(check: Check, status: int, body: str, redirects: tuple[str, ...], health: Health) -> None:
    assert verdict(check, status, body=body, redirects=redirects).health is health


def test_a_captcha_on_a_page_that_answers_is_that_pages_own() -> None:
    form = '<form><img src="/captcha.png"></form>'
    assert not for_a_person(verdict(TEXT, body=form), 200)
    assert for_a_person(verdict(TEXT, 403, body=form), 403)
    assert for_a_person(verdict(TEXT, body="are you a robot?"), 200)


def test_a_name_of_the_callers_cookies_counts_before_the_sessions() -> None:
    assert joined(b"a=1; b=2", b"b=mine; c=3") == b"a=1; b=mine; c=3"
    assert joined(b"a=1", b"") == b"a=1"


def test_text_that_was_cut_off_in_its_packing_is_no_error() -> None:
    import gzip

    import httpx2

    packed = httpx2.Response(200, headers={"content-encoding": "gzip", "content-type": "text/html"}, stream=httpx2.ByteStream(b""))
    assert _text(httpx2, packed, gzip.compress(b"Please sign in")) == "Please sign in"
    assert _text(httpx2, packed, b"no gzip") == ""


RECIPE = 'name = "a"\nbase_url = "https://a.example"\n[session]\n'


def test_a_recipe_says_how_tokens_are_renewed_and_what_else_requests_carry() -> None:
    session = parse_recipe(
        RECIPE
        + 'replay = true\nin_turn = true\ncsrf = {cookie = "csrftoken", header = "X-CSRFToken"}\n'
        + '[session.refresh]\nurl = "/token"\nlocal_storage = "refresh"\nas = "form"\nsend = {grant_type = "refresh_token"}\nstore = {"data.token" = "t"}\n',
        source="a.toml",
    ).recipe.session
    assert (session.replay, session.in_turn) == (True, True)
    assert session.csrf is not None
    assert (session.csrf.cookie, session.csrf.header, session.csrf.format) == ("csrftoken", "X-CSRFToken", "{value}")
    assert session.refresh is not None
    assert (session.refresh.form, session.refresh.field, session.refresh.send) == (True, "refresh_token", (("grant_type", "refresh_token"),))
    assert session.refresh.store == (("data.token", "t"),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[session.refresh]\nurl = "/t"\n', "a.toml: session.refresh must name exactly one of local_storage, cookie"),
        ('[session.refresh]\nurl = "/t"\nlocal_storage = "r"\n', "a.toml: session.refresh.store is missing"),
        ('[session.refresh]\nurl = "https://b.example/t"\ncookie = "r"\n', "leads to b.example"),
        ('csrf = {cookie = "a", local_storage = "b"}\n', "a.toml: session.csrf must name exactly one of"),
    ],
)
def test_what_a_recipe_cannot_say_is_named(text: str, said: str) -> None:
    with pytest.raises(RecipeInvalid) as error:
        parse_recipe(RECIPE + text, source="a.toml")
    assert said in str(error.value)
