"""What each format carries, found out by writing states in it and reading them back."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from docs_tables import table
from handstamp.formats import WRITABLE, read, read_tree, write, write_tree
from handstamp.state import Clock, Cookie, Entry, Part, PartId, PartitionKey, PartKind, StorageState, cookie_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from handstamp.state import Key

    Back = Callable[[StorageState], StorageState]

NOW = 1_800_000_000.0
_OURS = "_handstamp"
_ORIGIN = "https://app.example.com"
_COOKIE = Cookie("sid", "1", "app.example.com", path="/shop", expires=NOW + 99.0, secure=True, http_only=True, same_site="None")
_BELOW = replace(_COOKIE, name="all", host_only=False)
_SESSION = replace(_COOKIE, name="now", expires=None)
_OWN = replace(_COOKIE, partition_key=PartitionKey("https://example.com"))
_EMBEDDED = replace(_COOKIE, partition_key=PartitionKey("https://shop.example", has_cross_site_ancestor=True))
_SCHEMA = {"version": 3, "stores": [{"name": "s", "keyPath": None, "autoIncrement": True, "indexes": []}]}
_CLONED = '{"clone":1,"root":[0],"nodes":[[%s]]}'


@dataclass(frozen=True)
class _Row:
    """One thing that a format may carry.

    Args:
        name: for people.
        states: that all have to come back.
        attributes: of their cookies that count; of other parts all counts.
    """

    name: str
    states: tuple[StorageState, ...]
    attributes: tuple[str, ...] = ()

    def comes_back(self, back: Back) -> bool:
        return all(self._seen(state) == self._seen(back(state)) for state in self.states)

    def _seen(self, state: StorageState) -> dict[str, Any]:
        return {str(part.id): {key[:3] if self.attributes else key: self._value(value) for key, value in part.live().items()} for part in state.parts.values()}

    def _value(self, value: Any) -> Any:
        return [getattr(value, name) for name in self.attributes] if isinstance(value, Cookie) else value


def _jar(*cookies: Cookie) -> tuple[StorageState, ...]:
    return (_state(PartId(PartKind.COOKIES, cookie_scope(_COOKIE.domain)), {cookie.key: cookie for cookie in cookies}),)


def _kept(kind: PartKind, values: Mapping[Key, Any], *, name: str = "", origin: str = _ORIGIN) -> tuple[StorageState, ...]:
    return (_state(PartId(kind, origin, name), values),)


def _state(part_id: PartId, values: Mapping[Key, Any]) -> StorageState:
    return StorageState.of([Part(part_id, {key: Entry(value) for key, value in values.items()})])


def _database(values: Mapping[Key, Any]) -> tuple[StorageState, ...]:
    return _kept(PartKind.IDB, {("schema",): _SCHEMA} | dict(values), name="db")


ROWS = (
    _Row("cookies: name, value, path, Secure, HttpOnly", _jar(_COOKIE), ("name", "value", "path", "secure", "http_only")),
    _Row("cookies: for one host or for all below it", _jar(_COOKIE, _BELOW), ("domain", "host_only")),
    _Row("cookies: end, or none", _jar(_COOKIE, _SESSION), ("expires",)),
    _Row("cookies: fractions of a second of the end", _jar(replace(_COOKIE, expires=NOW + 99.5)), ("expires",)),
    _Row("cookies: SameSite", (*_jar(_COOKIE), *_jar(replace(_COOKIE, same_site="Strict"))), ("same_site",)),
    _Row("cookies: that SameSite was not said", (*_jar(_COOKIE), *_jar(replace(_COOKIE, same_site=None))), ("same_site",)),
    _Row("cookies: partition (CHIPS)", (*_jar(_OWN), *_jar(_EMBEDDED)), ("partition_key",)),
    _Row("cookies: priority, scheme and port of the source", _jar(replace(_COOKIE, priority="High", source_port=443)), ("priority", "source_port")),
    _Row("localStorage", _kept(PartKind.LOCAL, {("token",): "1"})),
    _Row("sessionStorage, by tab", _kept(PartKind.SESSION, {("t1", "a"): "1", ("t2", "a"): "2"})),
    _Row("IndexedDB: schema; plain values, dates, maps, buffers", _database({("record", "s", '"k"'): _CLONED % '"Date",1800000000000'})),
    _Row("IndexedDB: Blobs, Files, CryptoKeys; counters", _database({("counter", "s"): 7, ("record", "s", '"k"'): _CLONED % '"Blob","text/plain","aGk="'})),
    _Row("files (OPFS)", _kept(PartKind.OPFS, {("a",): {"type": "directory"}, ("a/b",): {"type": "file", "data": "aGk="}})),
    _Row("all of it of frames under another site", _kept(PartKind.LOCAL, {("token",): "1"}, origin=f"{_ORIGIN}^0https://shop.example")),
)


def matrix() -> list[str]:
    """A column for each format that is both written and read."""
    names = [*(name for name in WRITABLE if name != "header"), "tree"]
    return table(("", *(f"`{name}`" for name in names)), [(row.name, *(_cell(row, name) for name in names)) for row in ROWS])


def _cell(row: _Row, name: str) -> str:
    if not row.comes_back(lambda state: _back(state, name)):
        return "no"
    return "ours" if name == "playwright" and not row.comes_back(_as_playwright_reads) else "yes"


def _back(state: StorageState, name: str) -> StorageState:
    if name == "tree":
        return read_tree(write_tree(state).files, now=NOW, clock=Clock("docs")).state
    return read(write(state, format=name, now=NOW).data, format=name, now=NOW, clock=Clock("docs")).state


def _as_playwright_reads(state: StorageState) -> StorageState:
    """What is left without what stands under `_handstamp`, which Playwright passes over."""

    def stripped(node: Any) -> Any:
        if isinstance(node, dict):
            return {name: stripped(value) for name, value in node.items() if name != _OURS}
        return [stripped(item) for item in node] if isinstance(node, list) else node

    text = json.dumps(stripped(json.loads(write(state, format="playwright", now=NOW).data)))
    return read(text.encode(), format="playwright", now=NOW, clock=Clock("docs")).state
