"""When changes that a browser saw amount to a logout."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from handstamp.keeper.saver import logged_out
from handstamp.sites import Bearer, Recipe, SessionRules
from handstamp.state import Clock, Cookie, PartId, PartKind, StorageState, observed

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ORIGIN = "https://harbour.example"
COOKIES = PartId(PartKind.COOKIES, "harbour.example")
LOCAL = PartId(PartKind.LOCAL, ORIGIN)
BY_COOKIE = Recipe("harbour", ORIGIN, ("harbour.example",), session=SessionRules(auth_cookies=("auth_*", "remember")))
BY_TOKEN = replace(BY_COOKIE, session=SessionRules(bearer=Bearer(local_storage="token")))


def cookie(name: str, *, expires: float | None = None) -> Cookie:
    return Cookie(name, "v", "harbour.example", "/", expires=expires)


def before(*cookies: Cookie, **items: str) -> StorageState:
    clock = Clock("before")
    jar = observed(None, COOKIES, {one.key: one for one in cookies}, clock)
    return StorageState.of([jar, observed(None, LOCAL, {(name,): value for name, value in items.items()}, clock)])


def gone(known: StorageState, *names: str, new: tuple[Cookie, ...] = ()) -> StorageState:
    """Changes in which these cookies and items are deleted, and others come."""
    parts = []
    for part in known.parts.values():
        keys = [key for key in part.entries if key[2 if part.id.kind is PartKind.COOKIES else 0] in names]
        values = {one.key: one for one in new} if part.id.kind is PartKind.COOKIES else {}
        parts.append(observed(part, part.id, values, Clock("after"), gone=keys))
    return StorageState.of(parts)


def test_a_deleted_login_cookie_whose_name_fits_a_pattern_is_a_logout() -> None:
    known = before(cookie("auth_7"), cookie("theme"))
    assert logged_out(known, gone(known, "auth_7"), BY_COOKIE, now=NOW)
    assert not logged_out(known, gone(known, "theme"), BY_COOKIE, now=NOW)


def test_one_of_two_login_cookies_is_enough_to_be_in() -> None:
    known = before(cookie("auth_7"), cookie("remember"))
    assert not logged_out(known, gone(known, "auth_7"), BY_COOKIE, now=NOW)
    assert logged_out(known, gone(known, "auth_7", "remember"), BY_COOKIE, now=NOW)


def test_a_login_cookie_that_another_takes_the_place_of_is_no_logout() -> None:
    known = before(cookie("auth_7"))
    assert not logged_out(known, gone(known, "auth_7", new=(cookie("auth_8"),)), BY_COOKIE, now=NOW)


def test_nobody_who_was_out_before_logs_out() -> None:
    known = before(cookie("auth_7", expires=NOW.timestamp() - 1))
    assert not logged_out(known, gone(known, "auth_7"), BY_COOKIE, now=NOW)


def test_the_page_that_drops_its_token_logs_out_where_the_token_is_all_there_is() -> None:
    known = before(cookie("theme"), token="t")
    assert logged_out(known, gone(known, "token"), BY_TOKEN, now=NOW)
    both = replace(BY_TOKEN, session=SessionRules(auth_cookies=("theme",), bearer=Bearer(local_storage="token")))
    assert not logged_out(known, gone(known, "token"), both, now=NOW)
