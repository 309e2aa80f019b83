"""Which format a file has, and what is said of files that have none."""

from __future__ import annotations

import gzip
import json
import pickle
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handstamp.errors import ConfigError, UnreadableState
from handstamp.formats import READABLE, catalog, read, write
from handstamp.state import Clock, Cookie, Entry, Part, PartId, PartKind, StorageState

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = 1_800_000_000.0
STATE = StorageState.of(
    [Part(PartId(PartKind.COOKIES, "a.example"), {("a.example", "/", "sid", "", ""): Entry(Cookie("sid", "1", "a.example", expires=NOW + 9))})]
)


def complaint(data: bytes, name: str | None = None) -> str:
    with pytest.raises(UnreadableState) as caught:
        read(data, name="file", format=name, now=NOW, clock=Clock("t"))
    assert "canary" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["playwright", "netscape", "cookie_editor", "editthiscookie", "selenium", "json"])
def test_what_was_written_is_recognised(name: str) -> None:
    found = read(write(STATE, format=name, now=NOW).data, now=NOW, clock=Clock("t"))
    assert (found.format, [cookie.name for cookie in found.state.cookies()]) == (name, ["sid"])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks_are_understood(encoding: str) -> None:
    data = write(STATE, format="json", now=NOW).data.decode().encode(encoding)
    assert read(data, now=NOW, clock=Clock("t")).state.cookies()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "file: the file is empty"),
        (b" \r\n\t", "file: the file is empty"),
        (b"canary", "file: of no known format; known are netscape, playwright"),
        (b"<html>canary</html>", "file: of no known format"),
        (b'{"canary": 1}', "file: JSON of no known format"),
        (b"[1]", "file: JSON of no known format"),
        (b'[{"canary": 1}]', "file: JSON of no known format"),
        (b'{"cookies": [', "file, line 1, column 14: not valid JSON: Expecting value"),
        (b'{"cookies": []}\n{', "file, line 2, column 1: not valid JSON: Extra data"),
        (b'{"cookies": [{"expires": NaN}]}', "file: not valid JSON: NaN is no JSON number"),
        (b'{"cookies": [' + b"9" * 5000 + b"]}", "file: not valid JSON: a number has too many digits"),
        (b"[" * 100_000, "file: JSON nested too deep to be a storage state"),
        (b"\xff\xfe\xff", "file: byte 2 is no UTF-16 text; export it as UTF-8"),
        (b"{\xfc", "file: byte 1 is no UTF-8 text; export it as UTF-8"),
        (b"{\0canary", "file: this is a binary file"),
        (b"SQLite format 3\0canary", "file: this is a browser's own database; import from the installed browser instead"),
        (b"age-encryption.org/v1\ncanary", "file: this is a file sealed with age"),
        (pickle.dumps([{"name": "canary"}]), "file: this is perhaps a Python pickle"),
        (gzip.compress(b"canary", mtime=0), "file: this is gzip-compressed"),
        (b"PK\x03\x04canary", "file: this is a zip archive"),
    ],
)
def test_what_cannot_be_read_is_named_with_the_way_out(data: bytes, says: str) -> None:
    assert says in complaint(data)


def test_a_file_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "MAX_BYTES", 10)
    assert "11 bytes are more than the 10 that are read" in complaint(b"[1,2,3,4,5]")


@pytest.mark.parametrize("data", [b"[]", b'{"cookies": [], "origins": []}', b"# Netscape HTTP Cookie File\n"])
def test_an_empty_list_is_no_error_but_said(data: bytes) -> None:
    found = read(data, now=NOW, clock=Clock("t"))
    assert not found.state
    assert found.notes == ("it holds no cookies and no storage",)


def test_a_named_format_is_taken_as_named() -> None:
    assert "expected an object" in complaint(b"[[]]", "har") or "log" in complaint(b"[[]]", "har")
    assert "not valid JSON" in complaint(b"a.example\tTRUE", "playwright")
    assert "line 1: expected 7 fields" in complaint(b'{"cookies": []}', "netscape")
    assert read(b'[{"name": "a", "value": "1", "domain": "a.example"}]', format="Cookie-Editor", now=NOW, clock=Clock("t")).format == "cookie_editor"


def test_a_format_that_is_none_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match="there is no format 'xml' to read; there are netscape, playwright"):
        read(b"x", format="xml", now=NOW, clock=Clock("t"))
    with pytest.raises(ConfigError, match="there is no format 'tree' to write"):
        write(STATE, format="tree", now=NOW)


@given(st.binary(max_size=300), st.sampled_from([None, *READABLE]))
@example(b"\xef\xbb\xbf", None)
def test_any_bytes_are_read_or_refused_with_a_clear_error(data: bytes, name: str | None) -> None:
    with suppress(UnreadableState):
        read(data, format=name, now=NOW, clock=Clock("t"))


COOKIE = {"name": "sid", "value": "1", "domain": ".a.example", "path": "/", "secure": True, "httpOnly": True, "sameSite": "Lax"}
ENTRY = {
    "startedDateTime": "2027-01-15T07:00:00Z",
    "request": {"url": "https://a.example/", "cookies": [{"name": "old", "value": "1"}]},
    "response": {"headers": [{"name": "Set-Cookie", "value": "a=1"}], "cookies": [COOKIE | {"expires": "2030-01-01T00:00:00Z"}]},
}
STORE = {
    "name": "s",
    "autoIncrement": True,
    "keyPathArray": ["id", "a.b"],
    "indexes": [{"name": "i", "keyPath": "x", "unique": True, "multiEntry": False}],
    "records": [
        {"value": {"id": 1, "a": {"b": ["x", 2]}}},
        {"valueEncoded": {"o": [{"k": "id", "v": {"d": "2027-01-15T08:00:00Z"}}, {"k": "a", "v": {"o": [{"k": "b", "v": 1}], "id": 2}}], "id": 1}},
    ],
}
ORIGIN = {
    "origin": "https://a.example",
    "localStorage": [{"name": "k", "value": "v"}],
    "sessionStorage": [{"tab": "t", "name": "k", "value": "v"}],
    "indexedDB": [{"name": "d", "version": 1, "stores": [STORE]}],
    "databases": [{"name": "d", "entries": [[["record", "s", "1"], "1"], [["counter", "s"], 7]]}],
    "opfs": [{"path": "f", "type": "file", "base64": ""}],
}
DOCUMENTS = [
    {"cookies": [COOKIE | {"expires": 1_893_456_000.5, "partitionKey": "https://a.example", "_handstamp": {"priority": "High"}}], "origins": [ORIGIN]},
    {"cookies": [], "origins": [], "credentials": [], "_handstamp": {"origins": [ORIGIN]}},
    [
        COOKIE
        | {"hostOnly": False, "expirationDate": 1_893_456_000, "session": False, "storeId": "0", "id": 1, "partitionKey": {"topLevelSite": "https://a.example"}}
    ],
    [COOKIE | {"expiry": 1_893_456_000}],
    {"log": {"entries": [ENTRY]}},
    [{"name": "a", "value": "1", "domain": "a.example", "host_only": True, "expires": 1.9e9, "partition_key": {"top_level_site": "https://a.example"}}],
]
strange = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
)


def with_one_change(document: Any, draw: Callable[[st.SearchStrategy[Any]], Any]) -> Any:
    """The document with something strange in one place, or with one thing missing."""
    if not document or not isinstance(document, dict | list) or draw(st.integers(0, 4)) == 0:
        return draw(strange)
    changed = document.copy()
    place = draw(st.sampled_from(sorted(document))) if isinstance(document, dict) else draw(st.integers(0, len(document) - 1))
    if draw(st.integers(0, 6)) == 0:
        del changed[place]
    else:
        changed[place] = with_one_change(document[place], draw)
    return changed


@given(st.data(), st.sampled_from(DOCUMENTS), st.sampled_from([None, *READABLE]))
def test_a_document_with_one_strange_place_is_read_or_refused_with_a_clear_error(data: st.DataObject, document: Any, name: str | None) -> None:
    with suppress(UnreadableState):
        read(json.dumps(with_one_change(document, data.draw)).encode(), format=name, now=NOW, clock=Clock("t"))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_documents_that_are_changed_above_are_good_ones(document: Any) -> None:
    assert read(json.dumps(document).encode(), now=NOW, clock=Clock("t")).state
