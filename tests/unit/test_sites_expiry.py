"""What the saved state alone tells of a login's end, and the bearer token in it."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handstamp.sites import Recipe, expiry_evidence, login_ends_at
from handstamp.sites.bearer import bearer_header, origin_of
from handstamp.sites.expiry import jwt_expiry
from handstamp.sites.recipe import Bearer, SessionRules
from handstamp.state import Cookie, Entry, Health, Part, PartId, PartKind, Stamp, StorageState

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
T = NOW.timestamp()
RECIPE = Recipe("portside", "https://portside.example", ("portside.example",), session=SessionRules(auth_cookies=("sid", "auth_*")))
WITH_TOKEN = replace(RECIPE, session=replace(RECIPE.session, bearer=Bearer(local_storage="token")))
TOKEN_ONLY = replace(RECIPE, session=SessionRules(bearer=Bearer(local_storage="token")))


def state(*cookies: Cookie, token: str | None = None, **tabs: str) -> StorageState:
    parts = [Part(PartId(PartKind.COOKIES, "portside.example"), {cookie.key: Entry(cookie) for cookie in cookies})]
    if token is not None:
        parts.append(Part(PartId(PartKind.LOCAL, "https://portside.example"), {("token",): Entry(token)}))
    entries = {(tab, "token"): Entry(value, Stamp(at)) for at, (tab, value) in enumerate(tabs.items())}
    parts.append(Part(PartId(PartKind.SESSION, "https://portside.example"), entries))
    return StorageState.of(parts)


def sid(expires: float | None = None, name: str = "sid", domain: str = "portside.example") -> Cookie:
    return Cookie(name, "secret", domain, expires=expires)


def jwt(**claims: object) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part(claims)}.c2ln"


def ended(saved: StorageState, recipe: Recipe = RECIPE, **more: Any) -> bool:
    verdict = expiry_evidence(saved, recipe, NOW, **more)
    assert verdict is None or verdict.health is Health.EXPIRED
    return verdict is not None


def test_a_login_has_ended_when_all_its_cookies_have() -> None:
    assert ended(state(sid(T - 1)))
    assert ended(state())
    assert ended(state(sid(T - 1), sid(T - 9, "auth_2")))
    assert not ended(state(sid(T + 1)))
    assert not ended(state(sid(None)))
    assert not ended(state(sid(T - 1), sid(T + 9, "auth_2")))


def test_a_deleted_cookie_is_gone() -> None:
    part = Part(PartId(PartKind.COOKIES, "portside.example"), {sid().key: Entry(None)})
    assert ended(StorageState.of([part]))


def test_a_cookie_of_that_name_elsewhere_carries_no_login_here() -> None:
    assert ended(state(sid(None, domain="notportside.example")))
    assert ended(state(sid(None, name="sidecar")))
    assert not ended(state(sid(None, domain="www.portside.example")))


def test_a_recipe_that_names_nothing_proves_nothing() -> None:
    assert not ended(state(), replace(RECIPE, session=SessionRules()))


def test_while_cookie_or_token_lives_the_site_must_be_asked() -> None:
    assert not ended(state(sid(T - 1), token="opaque"), WITH_TOKEN)
    assert not ended(state(sid(None), token=jwt(exp=T - 999)), WITH_TOKEN)
    assert ended(state(sid(T - 1), token=jwt(exp=T - 999)), WITH_TOKEN)
    assert ended(state(sid(T - 1)), WITH_TOKEN)


def test_a_token_alone_ends_with_its_exp_and_some_seconds_for_clocks() -> None:
    assert ended(state(token=jwt(exp=T - 61)), TOKEN_ONLY)
    assert not ended(state(token=jwt(exp=T - 30)), TOKEN_ONLY)
    assert not ended(state(token=jwt(sub="ada")), TOKEN_ONLY)
    assert ended(state(), TOKEN_ONLY)


def test_max_age_counts_from_the_login() -> None:
    recipe = replace(RECIPE, session=replace(RECIPE.session, max_age=3600.0))
    assert ended(state(sid()), recipe, logged_in_at=NOW - timedelta(seconds=3600))
    assert not ended(state(sid()), recipe, logged_in_at=NOW - timedelta(seconds=3599))
    assert not ended(state(sid()), recipe)


def test_evidence_holds_no_value() -> None:
    verdict = expiry_evidence(state(sid(T - 1)), RECIPE, NOW)
    assert verdict
    assert verdict.evidence[0].facts() == {
        "at": NOW.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "check": "state",
        "rule": "carriers-gone",
        "text": "what carries the login at 'portside' (cookie sid, cookie auth_*) is gone or has ended",
    }


def test_the_end_of_a_login_is_the_earliest_that_is_known() -> None:
    recipe = replace(RECIPE, session=replace(RECIPE.session, max_age=600.0))
    saved = state(sid(T + 900), sid(T + 300, "auth_x"), sid(T + 1, "other"))
    assert login_ends_at(saved, RECIPE) == NOW + timedelta(seconds=300)
    assert login_ends_at(saved, recipe, logged_in_at=NOW - timedelta(seconds=400)) == NOW + timedelta(seconds=200)
    assert login_ends_at(state(sid(None)), RECIPE) is None


@pytest.mark.parametrize(
    "token", ["", "a.b", "a.b.c", "....", jwt(), jwt(exp="soon"), jwt(exp=1e300), jwt(exp=None), "x." + base64.urlsafe_b64encode(b"[1]").decode() + ".y"]
)
def test_what_is_no_jwt_has_no_end(token: str) -> None:
    assert jwt_expiry(token) is None


def test_the_bearer_header_comes_from_where_the_recipe_says() -> None:
    def header(saved: StorageState, **bearer: str) -> tuple[str, str] | None:
        return bearer_header(saved, replace(RECIPE, session=SessionRules(bearer=Bearer(**bearer))), now=NOW)

    assert header(state(token="abc"), local_storage="token") == ("Authorization", "Bearer abc")
    assert header(state(token="abc"), local_storage="token", header="X-Auth-Token", format="{value}") == ("X-Auth-Token", "abc")
    assert header(state(tab1="old", tab2="new"), session_storage="token") == ("Authorization", "Bearer new")
    assert header(state(sid(None)), cookie="sid") == ("Authorization", "Bearer secret")
    assert header(state(sid(T - 1)), cookie="sid") is None
    assert header(state(), local_storage="token") is None
    assert header(state(token="evil\r\nX: y"), local_storage="token") is None
    assert bearer_header(state(token="abc"), RECIPE, now=NOW) is None


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Portside.example:443/a", "https://portside.example"),
        ("http://127.0.0.1:8001/", "http://127.0.0.1:8001"),
        ("http://[::1]:80/", "http://[::1]"),
        ("https://u:p@x.example:8443", "https://x.example:8443"),
    ],
)
def test_an_origin_is_written_as_browsers_do(url: str, origin: str) -> None:
    assert origin_of(url) == origin
