"""What goes out in a format comes back in, as far as the format can say it; the rest is named in a note."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handstamp.formats import READABLE, WRITABLE, completed, read, read_tree, write, write_tree
from handstamp.state import Clock, Cookie, Entry, Part, PartId, PartitionKey, PartKind, StorageState, cookie_scope

NOW = 1_800_000_000.0
CLOCK = Clock("test")

letters = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters=";="), max_size=12)
names = letters.filter(lambda name: len(name.encode()) < 200)
hosts = st.sampled_from(["example.com", "www.example.com", "localhost", "127.0.0.1", "[::1]", "xn--strae-oqa.example", "a_b.example"])
partitions = st.none() | st.builds(PartitionKey, st.sampled_from(["https://shop.example", "http://localhost"]), st.booleans())
origins = st.sampled_from(["https://example.com", "http://localhost:8900", "https://w.example^0https://shop.example", "chrome-extension://abcdef"])
any_text = st.text(st.characters(), max_size=12)  # lone surrogates and control characters, too: JavaScript strings hold them


def made(cookie: Cookie) -> Cookie:
    """A cookie that a browser may hold: a name or a value, and Secure where it must be."""
    needs_tls = cookie.same_site == "None" or cookie.partition_key is not None
    return replace(cookie, name=cookie.name or ("" if cookie.value else "n"), secure=cookie.secure or needs_tls)


cookies = st.builds(
    Cookie,
    names,
    letters,
    hosts,
    host_only=st.booleans(),
    path=st.sampled_from(["/", "/shop", "/a b", "/ü"]),
    expires=st.none() | st.floats(NOW + 2, 253_402_300_799.0),
    secure=st.booleans(),
    http_only=st.booleans(),
    same_site=st.sampled_from([None, "Strict", "Lax", "None"]),
    partition_key=partitions,
    priority=st.sampled_from(["Low", "Medium", "High"]),
    source_scheme=st.sampled_from(["Unset", "NonSecure", "Secure"]),
    source_port=st.sampled_from([-1, 0, 443, 65_535]),
).map(made)
jars = st.lists(cookies, max_size=8, unique_by=lambda cookie: cookie.key)
items = st.dictionaries(any_text, any_text, min_size=1, max_size=4)
record_keys = st.sampled_from(['"a"', "1", "1.5", '["n","-0"]', '["d",1800000000000]', '["b","aGk="]', '["a",1,["a","x",["d",5]]]', '["a"]', '["d",1e15]'])
record_values = st.sampled_from(
    [
        '"\\ud800"',
        '{"a":[1,null,{"b":true}]}',
        '{"clone":1,"root":["undefined"],"nodes":[]}',
        '{"clone":1,"root":[0],"nodes":[["Object","me",[0],"when",[1],"n",["number","NaN"],"nothing",null],["Date",1800000000000]]}',
        '{"clone":1,"root":[0],"nodes":[["Map",[1],[2]],["Uint8Array",[3],0,2],["Set",["bigint","12"]],["ArrayBuffer","aGk="]]}',
        '{"clone":1,"root":[0],"nodes":[["Blob","text/plain","aGk="]]}',
        '{"clone":1,"root":[0],"nodes":[["Date",1e15]]}',
    ]
)
INDEX = {"name": "i", "keyPath": ["a", "b"], "unique": True, "multiEntry": False}
STORES = [{"name": name, "keyPath": None, "autoIncrement": True, "indexes": [INDEX]} for name in ("s", "t")]
databases = st.builds(
    lambda name, version, counter, records: (
        name,
        {("schema",): {"version": version, "stores": STORES}, ("counter", "s"): counter} | {("record", "s", key): value for key, value in records.items()},
    ),
    any_text,
    st.integers(1, 9),
    st.integers(1, 99),
    st.dictionaries(record_keys, record_values, max_size=4),
)


def state_of(jar: list[Cookie], storage: dict[str, Any] | None = None) -> StorageState:
    parts: dict[PartId, dict[tuple[str, ...], Entry]] = {}
    for cookie in jar:
        parts.setdefault(PartId(PartKind.COOKIES, cookie_scope(cookie.domain)), {})[cookie.key] = Entry(cookie)
    for origin, (local, session, found) in (storage or {}).items():
        parts[PartId(PartKind.LOCAL, origin)] = {(name,): Entry(value) for name, value in local.items()}
        parts[PartId(PartKind.SESSION, origin)] = {(tab, name): Entry(value) for tab, values in session.items() for name, value in values.items()}
        for name, database in found:
            parts[PartId(PartKind.IDB, origin, name)] = {key: Entry(value) for key, value in database.items()}
        parts[PartId(PartKind.OPFS, origin)] = {("a",): Entry({"type": "directory"}), ("a/b",): Entry({"type": "file", "data": "aGk="})}
    return StorageState.of(Part(part_id, entries) for part_id, entries in parts.items())


storages = st.dictionaries(
    origins,
    st.tuples(items, st.dictionaries(any_text, items, max_size=2), st.lists(databases, max_size=2, unique_by=lambda database: paired(database[0]))),
    max_size=3,
)


def values(state: StorageState) -> dict[PartId, dict[tuple[str, ...], Any]]:
    """A state without its stamps. Two surrogates that make a pair are one character to JavaScript, so they are here."""
    return {part_id: {tuple(map(paired, key)): paired(value) for key, value in part.live().items()} for part_id, part in state.parts.items()}


def paired(value: Any) -> Any:
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass") if isinstance(value, str) and pairs(value) else value


def pairs(text: str) -> bool:
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16") != text
    except UnicodeDecodeError:
        return False


def back(state: StorageState, name: str) -> StorageState:
    written = write(state, format=name, now=NOW)
    found = read(written.data, now=NOW, clock=CLOCK)
    if state.cookies():
        assert found.format == name
    return found.state


def whole_seconds(cookie: Cookie) -> Cookie:
    return replace(cookie, expires=cookie.expires and float(int(cookie.expires)))


@given(jars, storages)
def test_playwrights_format_keeps_everything(jar: list[Cookie], storage: dict[str, Any]) -> None:
    state = state_of(jar, storage)
    assert values(back(state, "playwright")) == values(state)


@given(jars, storages)
def test_a_tree_keeps_everything(jar: list[Cookie], storage: dict[str, Any]) -> None:
    state = state_of(jar, storage)
    found = read_tree(write_tree(state).files, now=NOW, clock=CLOCK)
    assert values(found.state) == values(state)
    assert (found.format, write_tree(state).notes) == ("tree", ())


@given(jars)
def test_json_keeps_every_attribute_of_cookies(jar: list[Cookie]) -> None:
    assert values(back(state_of(jar), "json")) == values(state_of(jar))


@pytest.mark.parametrize("name", ["cookie_editor", "editthiscookie"])
@settings(max_examples=50)
@given(jar=jars)
def test_extensions_keep_all_but_priority_and_source(name: str, jar: list[Cookie]) -> None:
    expected = [replace(cookie, priority="Medium", source_scheme="Unset", source_port=-1) for cookie in jar]
    assert values(back(state_of(jar), name)) == values(state_of(expected))


@given(jars)
def test_selenium_keeps_all_but_priority_source_and_fractions(jar: list[Cookie]) -> None:
    jar = [replace(cookie, partition_key=None) for cookie in jar]
    jar = list({cookie.key: cookie for cookie in jar}.values())
    expected = [replace(whole_seconds(cookie), priority="Medium", source_scheme="Unset", source_port=-1) for cookie in jar]
    assert values(back(state_of(jar), "selenium")) == values(state_of(expected))


@given(jars)
def test_a_cookies_txt_keeps_what_it_has_fields_for(jar: list[Cookie]) -> None:
    jar = [replace(cookie, partition_key=None) for cookie in jar]
    jar = list({cookie.key: cookie for cookie in jar}.values())
    expected = [replace(whole_seconds(cookie), same_site=None, priority="Medium", source_scheme="Unset", source_port=-1) for cookie in jar]
    assert values(back(state_of(jar), "netscape")) == values(state_of(expected))


@pytest.mark.parametrize("name", [name for name in WRITABLE if name != "header"])
@settings(max_examples=50)
@given(jar=jars)
def test_reading_back_over_what_is_there_changes_nothing(name: str, jar: list[Cookie]) -> None:
    jar = [replace(cookie, partition_key=None) for cookie in jar]
    state = state_of(list({cookie.key: cookie for cookie in jar}.values()))
    found = read(write(state, format=name, now=NOW).data, now=NOW, clock=CLOCK)
    assert values(completed(found, state)) == values(state)


@pytest.mark.parametrize("name", [name for name in WRITABLE if name != "header"])
@settings(max_examples=30)
@given(jar=jars, storage=storages)
def test_no_cookie_and_no_storage_is_missing_without_a_note(name: str, jar: list[Cookie], storage: dict[str, Any]) -> None:
    state = state_of([whole_seconds(cookie) for cookie in jar], storage)  # fractions are left out without a word
    written = write(state, format=name, now=NOW)
    found = read(written.data, now=NOW, clock=CLOCK).state
    if values(found) != values(state):
        assert written.notes


@pytest.mark.parametrize("name", WRITABLE)
@settings(max_examples=30)
@given(jar=jars, storage=storages)
def test_notes_and_reprs_hold_no_value(name: str, jar: list[Cookie], storage: dict[str, Any]) -> None:
    jar = [replace(cookie, value="canary-cookie") for cookie in jar]
    storage = {origin: ({"k": "canary-local"}, {"t": {"k": "canary-session"}}, found) for origin, (_, _, found) in storage.items()}
    written = write(state_of(jar, storage), format=name, now=NOW, url="https://www.example.com/" if name == "header" else None)
    assert "canary" not in repr(written)
    if name != "header":
        assert "canary" not in repr(read(written.data, now=NOW, clock=CLOCK))


def test_every_format_is_in_one_of_the_lists() -> None:
    assert set(READABLE) | {"header"} == set(WRITABLE) | {"har"}


def test_entries_of_one_import_have_one_stamp_of_its_clock() -> None:
    found = read(b'[{"name":"a","value":"1","domain":"a.example"},{"name":"b","value":"1","domain":"b.example"}]', now=NOW, clock=Clock("me", wall=lambda: 7))
    assert {(entry.stamp.time, entry.stamp.writer) for part in found.state.parts.values() for entry in part.entries.values()} == {(7, "me")}


def test_only_what_belongs_to_the_domains_is_written() -> None:
    state = state_of([Cookie("a", "1", "example.com"), Cookie("b", "1", "notexample.com")], {"https://app.example.com": ({"k": "v"}, {}, [])})
    found = read(write(state, format="playwright", now=NOW, domains=["example.com"]).data, now=NOW, clock=CLOCK).state
    assert [cookie.name for cookie in found.cookies()] == ["a"]
    assert found.local_storage("https://app.example.com") == {"k": "v"}
    assert set(write_tree(state, domains=["notexample.com"]).files) == {"cookies/notexample.com.json"}


def test_tombstones_are_not_written() -> None:
    gone = StorageState.of([Part(PartId(PartKind.LOCAL, "https://a.example"), {("k",): Entry(None)})])
    assert write_tree(gone).files == {}
    assert b"a.example" not in write(gone, format="playwright", now=NOW).data
