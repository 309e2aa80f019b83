"""Playwright's storage state, and lists of cookies of CDP, Puppeteer and `context.cookies()`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handstamp.errors import UnreadableState
from handstamp.formats import Imported, read, write
from handstamp.state import Clock, Cookie, Entry, Part, PartId, PartitionKey, PartKind, StorageState

NOW = 1_800_000_000.0

# As Playwright 1.65 writes it with indexed_db and opfs.
SAVED = r"""{
  "cookies": [
    {"name": "a", "value": "b", "domain": "localhost", "path": "/", "expires": -1, "httpOnly": false, "secure": true,
     "sameSite": "Lax", "partitionKey": "http://localhost", "_crHasCrossSiteAncestor": false},
    {"name": "c", "value": "d", "domain": ".example.com", "path": "/", "expires": 1893456000.3387, "httpOnly": true, "secure": false, "sameSite": "Lax"}
  ],
  "origins": [
    {
      "origin": "http://localhost:37539",
      "localStorage": [{"name": "k", "value": "v\ud800"}, {"name": "", "value": "e"}, {"name": "length", "value": "1"}],
      "indexedDB": [
        {"name": "db1", "version": 3, "stores": [
          {"name": "s", "autoIncrement": true, "keyPath": "id",
           "records": [{"valueEncoded": {"o": [{"k": "id", "v": 1}, {"k": "b", "v": {"d": "1970-01-01T00:00:00.005Z"}}], "id": 1}}, {"value": {"id": 2}}],
           "indexes": [{"name": "i", "keyPathArray": ["a", "b"], "multiEntry": false, "unique": true}]}]}
      ],
      "opfs": [{"path": "dir", "type": "directory"}, {"path": "dir/f.txt", "type": "file", "base64": "aGVsbG8="}]
    }
  ]
}"""

PUPPETEER = """[{"name": "sid", "value": "1", "domain": "example.com", "path": "/", "expires": 1893456000.5, "size": 4, "httpOnly": true, "secure": true,
  "session": false, "sameParty": false, "priority": "High", "sourceScheme": "Secure", "sourcePort": 443, "sameSite": "Strict",
  "partitionKey": {"topLevelSite": "https://shop.example", "hasCrossSiteAncestor": true}}]"""


def taken(text: str) -> Imported:
    return read(text.encode(), name="state.json", now=NOW, clock=Clock("t"))


def refused(document: Any) -> str:
    with pytest.raises(UnreadableState) as caught:
        read(json.dumps(document).encode(), name="state.json", format="playwright", now=NOW, clock=Clock("t"))
    assert "canary" not in str(caught.value)
    return str(caught.value)


def test_a_saved_state_is_read_whole() -> None:
    found = taken(SAVED)
    assert (found.format, found.notes) == ("playwright", ())
    assert set(found.state.cookies()) == {
        Cookie("a", "b", "localhost", secure=True, same_site="Lax", partition_key=PartitionKey("http://localhost")),
        Cookie("c", "d", "example.com", host_only=False, expires=1_893_456_000.3387, http_only=True, same_site="Lax"),
    }
    assert found.state.local_storage("http://localhost:37539") == {"k": "v\ud800", "": "e", "length": "1"}
    assert {str(part.id) for part in found.state.of_kind(PartKind.IDB)} == {"idb/http://localhost:37539/db1"}


def test_a_saved_state_comes_out_as_it_went_in() -> None:
    assert json.loads(write(taken(SAVED).state, format="playwright", now=NOW).data) == json.loads(SAVED) | {
        "cookies": sorted(json.loads(SAVED)["cookies"], key=lambda cookie: cookie["domain"].lstrip("."))
    }


def test_a_list_of_cookies_of_cdp_is_read_with_all_it_says() -> None:
    found = taken(PUPPETEER)
    assert found.state.cookies() == [
        Cookie(
            "sid",
            "1",
            "example.com",
            expires=1_893_456_000.5,
            secure=True,
            http_only=True,
            same_site="Strict",
            partition_key=PartitionKey("https://shop.example", has_cross_site_ancestor=True),
            priority="High",
            source_scheme="Secure",
            source_port=443,
        )
    ]


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"partitionKey": "https://a.example"}, PartitionKey("https://a.example", has_cross_site_ancestor=True)),
        ({"partitionKey": "(https,a.example)"}, PartitionKey("https://a.example", has_cross_site_ancestor=True)),
        ({"partitionKey": "https://a.example", "_crHasCrossSiteAncestor": False}, PartitionKey("https://a.example")),
        ({"partitionKey": ""}, None),
        ({"partitionKey": {}}, None),
        ({"partitionKey": None}, None),
    ],
)
def test_the_ways_to_say_a_partition(fields: dict[str, Any], key: PartitionKey | None) -> None:
    cookie = {"name": "a", "value": "b", "domain": "w.example", "secure": True} | fields
    assert taken(json.dumps({"cookies": [cookie]})).state.cookies()[0].partition_key == key


def test_a_cookie_given_by_url_is_one_of_its_host() -> None:
    found = taken('{"cookies": [{"name": "a", "value": "b", "url": "https://www.example.com/x"}]}')
    assert found.state.cookies() == [Cookie("a", "b", "www.example.com", secure=True)]


def test_session_storage_of_other_tools_lands_in_a_tab() -> None:
    text = '{"origins": [{"origin": "https://a.example/", "localStorage": {"l": "1"}, "sessionStorage": {"s": "2"}}]}'
    state = taken(text).state
    assert state.local_storage("https://a.example") == {"l": "1"}
    assert state.session_storage("https://a.example") == {"imported": {"s": "2"}}


def test_what_is_not_kept_is_named() -> None:
    found = taken('{"cookies": [], "origins": [], "credentials": [{"id": "x", "privateKey": "canary"}], "version": 2}')
    assert found.notes == ("1 virtual passkeys were left out: handstamp keeps none", "fields that are not known here were left out: version")


def test_same_site_none_without_secure_is_taken_as_not_said() -> None:
    found = taken('{"cookies": [{"name": "a", "value": "b", "domain": "a.example", "sameSite": "None"}]}')
    assert found.state.cookies()[0].same_site is None
    assert found.notes == ("SameSite=None without Secure was taken as not said: a (a.example)",)


def test_playwright_is_not_sent_to_origins_that_hold_nothing_for_it() -> None:
    state = StorageState.of(
        [
            Part(PartId(PartKind.LOCAL, "https://w.example^0https://shop.example"), {("k",): Entry("v")}),
            Part(PartId(PartKind.LOCAL, "chrome-extension://abc"), {("k",): Entry("v")}),
            Part(PartId(PartKind.SESSION, "https://tabs.example"), {("t", "k"): Entry("v")}),
            Part(PartId(PartKind.LOCAL, "https://local.example"), {("k",): Entry("v")}),
        ]
    )
    written = write(state, format="playwright", now=NOW)
    document = json.loads(written.data)
    assert [origin["origin"] for origin in document["origins"]] == ["https://local.example"]
    assert len(document["_handstamp"]["origins"]) == 3
    assert any("tabs.example" in note for note in written.notes)


def test_a_value_that_playwright_has_no_word_for_is_in_the_file_for_us_and_named() -> None:
    database: dict[tuple[str, ...], Any] = {
        ("schema",): {"version": 1, "stores": [{"name": "s", "keyPath": None, "autoIncrement": True, "indexes": []}]},
        ("record", "s", "1"): '{"clone":1,"root":[0],"nodes":[["Blob","text/plain","canary"]]}',
        ("record", "s", "2"): '"plain"',
        ("counter", "s"): 9,
    }
    state = StorageState.of([Part(PartId(PartKind.IDB, "https://a.example", "auth"), {key: Entry(value) for key, value in database.items()})])
    written = write(state, format="playwright", now=NOW)
    document = json.loads(written.data)
    assert document["origins"][0]["indexedDB"][0]["stores"][0]["records"] == [{"key": 2, "value": "plain"}]
    assert "Playwright has no word for Blob in records of idb/https://a.example/auth, in s" in written.notes
    assert not any("canary" in note for note in written.notes)
    assert taken(written.data.decode()).state.parts[PartId(PartKind.IDB, "https://a.example", "auth")].live() == database


def test_records_without_a_known_database_are_in_the_file_for_us() -> None:
    state = StorageState.of([Part(PartId(PartKind.IDB, "https://a.example", "auth"), {("record", "s", "1"): Entry("1")})])
    written = write(state, format="playwright", now=NOW)
    assert json.loads(written.data)["origins"] == []
    assert taken(written.data.decode()).state.parts[PartId(PartKind.IDB, "https://a.example", "auth")].live() == {("record", "s", "1"): "1"}


def test_a_record_whose_key_cannot_be_found_is_left_out_and_named() -> None:
    store = {"name": "s", "keyPath": "id", "autoIncrement": False, "indexes": [], "records": [{"value": {"other": "canary"}}, {"value": {"id": 1}}]}
    found = taken(json.dumps({"origins": [{"origin": "https://a.example", "indexedDB": [{"name": "d", "version": 1, "stores": [store]}]}]}))
    assert found.notes == ("records of IndexedDB were left out, of those whose key is not found in their value: s (idb/https://a.example/d)",)
    assert ("record", "s", "1") in found.state.parts[PartId(PartKind.IDB, "https://a.example", "d")].live()


def test_a_cookie_that_ends_after_the_year_9999_ends_with_it() -> None:
    state = StorageState.of(
        [Part(PartId(PartKind.COOKIES, "a.example"), {("a.example", "/", "a", "", ""): Entry(Cookie("a", "b", "a.example", expires=1e15))})]
    )
    assert json.loads(write(state, format="playwright", now=NOW).data)["cookies"][0]["expires"] == 253_402_300_799


COOKIE = {"name": "sid", "value": "canary", "domain": "a.example", "path": "/"}


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ({"cookies": {}}, "state.json, cookies: expected a list, found an object"),
        ({"cookies": ["canary"]}, "state.json, cookies[0]: expected an object, found a text"),
        ({"cookies": [COOKIE, COOKIE | {"value": 7}]}, "state.json, cookies[1].value: expected a text, found a number"),
        ({"cookies": [{"value": "canary", "domain": "a.example"}]}, "state.json, cookies[0].name: expected a text, found nothing"),
        ({"cookies": [COOKIE | {"expires": "tomorrow"}]}, "state.json, cookies[0].expires: expected a number, found a text"),
        ({"cookies": [COOKIE | {"expires": True}]}, "state.json, cookies[0].expires: expected a number, found true"),
        ({"cookies": [COOKIE | {"expires": 10**400}]}, "state.json, cookies[0].expires: expected a number of usual size, found a number"),
        ({"cookies": [COOKIE | {"secure": "yes"}]}, "state.json, cookies[0].secure: expected true or false, found a text"),
        ({"cookies": [COOKIE | {"sameSite": "canary"}]}, "state.json, cookies[0].sameSite: expected one of 'strict', 'lax', 'none'"),
        ({"cookies": [COOKIE | {"partitionKey": "canary"}]}, "state.json, cookies[0].partitionKey: expected a site such as"),
        ({"cookies": [COOKIE | {"domain": "a b"}]}, "state.json, cookies[0].domain: expected the name or address of a host"),
        ({"cookies": [COOKIE | {"url": "https://[", "domain": None}]}, "state.json, cookies[0].url: expected a URL"),
        ({"cookies": [COOKIE | {"sourcePort": 70000}]}, "state.json, cookies[0].sourcePort: expected a port number"),
        ({"cookies": [COOKIE | {"value": "canary\n"}]}, "state.json, cookies[0].value: expected a text without control characters"),
        ({"origins": [{"origin": "a.example", "localStorage": []}]}, "state.json, origins[0].origin: expected an origin such as"),
        ({"origins": [{"origin": "https://a.example/x", "localStorage": []}]}, "state.json, origins[0].origin: expected an origin such as"),
        ({"origins": [{"origin": "https://[x"}]}, "state.json, origins[0].origin: expected an origin such as"),
        (
            {"origins": [{"origin": "https://a.example", "localStorage": [{"name": "k", "value": None}]}]},
            "origins[0].localStorage[0].value: expected a text, found null",
        ),
        ({"origins": [{"origin": "https://a.example", "localStorage": {"k": 1}}]}, "origins[0].localStorage.k: expected a text, found a number"),
        (
            {"origins": [{"origin": "https://a.example", "indexedDB": [{"name": "d", "stores": []}]}]},
            "origins[0].indexedDB[0].version: expected a whole number above 0",
        ),
        ({"origins": [{"origin": "https://a.example", "opfs": [{"path": "p", "type": "x"}]}]}, "origins[0].opfs[0].type: expected one of 'file', 'directory'"),
        (7, "state.json: expected an object, found a number"),
    ],
)
def test_a_broken_field_is_named_by_its_path_and_without_its_value(document: Any, complaint: str) -> None:
    assert complaint in refused(document)
