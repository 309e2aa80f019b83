"""A folder of JSON files by domain."""

from __future__ import annotations

import json

import pytest

from handstamp.errors import UnreadableState
from handstamp.formats import Imported, read_tree, write_tree
from handstamp.state import Clock, Cookie, Entry, Part, PartId, PartKind, StorageState, cookie_scope

NOW = 1_800_000_000.0


def taken(files: dict[str, object]) -> Imported:
    return read_tree({path: json.dumps(content).encode() for path, content in files.items()}, now=NOW, clock=Clock("t"))


def test_a_state_is_spread_over_files_by_registrable_domain() -> None:
    cookies = [Cookie("a", "1", "www.example.com"), Cookie("b", "1", "example.com"), Cookie("c", "1", "[::1]"), Cookie("d", "1", "localhost")]
    parts = [
        Part(PartId(PartKind.COOKIES, scope), {cookie.key: Entry(cookie) for cookie in cookies if cookie_scope(cookie.domain) == scope})
        for scope in ("example.com", "[::1]", "localhost")
    ]
    parts.append(Part(PartId(PartKind.LOCAL, "https://app.example.com:8443"), {("k",): Entry("v")}))
    parts.append(Part(PartId(PartKind.LOCAL, "file://"), {("k",): Entry("v")}))
    assert sorted(write_tree(StorageState.of(parts)).files) == [
        "cookies/%5B%3A%3A1%5D.json",
        "cookies/example.com.json",
        "cookies/localhost.json",
        "storage/example.com.json",
        "storage/no-host.json",
    ]


@pytest.mark.parametrize("scope", ["../../etc/passwd", "..", ".hidden", "a/b", "a\\b", "C:"])
def test_no_name_of_a_part_leads_out_of_the_folder(scope: str) -> None:
    files = write_tree(StorageState.of([Part(PartId(PartKind.COOKIES, scope), {("k",): Entry(Cookie("a", "1", "a.example"))})])).files
    (path,) = files
    folder, _, name = path.partition("/")
    assert folder == "cookies"
    assert not set(name) & set("/\\:")
    assert not name.startswith(".")


def test_lists_of_other_tools_are_read_in_their_place() -> None:
    found = taken(
        {
            "cookies/a.example.json": [{"name": "sid", "value": "1", "domain": "a.example", "expires": -1, "httpOnly": True}],
            "cookies/b.example.json": [{"name": "sid", "value": "1", "domain": "b.example", "hostOnly": True, "session": True}],
            "cookies/c.example.json": [],
        }
    )
    assert [(cookie.domain, cookie.http_only) for cookie in found.state.cookies()] == [("a.example", True), ("b.example", False)]


def test_bare_pairs_are_local_storage_of_the_files_domain() -> None:
    found = taken({"storage/a.example.json": {"token": "1"}, "deep/storage/b.example.json": {"origin": "https://b.example", "localStorage": {"t": "2"}}})
    assert found.state.local_storage("https://a.example") == {"token": "1"}
    assert found.state.local_storage("https://b.example") == {"t": "2"}
    assert found.notes == ("taken as localStorage of https, since the file names no origin: a.example",)


def test_other_files_are_left_alone_and_named() -> None:
    found = taken({"README.md": "x", "cookies/notes.txt": "x", "cookies/a.example.json": []})
    assert "files that are not of a tree were left out: README.md and cookies/notes.txt" in found.notes


@pytest.mark.parametrize(
    ("path", "content", "complaint"),
    [
        ("cookies/a.example.json", {"x": "canary"}, "cookies/a.example.json: expected a list of cookies, found an object"),
        ("cookies/a.example.json", [{"name": "a", "value": 1, "domain": "a.example"}], "cookies/a.example.json, [0].value: expected a text, found a number"),
        ("storage/a.example.json", {"token": 1}, "storage/a.example.json, token: expected a text, found a number"),
        ("storage/a.example.json", ["canary"], "storage/a.example.json: expected an object, found a list"),
    ],
)
def test_a_broken_file_is_named(path: str, content: object, complaint: str) -> None:
    with pytest.raises(UnreadableState) as caught:
        taken({path: content})
    assert complaint in str(caught.value)
    assert "canary" not in str(caught.value)
