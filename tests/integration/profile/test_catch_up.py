"""Newer values brought into storage that a browser has kept: what both know, and what only the browser has."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from handstamp.browser import at_once, find_browser
from handstamp.browser.profile.catch_up import catch_up
from handstamp.state import Entry, Part, PartId, PartKind, Stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

NEW = Stamp(2)
NUMBERED = {"name": "numbered", "keyPath": None, "autoIncrement": True, "indexes": []}
PAIRS = {"name": "pairs", "keyPath": None, "autoIncrement": False, "indexes": []}
# Makes a database of one version with stores of {name, keyPath, autoIncrement, records: [[value, key]…]}; the value 'KEY' is a key that stays.
MAKE = """async ([name, version, stores]) => {
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt']);
  await new Promise((resolve, reject) => {
    const opening = indexedDB.open(name, version);
    opening.onupgradeneeded = () => {
      for (const { name, records, ...options } of stores) {
        const store = opening.result.createObjectStore(name, options);
        for (const [value, at] of records) store.put(value === 'KEY' ? { key, id: at } : value, ...(options.keyPath || at === null ? [] : [at]));
      }
    };
    opening.onsuccess = () => { opening.result.close(); resolve(); };
    opening.onerror = reject;
  });
}"""
# [version, {store: {records: {key: value}, indexes}}]; a key that stays is 'KEY'.
LOOK = """async (name) => {
  const asked = (request) => new Promise((resolve, reject) => { request.onsuccess = () => resolve(request.result); request.onerror = reject; });
  const db = await asked(indexedDB.open(name));
  const stores = {};
  for (const name of db.objectStoreNames) {
    const store = db.transaction(name).objectStore(name);
    const [keys, values] = await Promise.all([asked(store.getAllKeys()), asked(store.getAll())]);
    const shown = (value) => (value?.key instanceof CryptoKey && !value.key.extractable ? 'KEY' : value);
    stores[name] = [Object.fromEntries(keys.map((key, at) => [key, shown(values[at])])), [...store.indexNames]];
  }
  db.close();
  return [db.version, stores];
}"""
NEXT = """(name) => new Promise((resolve) => {
  const opening = indexedDB.open(name);
  opening.onsuccess = () => {
    const adding = opening.result.transaction('numbered', 'readwrite').objectStore('numbered').add('next');
    adding.onsuccess = () => { opening.result.close(); resolve(adding.result); };
  };
})"""


class Main:
    """The world of a page's own scripts, where there is no isolated one."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def evaluate(self, expression: str) -> object:
        return self.page.evaluate(expression)


@pytest.fixture
def page(keyed) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(keyed.url)
        yield page
        browser.close()


def bring_in(page: Page, *parts: Part) -> list[tuple[str, str]]:
    return at_once(catch_up(Main(page), parts))


def database(*stores: dict[str, object], version: int = 1, records: dict[str, dict[str, str | None]], counters: dict[str, int] | None = None) -> Part:
    """A part of a database: records as texts by store and key text, None for one that is gone."""
    values: dict[tuple[str, ...], object] = {("schema",): {"version": version, "stores": list(stores)}}
    values |= {("record", store, key): text for store, texts in records.items() for key, text in texts.items()}
    values |= {("counter", store): number for store, number in (counters or {}).items()}
    return Part(PartId(PartKind.IDB, "http://localhost", "db"), {key: Entry(value, NEW) for key, value in values.items()})


def files(**values: str | None) -> Part:
    kinds = {
        name: {"type": "directory"} if value == "/" else value and {"type": "file", "data": base64.b64encode(value.encode()).decode()}
        for name, value in values.items()
    }
    return Part(PartId(PartKind.OPFS, "http://localhost"), {(name.replace("__", "/"),): Entry(value, NEW) for name, value in kinds.items()})


def test_records_are_put_and_deleted_but_for_those_that_nobody_else_could_see(page: Page) -> None:
    page.evaluate(MAKE, ["db", 1, [{**PAIRS, "records": [["old", "changed"], ["old", "removed"], ["mine", "only here"], ["KEY", "key"], ["KEY", "key too"]]}]])
    part = database(PAIRS, records={"pairs": {'"changed"': '"new"', '"removed"': None, '"added"': '{"a":1}', '"key"': None}})
    assert bring_in(page, part) == []
    records = {"added": {"a": 1}, "changed": "new", "key": "KEY", "key too": "KEY", "only here": "mine"}
    assert page.evaluate(LOOK, "db") == [1, {"pairs": [records, []]}]


def test_a_key_generator_goes_on_and_its_last_record_stays(page: Page) -> None:
    page.evaluate(MAKE, ["db", 1, [{**NUMBERED, "records": [["one", None], ["KEY", None]]}]])
    assert bring_in(page, database(NUMBERED, records={"numbered": {"1": '"new"'}}, counters={"numbered": 3})) == []
    assert page.evaluate(LOOK, "db") == [1, {"numbered": [{"1": "new", "2": "KEY"}, []]}]
    assert page.evaluate(NEXT, "db") == 3


def test_a_key_generator_moves_to_where_it_is_elsewhere(page: Page) -> None:
    page.evaluate(MAKE, ["db", 1, [{**NUMBERED, "records": [["one", None]]}]])
    assert bring_in(page, database(NUMBERED, records={"numbered": {"1": '"one"'}}, counters={"numbered": 12})) == []
    assert page.evaluate(NEXT, "db") == 12


def test_a_database_that_was_upgraded_elsewhere_is_upgraded_and_keeps_its_key(page: Page) -> None:
    other = {"name": "other", "keyPath": "id", "autoIncrement": False, "records": [["KEY", "lost with its store"]]}
    page.evaluate(MAKE, ["db", 1, [{**PAIRS, "records": [["KEY", "key"], ["old", "a"]]}, other, {**PAIRS, "name": "gone", "records": []}]])
    index = {"name": "by", "keyPath": "x", "unique": False, "multiEntry": False}
    stores = [{**PAIRS, "indexes": [index]}, {**other, "keyPath": "number", "indexes": []}, {**NUMBERED, "name": "fresh"}]
    for store in stores:
        store.pop("records", None)
    part = database(*stores, version=3, records={"pairs": {'"a"': '{"x":1}'}, "other": {"7": '{"number":7}'}, "fresh": {"1": '"f"'}}, counters={"fresh": 2})
    assert bring_in(page, part) == []
    stores_now = {"fresh": [{"1": "f"}, []], "other": [{"7": {"number": 7}}, []], "pairs": [{"a": {"x": 1}, "key": "KEY"}, ["by"]]}
    assert page.evaluate(LOOK, "db") == [3, stores_now]


def test_a_database_of_a_later_version_stays_and_is_named(page: Page) -> None:
    page.evaluate(MAKE, ["db", 5, [{**PAIRS, "records": [["here", "a"]]}]])
    assert bring_in(page, database(PAIRS, version=4, records={"pairs": {'"a"': '"elsewhere"'}})) == [('database "db"', "VersionError")]
    assert page.evaluate(LOOK, "db") == [5, {"pairs": [{"a": "here"}, []]}]


def test_a_database_that_was_made_anew_elsewhere_is_made_anew(page: Page) -> None:
    page.evaluate(MAKE, ["db", 1, [{**PAIRS, "name": "before", "records": [["old", "a"]]}]])
    assert bring_in(page, database(PAIRS, records={"pairs": {'"a"': '"new"'}})) == []
    assert page.evaluate(LOOK, "db") == [1, {"pairs": [{"a": "new"}, []]}]


def test_a_database_that_is_missing_is_made_and_one_that_is_gone_is_removed(page: Page) -> None:
    page.evaluate(MAKE, ["gone", 1, [{**PAIRS, "records": []}]])
    gone = Part(PartId(PartKind.IDB, "http://localhost", "gone"), {("schema",): Entry(None, NEW)})
    assert bring_in(page, database(PAIRS, records={"pairs": {'"a"': '"new"'}}), gone) == []
    assert page.evaluate("indexedDB.databases()") == [{"name": "db", "version": 1}]
    assert page.evaluate(LOOK, "db") == [1, {"pairs": [{"a": "new"}, []]}]


def test_files_are_written_replaced_and_removed(page: Page) -> None:
    assert bring_in(page, files(same="same", changed="old", removed="old", folder="/", folder__inner="inner")) == []
    assert bring_in(page, files(same="same", changed="new", removed=None, never=None, folder__inner=None, folder=None, other__deep="deep")) == []
    found = page.evaluate("""async () => {
      const read = async (folder, above = '') => {
        const found = [];
        for await (const [name, handle] of folder.entries()) {
          found.push(...(handle.kind === 'directory' ? await read(handle, `${above}${name}/`) : [[above + name, await (await handle.getFile()).text()]]));
        }
        return found;
      };
      return Object.fromEntries(await read(await navigator.storage.getDirectory()));
    }""")
    assert found == {"same": "same", "changed": "new", "other/deep": "deep"}


def test_items_are_set_and_removed_and_one_that_finds_no_room_is_named(page: Page) -> None:
    page.evaluate("Object.assign(localStorage, {changed: 'old', removed: 'old', mine: 'mine'})")
    values = {"changed": "new", "removed": None, "big": "x" * 6_000_000, "after": "after"}
    part = Part(PartId(PartKind.LOCAL, "http://localhost"), {(key,): Entry(value, NEW) for key, value in values.items()})
    assert bring_in(page, part) == [("localStorage", "QuotaExceededError")]
    assert page.evaluate("({...localStorage})") == {"changed": "new", "mine": "mine", "after": "after"}
