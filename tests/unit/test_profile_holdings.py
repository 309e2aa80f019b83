"""What a browser's own files have of the saved state, and what of it is newer elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handstamp._signed_in import Order
from handstamp.browser.profile.catch_up import by_scope, work
from handstamp.browser.profile.chromium import profile_launch
from handstamp.browser.profile.holdings import behind, cookies_due, digest, not_held, up_to_date
from handstamp.errors import ConfigError
from handstamp.state import Cookie, Entry, Part, PartId, PartKind, Stamp, StorageState, merge

A = "https://a.example"
LOCAL = PartId(PartKind.LOCAL, A)
IDB = PartId(PartKind.IDB, A, "keys")
OPFS = PartId(PartKind.OPFS, A)
SESSION = PartId(PartKind.SESSION, A)
JAR = PartId(PartKind.COOKIES, "a.example")
NOW = 1_000_000.0
SCHEMA = {"version": 1, "stores": [{"name": "pairs", "keyPath": None, "autoIncrement": False, "indexes": []}]}
entries = st.dictionaries(
    st.tuples(st.text(max_size=3)), st.builds(Entry, st.none() | st.text(max_size=2), st.builds(Stamp, st.integers(0, 5), st.integers(0, 2)))
)


def part(part_id: PartId, at: int = 1, **values: object) -> Part:
    return Part(part_id, {(key,): Entry(value, Stamp(at)) for key, value in values.items()})


def jar(*cookies: Cookie, at: int = 1, gone: tuple[Cookie, ...] = ()) -> Part:
    return Part(JAR, {cookie.key: Entry(cookie, Stamp(at)) for cookie in cookies} | {cookie.key: Entry(None, Stamp(at)) for cookie in gone})


def due(saved: Part, held: Part | None, *there: Cookie) -> tuple[list[Cookie], list[Cookie]]:
    holds = {JAR: digest(held)} if held else {}
    return cookies_due(StorageState.of([saved]), holds, {cookie.key: cookie for cookie in there}, now=NOW)


@given(entries, entries)
def test_a_digest_changes_exactly_when_a_merge_brings_something(one, other) -> None:
    base = Part(LOCAL, one)
    merged = merge(base, Part(LOCAL, other))
    stamps = {key: entry.stamp for key, entry in merged.entries.items()}
    assert (digest(merged) == digest(base)) == (stamps == {key: entry.stamp for key, entry in one.items()})


def test_a_digest_does_not_depend_on_order() -> None:
    assert digest(part(LOCAL, a="1", b="2")) == digest(part(LOCAL, b="2", a="1"))


def test_a_fresh_directory_is_given_everything_as_documents_appear() -> None:
    parts = [part(LOCAL, a="1"), part(IDB, a="1"), part(SESSION, a="1"), part(OPFS, a="1")]
    state = StorageState.of(parts)
    assert set(not_held(state, {}).parts) == {LOCAL, IDB, SESSION}
    assert [found.id for found in behind(state, {})] == [OPFS]
    assert up_to_date(state, {}) == []


def test_what_the_files_have_is_left_alone_but_tabs() -> None:
    parts = [part(LOCAL, a="1"), part(IDB, a="1"), part(SESSION, a="1"), part(OPFS, a="1")]
    state = StorageState.of(parts)
    holds = {each.id: digest(each) for each in parts if each.id is not SESSION}
    assert set(not_held(state, holds).parts) == {SESSION}
    assert behind(state, holds) == []
    assert {found.id for found in up_to_date(state, holds)} == {LOCAL, IDB, OPFS}


def test_what_is_newer_in_the_vault_is_behind_in_the_files_also_by_a_clock_that_is_slow() -> None:
    held = part(LOCAL, at=1000, a="old")
    saved = Part(LOCAL, {**held.entries, ("b",): Entry("new", Stamp(5))})
    assert behind(StorageState.of([saved]), {LOCAL: digest(held)}) == [saved]


def test_a_session_cookie_is_due_since_no_file_has_it() -> None:
    session, kept = Cookie("sid", "v", "a.example"), Cookie("kept", "v", "a.example", expires=NOW + 9)
    saved = jar(session, kept)
    assert due(saved, saved, kept) == ([session], [])


def test_news_of_the_browsers_last_moment_stay() -> None:
    cookie = Cookie("sid", "v", "a.example", expires=NOW + 9)
    saved = jar(cookie)
    assert due(saved, saved, replace(cookie, value="later")) == ([], [])


def test_a_cookie_that_is_newer_in_the_vault_takes_the_place_of_that_in_the_files() -> None:
    old, new = (Cookie("sid", value, "a.example", expires=NOW + 9) for value in ("old", "new"))
    assert due(jar(new, at=2), jar(old), old) == ([new], [])


def test_a_cookie_that_was_deleted_elsewhere_is_removed_and_one_that_is_only_here_stays() -> None:
    gone, only_here = Cookie("gone", "v", "a.example", expires=NOW + 9), Cookie("here", "v", "a.example", expires=NOW + 9)
    given, removed = due(jar(gone=(gone,), at=2), jar(gone), gone, only_here)
    assert (given, [cookie.name for cookie in removed]) == ([], ["gone"])
    assert removed[0].expired(NOW)


def test_an_expired_cookie_is_not_due() -> None:
    assert due(jar(Cookie("sid", "v", "a.example", expires=NOW - 1)), None) == ([], [])


def test_what_is_to_be_brought_in_says_values_and_deletions() -> None:
    database = Part(
        IDB,
        {
            ("schema",): Entry(SCHEMA, Stamp(1)),
            ("record", "pairs", '"a"'): Entry("1", Stamp(1)),
            ("record", "pairs", '"b"'): Entry(None, Stamp(2)),
            ("record", "no such store", '"c"'): Entry(None, Stamp(2)),
        },
    )
    files = Part(OPFS, {("f",): Entry({"type": "file", "data": ""}, Stamp(1)), ("gone",): Entry(None, Stamp(1))})
    told = work([part(LOCAL, a="1", b=None), database, files])
    assert told["items"] == [["a", "1"], ["b", None]]
    (one,) = told["databases"]
    assert (one["dump"]["stores"][0]["records"], one["gone"]) == ([('"a"', "1")], [("pairs", '"b"')])
    assert told["files"] == [{"path": "gone", "type": None}, {"path": "f", "type": "file", "data": ""}]


def test_a_database_that_is_gone_is_gone() -> None:
    told = work([Part(IDB, {("schema",): Entry(None, Stamp(2)), ("record", "pairs", '"a"'): Entry(None, Stamp(2))})])
    assert told["databases"] == [{"name": "keys", "dump": None, "gone": []}]


def test_one_document_serves_all_parts_of_a_storage_key() -> None:
    other = PartId(PartKind.LOCAL, "https://b.example")
    assert [(scope, len(parts)) for scope, parts in by_scope([part(IDB), part(other), part(LOCAL)])] == [(A, 2), ("https://b.example", 1)]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [({"fidelity": "whole"}, "'state' or 'profile'"), ({"mode": "shared"}, "exclusive"), ({"browser": "http://127.0.0.1:9222"}, "runs already")],
)
def test_a_whole_profile_is_for_one_process_and_a_browser_of_ours(arguments: dict[str, str], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        Order("portside", **{"fidelity": "profile", **arguments})


def test_the_proxys_password_is_not_on_the_command_line() -> None:
    launch = profile_launch("/bin/sh", proxy="http://user:secret@proxy.example:3128")
    assert "--proxy-server=http://proxy.example:3128" in launch.arguments
    assert "secret" not in " ".join(launch.arguments)
