"""Writing IndexedDB and private files out of parts, in Playwright's words as far as these go and in our own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from handstamp.formats.clone import Unsayable, date_text, from_text
from handstamp.formats.idb_in import RECORD, SCHEMA
from handstamp.formats.notes import several, shown
from handstamp.state import PartId, PartKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handstamp.state import Key, StorageState


@dataclass(frozen=True, slots=True)
class Said:
    """The databases of an origin, in words for Playwright and for ourselves.

    Args:
        playwright: as Playwright writes them; without those of which only some records are known.
        rest: what these leave out, as `read_rest` reads it.
        unsaid: sentences about values that Playwright has no word for.
    """

    playwright: list[dict[str, Any]] = field(repr=False)
    rest: list[dict[str, Any]] = field(repr=False)
    unsaid: list[str]


def said(state: StorageState, scope: str) -> Said:
    """The databases of an origin in Playwright's words, and the rest in ours."""
    found = Said([], [], [])
    for part in state.of_kind(PartKind.IDB):
        live = part.live() if part.id.scope == scope else {}
        rest = live if SCHEMA not in live else _say(part.id, live, found)
        if rest:
            found.rest.append(raw(part.id.name, rest))
    return found


def raw(name: str, live: Mapping[Key, Any]) -> dict[str, Any]:
    """Entries of a database as they are."""
    return {"name": name, "entries": [[list(key), value] for key, value in live.items()]}


def raw_databases(state: StorageState, scope: str) -> list[dict[str, Any]]:
    """The databases of an origin, whole and in our words only."""
    return [raw(part.id.name, part.live()) for part in state.of_kind(PartKind.IDB) if part.id.scope == scope and part.live()]


def _say(part_id: PartId, live: Mapping[Key, Any], found: Said) -> dict[Key, Any]:
    """Adds a database in Playwright's words; gives the entries that it has no words for."""
    records: dict[str, list[dict[str, Any]]] = {store["name"]: [] for store in live[SCHEMA]["stores"]}
    inline = {store["name"] for store in live[SCHEMA]["stores"] if store["keyPath"] is not None}
    rest: dict[Key, Any] = {}
    losses: dict[str, list[str]] = {}
    for key, value in live.items():
        if key[0] == RECORD and key[1] in records:
            try:
                said_value = dict([from_text(value)])
                records[key[1]].append(said_value if key[1] in inline else _said_key(json.loads(key[2])) | said_value)
            except (Unsayable, RecursionError) as reason:
                losses.setdefault(str(reason) if isinstance(reason, Unsayable) else "deep nesting", []).append(shown(key[1]))
                rest[key] = value
        elif key != SCHEMA:
            rest[key] = value
    found.unsaid.extend(f"Playwright has no word for {kind} in records of {part_id}, in {several(sorted(set(names)))}" for kind, names in losses.items())
    stores = [_said_store(store) | {"records": records[store["name"]]} for store in live[SCHEMA]["stores"]]
    found.playwright.append({"name": part_id.name, "version": live[SCHEMA]["version"], "stores": stores})
    return rest


def _said_store(store: Mapping[str, Any]) -> dict[str, Any]:
    indexes = [
        {"name": index["name"], "multiEntry": index["multiEntry"], "unique": index["unique"]} | _said_path(index["keyPath"]) for index in store["indexes"]
    ]
    return {"name": store["name"], "autoIncrement": store["autoIncrement"], "indexes": indexes} | _said_path(store["keyPath"])


def _said_path(path: str | list[str] | None) -> dict[str, Any]:
    return {} if path is None else {"keyPathArray": path} if isinstance(path, list) else {"keyPath": path}


def _said_key(key: Any) -> dict[str, Any]:
    plain = _plain_key(key)
    return {"keyEncoded": _encoded_key(key)} if plain is None else {"key": plain}


def _plain_key(key: Any) -> Any:
    if not isinstance(key, list):
        return key
    inner = [_plain_key(item) for item in key[1:]] if key[0] == "a" else [None]
    return None if None in inner else inner


def _encoded_key(key: Any) -> Any:
    match key:
        case ["d", number]:
            try:
                return {"d": date_text(number)}
            except OverflowError:
                raise Unsayable("a key that is a date far away") from None
        case ["n", text]:
            return {"v": text}
        case ["b", material]:
            return {"ab": {"b": material}}
        case ["a", *items]:
            return {"a": [_encoded_key(item) for item in items], "id": 1}
    return key


def files(state: StorageState, scope: str) -> list[dict[str, Any]]:
    """The private files of an origin as Playwright writes them, folders before what is in them."""
    part = state.parts.get(PartId(PartKind.OPFS, scope))
    live = part.live() if part else {}
    return [
        {"path": path, "type": "file", "base64": live[path,]["data"]} if live[path,]["type"] == "file" else {"path": path, "type": "directory"}
        for (path,) in sorted(live)
    ]
