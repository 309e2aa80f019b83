"""Cookies out of HTTP archives."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handstamp.errors import ConfigError, UnreadableState
from handstamp.formats import Imported, read, write
from handstamp.state import Clock, Cookie, StorageState

NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z


def entry(url: str, *, at: str = "2027-01-15T07:00:00.000Z", sent: Any = (), received: Any = (), headers: Any = ()) -> dict[str, Any]:
    return {
        "startedDateTime": at,
        "request": {"method": "GET", "url": url, "headers": [], "cookies": list(sent)},
        "response": {"status": 200, "headers": [{"name": name, "value": value} for name, value in headers], "cookies": list(received)},
    }


def taken(*entries: dict[str, Any]) -> Imported:
    archive = {"log": {"version": "1.2", "creator": {"name": "WebInspector", "version": "537.36"}, "entries": list(entries)}}
    return read(json.dumps(archive).encode(), name="site.har", now=NOW, clock=Clock("t"))


def test_set_cookie_lines_are_read_by_the_rules_and_from_their_own_time() -> None:
    found = taken(entry("https://www.a.example/login", headers=[("set-cookie", "sid=1; Max-Age=7200; Secure; HttpOnly; Domain=a.example")]))
    assert (found.format, found.notes) == ("har", ())
    assert found.state.cookies() == [
        Cookie("sid", "1", "a.example", host_only=False, expires=NOW + 3600, secure=True, http_only=True, source_scheme="Secure", source_port=443)
    ]


def test_lines_that_chrome_joined_are_taken_apart() -> None:
    found = taken(entry("https://a.example/", headers=[("Set-Cookie", "a=1\nb=2")]))
    assert [cookie.name for cookie in found.state.cookies()] == ["a", "b"]


def test_later_responses_replace_and_delete_whatever_the_order_in_the_file() -> None:
    found = taken(
        entry("https://a.example/", at="2027-01-15T07:00:02Z", headers=[("Set-Cookie", "a=3"), ("Set-Cookie", "b=; Max-Age=0")]),
        entry("https://a.example/", at="2027-01-15T07:00:01Z", headers=[("Set-Cookie", "a=2"), ("Set-Cookie", "b=2")]),
    )
    assert [(cookie.name, cookie.value) for cookie in found.state.cookies()] == [("a", "3")]


def test_cookies_that_were_there_before_are_taken_from_the_requests_and_named_as_guesses() -> None:
    found = taken(entry("https://www.a.example/app/x", sent=[{"name": "sid", "value": "1"}]))
    assert found.state.cookies() == [Cookie("sid", "1", "www.a.example", secure=True, source_scheme="Secure", source_port=443)]
    assert found.notes == ("seen in requests only, so host, path and session are guesses: sid (www.a.example)",)


def test_chrome_tells_the_attributes_of_sent_cookies() -> None:
    cookie = {
        "name": "sid",
        "value": "1",
        "path": "/",
        "domain": ".a.example",
        "expires": "2030-01-01T00:00:00.000Z",
        "httpOnly": True,
        "secure": True,
        "sameSite": "Lax",
    }
    found = taken(entry("https://www.a.example/", sent=[cookie]))
    assert found.notes == ()
    assert found.state.cookies() == [
        Cookie(
            "sid",
            "1",
            "a.example",
            host_only=False,
            expires=1_893_456_000.0,
            secure=True,
            http_only=True,
            same_site="Lax",
            source_scheme="Secure",
            source_port=443,
        )
    ]


def test_a_sent_value_that_no_response_set_is_a_scripts_change_of_the_known_cookie() -> None:
    found = taken(
        entry("https://a.example/", headers=[("Set-Cookie", "a=1; Domain=a.example; Path=/")]),
        entry("https://a.example/x", at="2027-01-15T07:00:01Z", sent=[{"name": "a", "value": "2"}]),
    )
    assert [(cookie.value, cookie.host_only) for cookie in found.state.cookies()] == [("2", False)]


def test_cookies_of_a_response_count_where_its_header_fields_are_missing() -> None:
    found = taken(entry("https://a.example/", received=[{"name": "sid", "value": "1", "path": "/app", "expires": "", "httpOnly": True}]))
    assert found.state.cookies() == [Cookie("sid", "1", "a.example", path="/app", secure=True, http_only=True, source_scheme="Secure", source_port=443)]


def test_what_a_browser_ignores_is_ignored_and_named() -> None:
    found = taken(entry("https://a.example/", headers=[("Set-Cookie", "sid=canary; Domain=other.example")]))
    assert not found.state
    assert found.notes == ("Set-Cookie lines were ignored, as a browser would, of: a.example",)


def test_an_archive_without_cookies_says_how_to_get_one_with_them() -> None:
    found = taken(entry("https://a.example/"), entry("data:text/plain,x"), entry("https://[broken/"))
    assert not found.state
    assert any("sensitive data" in note for note in found.notes)


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (entry("https://a.example/", at="yesterday"), "site.har, log.entries[0].startedDateTime: expected a date and time as ISO 8601 has it"),
        (entry("https://a.example/", sent=[{"name": "a"}]), "site.har, log.entries[0].request.cookies[0].value: expected a text, found nothing"),
        (
            entry("https://a.example/", received=[{"name": "a", "value": "canary", "expires": "x"}]),
            "log.entries[0].response.cookies[0].expires: expected a date",
        ),
        (entry("https://a.example/", headers=[("Set-Cookie", None)]), "log.entries[0].response.headers[0].value: expected a text, found null"),
        ({"startedDateTime": "2027-01-15T07:00:00Z"}, "log.entries[0].request: expected an object, found nothing"),
    ],
)
def test_a_broken_archive_is_named_by_its_path(broken: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UnreadableState) as caught:
        taken(broken)
    assert complaint in str(caught.value)
    assert "canary" not in str(caught.value)


def test_archives_are_read_and_not_written() -> None:
    with pytest.raises(ConfigError, match="there is no format 'har' to write"):
        write(StorageState(), format="har", now=NOW)
