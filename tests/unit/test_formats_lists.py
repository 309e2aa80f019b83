"""Lists of cookies of browser extensions and Selenium, and our own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handstamp.errors import UnreadableState
from handstamp.formats import Imported, read, write
from handstamp.state import Clock, Cookie, Entry, Part, PartId, PartitionKey, PartKind, StorageState

NOW = 1_800_000_000.0

COOKIE_EDITOR = """[
    {
        "domain": ".portside.example",
        "expirationDate": 1893456000.123,
        "hostOnly": false,
        "httpOnly": true,
        "name": "sid",
        "path": "/",
        "sameSite": "lax",
        "secure": true,
        "session": false,
        "storeId": null,
        "value": "abc"
    },
    {
        "domain": "portside.example",
        "hostOnly": true,
        "httpOnly": false,
        "name": "theme",
        "path": "/app",
        "sameSite": null,
        "secure": false,
        "session": true,
        "storeId": null,
        "value": "dark"
    }
]"""

COOKIE_EDITOR_IN_FIREFOX = """[{"name": "sid", "value": "abc", "domain": "portside.example", "hostOnly": true, "path": "/", "secure": true, "httpOnly": true,
  "sameSite": "no_restriction", "session": true, "firstPartyDomain": "", "partitionKey": null, "storeId": "firefox-default"}]"""

EDIT_THIS_COOKIE = """[
{
    "domain": ".portside.example",
    "expirationDate": 1893456000,
    "hostOnly": false,
    "httpOnly": false,
    "name": "_ga",
    "path": "/",
    "sameSite": "unspecified",
    "secure": false,
    "session": false,
    "storeId": "0",
    "value": "GA1.2.1",
    "id": 1
}
]"""

J2TEAM = """{"url": "https://portside.example", "cookies": [{"domain": ".portside.example", "hostOnly": false, "httpOnly": true, "name": "sid",
  "path": "/", "sameSite": "no_restriction", "secure": true, "session": true, "storeId": "0", "value": "abc"}]}"""

SELENIUM = """[{"domain": ".portside.example", "expiry": 1893456000, "httpOnly": true, "name": "sid", "path": "/",
  "sameSite": "Lax", "secure": true, "value": "abc"},
  {"domain": "portside.example", "httpOnly": false, "name": "theme", "path": "/", "sameSite": "None", "secure": false, "value": "dark"}]"""


def taken(text: str, name: str | None = None) -> Imported:
    return read(text.encode(), name="cookies.json", format=name, now=NOW, clock=Clock("t"))


def state_of(*cookies: Cookie) -> StorageState:
    return StorageState.of([Part(PartId(PartKind.COOKIES, "portside.example"), {cookie.key: Entry(cookie) for cookie in cookies})])


def test_cookie_editors_export() -> None:
    found = taken(COOKIE_EDITOR)
    assert (found.format, found.notes) == ("cookie_editor", ())
    assert found.state.cookies() == [
        Cookie("sid", "abc", "portside.example", host_only=False, expires=1_893_456_000.123, secure=True, http_only=True, same_site="Lax"),
        Cookie("theme", "dark", "portside.example", path="/app"),
    ]


def test_cookie_editors_export_from_firefox() -> None:
    found = taken(COOKIE_EDITOR_IN_FIREFOX)
    assert (found.format, found.notes) == ("cookie_editor", ())
    assert found.state.cookies() == [Cookie("sid", "abc", "portside.example", secure=True, http_only=True, same_site="None")]


def test_firefoxs_first_party_isolation_is_named() -> None:
    found = taken(COOKIE_EDITOR_IN_FIREFOX.replace('"firstPartyDomain": ""', '"firstPartyDomain": "shop.example"'))
    assert found.notes == ("Firefox's first-party isolation is not kept, so these count for all sites: sid",)


def test_edit_this_cookies_export() -> None:
    found = taken(EDIT_THIS_COOKIE)
    assert (found.format, found.notes) == ("editthiscookie", ())
    assert found.state.cookies() == [Cookie("_ga", "GA1.2.1", "portside.example", host_only=False, expires=1_893_456_000.0)]


def test_an_export_with_its_url_around_it() -> None:
    found = taken(J2TEAM)
    assert found.format == "cookie_editor"
    assert [cookie.name for cookie in found.state.cookies()] == ["sid"]


@pytest.mark.parametrize(("name", "text"), [("cookie_editor", COOKIE_EDITOR), ("editthiscookie", EDIT_THIS_COOKIE)])
def test_what_an_extension_exported_is_written_as_it_was(name: str, text: str) -> None:
    assert json.loads(write(taken(text).state, format=name, now=NOW).data) == json.loads(text)


def test_seleniums_list() -> None:
    found = taken(SELENIUM)
    assert found.format == "selenium"
    assert found.state.cookies() == [
        Cookie("sid", "abc", "portside.example", host_only=False, expires=1_893_456_000.0, secure=True, http_only=True, same_site="Lax"),
        Cookie("theme", "dark", "portside.example"),
    ]
    assert found.notes == ("SameSite=None without Secure was taken as not said: theme (portside.example)",)


def test_selenium_takes_whole_seconds_and_no_same_site_that_was_not_said() -> None:
    written = write(state_of(Cookie("a", "1", "portside.example", expires=NOW + 9.7)), format="selenium", now=NOW)
    assert json.loads(written.data) == [
        {"domain": "portside.example", "expiry": NOW + 9, "httpOnly": False, "name": "a", "path": "/", "secure": False, "value": "1"}
    ]


def test_what_selenium_cannot_say_is_named() -> None:
    cookie = Cookie("a", "1", "portside.example", secure=True, priority="High", source_scheme="Secure", source_port=443)
    embedded = Cookie("b", "1", "portside.example", secure=True, partition_key=PartitionKey("https://shop.example", has_cross_site_ancestor=True))
    assert write(state_of(cookie, embedded), format="selenium", now=NOW).notes == (
        "partitioned cookies of embedded pages were left out, since selenium has no partitions: b (portside.example)",
        "selenium cannot say priority, source_port and source_scheme, which these cookies have: a (portside.example)",
    )


@pytest.mark.parametrize("end", [1_893_456_000_000, 1_893_456_000_000_000, 13_537_929_600_000_000])
def test_ends_in_other_units_are_recognised(end: int) -> None:
    found = taken(json.dumps([{"name": "a", "value": "1", "domain": "a.example", "expirationDate": end}]))
    assert found.state.cookies()[0].expires == 1_893_456_000.0
    assert len(found.notes) == 1


@pytest.mark.parametrize("end", [0, -1, -1.5, None])
def test_no_end_is_that_of_a_session_cookie(end: float | None) -> None:
    found = taken(json.dumps([{"name": "a", "value": "1", "domain": "a.example", "expires": end}]))
    assert found.state.cookies()[0].expires is None


def test_a_name_in_another_script_is_kept_as_it_goes_over_the_wire() -> None:
    found = taken(json.dumps([{"name": "a", "value": "1", "domain": ".Straße.example"}]))
    assert found.state.cookies()[0].domain == "xn--strae-oqa.example"


def test_two_values_of_one_cookie_are_named_and_the_last_is_taken() -> None:
    found = taken(json.dumps([{"name": "a", "value": value, "domain": "a.example"} for value in ("canary1", "canary2", "canary2")]))
    assert found.state.cookies()[0].value == "canary2"
    assert found.notes == ("given twice with different values, the last of which was taken: a (a.example)",)


OURS = {"name": "a", "value": "canary", "domain": "a.example", "host_only": True}


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"expires": "x"}, "[0].expires: expected a number, found a text"),
        ({"partition_key": {"top_level_site": 1}}, "[0].partition_key.top_level_site: expected a text, found a number"),
        ({"partition_key": "https://a.example"}, "[0].partition_key: expected an object, found a text"),
        ({"priority": "urgent"}, "[0].priority: expected one of 'low', 'medium', 'high', found another text"),
        ({"source_port": 1.5}, "[0].source_port: expected a port number, found a number"),
        ({"path": "x"}, "[0].path: expected a path"),
    ],
)
def test_a_broken_field_of_our_own_list_is_named(fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UnreadableState) as caught:
        taken(json.dumps([OURS | fields]))
    assert complaint in str(caught.value)
    assert "canary" not in str(caught.value)


def test_an_unknown_field_is_named_once() -> None:
    found = taken(json.dumps([OURS | {"colour": "red"}, OURS | {"name": "b", "colour": "blue", "bad\u001bname": 1}]))
    assert found.notes == ("fields that are not known here were left out: colour and bad\\x1bname",)
