"""Reading IndexedDB and private files into parts, as the browser engine keeps them, out of Playwright's words or our own.

A part ``idb/<origin>/<database>`` holds ``("schema",)``: version and stores, ``("record", store, key)``: text of the value, and
``("counter", store)``, which Playwright does not know. A part ``opfs/<origin>`` holds ``(path,)``: ``{"type": "file", "data": …}``
in base64, or ``{"type": "directory"}``.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from handstamp.formats.clone import Unsayable, compact, encoded_to_text, milliseconds, plain_to_text
from handstamp.formats.notes import shown
from handstamp.state import PartId, PartKind

if TYPE_CHECKING:
    from handstamp.formats.document import Node
    from handstamp.formats.intake import Intake
    from handstamp.state import Key

SCHEMA: Key = ("schema",)
RECORD = "record"
COUNTER = "counter"


def read_database(node: Node, origin: str, intake: Intake) -> None:
    """Reads one database of an origin."""
    part_id = PartId(PartKind.IDB, origin, node.field("name").text())
    stores = node.field("stores").items()
    intake.add(part_id, SCHEMA, {"version": _whole(node.field("version")), "stores": [_store(store) for store in stores]})
    for store in stores:
        name, path = store.field("name").text(), _key_path(store)
        for record in store.field("records").items():
            try:
                intake.add(part_id, (RECORD, name, _key_text(record, path)), _value_text(record))
            except Unsayable as reason:
                intake.note_each(f"records of IndexedDB were left out, of {reason}", f"{shown(name)} ({part_id})")


def _whole(node: Node) -> int:
    number = node.number()
    if number is None or number < 1 or number != int(number):
        node.fail("a whole number above 0")
    return int(number)


def _store(node: Node) -> dict[str, Any]:
    return {
        "name": node.field("name").text(),
        "keyPath": _key_path(node),
        "autoIncrement": node.field("autoIncrement").flag(default=False),
        "indexes": [
            {
                "name": index.field("name").text(),
                "keyPath": _key_path(index),
                "unique": index.field("unique").flag(default=False),
                "multiEntry": index.field("multiEntry").flag(default=False),
            }
            for index in node.field("indexes").items()
        ],
    }


def _key_path(node: Node) -> str | list[str] | None:
    """In Playwright's words a path is `keyPath` or `keyPathArray`; in ours `keyPath` is a text, a list or null."""
    if isinstance(node.field("keyPath").value, list):
        return [item.text() for item in node.field("keyPath").items()]
    if not node.field("keyPathArray").absent:
        return [item.text() for item in node.field("keyPathArray").items()]
    return None if node.field("keyPath").absent else node.field("keyPath").text()


def _value_text(record: Node) -> str:
    if "value" in record.names():
        return plain_to_text(record.field("value").value)
    return encoded_to_text(_encoded(record.field("valueEncoded")))


def _encoded(node: Node) -> Any:
    if node.absent:
        node.fail("the record's value")
    return node.value


def _key_text(record: Node, path: str | list[str] | None) -> str:
    """The record's key, from the record or, where the store has a key path, from its value."""
    if path is not None:
        encoded = "value" not in record.names()
        value = _encoded(record.field("valueEncoded")) if encoded else record.field("value").value
        found = [_at(value, one, encoded=encoded) for one in (path if isinstance(path, list) else [path])]
        return compact(["a", *map(_key, found)] if isinstance(path, list) else _key(found[0]))
    if "key" in record.names():
        return compact(_key(record.field("key").value))
    return compact(_key(_encoded(record.field("keyEncoded"))))


def _at(value: Any, path: str, *, encoded: bool) -> Any:
    """What a key path leads to, in plain JSON or in Playwright's encoding."""
    for name in path.split(".") if path else ():
        if encoded and isinstance(value, dict) and isinstance(value.get("o"), list):
            value = {pair["k"]: pair["v"] for pair in value["o"] if isinstance(pair, dict) and {"k", "v"} <= pair.keys()}
        if not isinstance(value, dict) or name not in value:
            raise Unsayable("those whose key is not found in their value")
        value = value[name]
    return value


def _key(value: Any) -> Any:
    """A key as its text says it: a text or number as itself, the rest as a list that begins with its kind."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return value
    match value:
        case list() | {"a": list()}:
            return ["a", *map(_key, value if isinstance(value, list) else value["a"])]
        case {"d": str(date)}:
            try:
                return ["d", milliseconds(date)]
            except ValueError:
                raise Unsayable("those whose key is a date far away") from None
        case {"v": ("Infinity" | "-Infinity" | "-0") as number}:
            return ["n", number]
        case {"ab": {"b": str(material)}} | {"ta": {"b": str(material)}}:
            return ["b", material]
    raise Unsayable("those whose key is none that IndexedDB takes")


def read_rest(node: Node, origin: str, intake: Intake) -> None:
    """Reads entries of a database in our own words."""
    part_id = PartId(PartKind.IDB, origin, node.field("name").text())
    for entry in node.field("entries").items():
        pair = entry.items()
        if len(pair) != 2:
            entry.fail("a key and a value")
        key = tuple(item.text() for item in pair[0].items())
        intake.add(part_id, key, _entry(key, pair[0], pair[1]))


def _entry(key: Key, place: Node, value: Node) -> Any:
    if (key[:1], len(key)) not in {(SCHEMA, 1), ((RECORD,), 3), ((COUNTER,), 2)}:
        place.fail("a key of a schema, a record or a counter")
    if key == SCHEMA:
        return {"version": _whole(value.field("version")), "stores": [_store(store) for store in value.field("stores").items()]}
    return value.text() if key[0] == RECORD else _whole(value)


def read_file(node: Node, origin: str, intake: Intake) -> None:
    """Reads one entry of an origin's private file system."""
    part_id, path = PartId(PartKind.OPFS, origin), node.field("path").text()
    if not node.field("type").choice({"file": True, "directory": False}, default=True):
        intake.add(part_id, (path,), {"type": "directory"})
        return
    data = node.field("base64").text("")
    try:
        base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        node.field("base64").fail("base64")
    intake.add(part_id, (path,), {"type": "file", "data": data})
