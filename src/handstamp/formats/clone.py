"""Values of IndexedDB: Playwright's JSON for what plain JSON cannot say <-> the text in which they are kept in a part.

The kept text is plain JSON, or ``{"clone": 1, "root": SLOT, "nodes": [NODE, …]}`` with a flat list of objects. Playwright nests:
``{"o": [{"k": …, "v": …}], "id": 1}`` is an object, ``{"ref": 1}`` the same one again, ``{"d": …}`` a date, and so on. Texts
made here are those that a capture of the same value gives, so that restoring and capturing it is no change.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta
from typing import Any

MARK = '{"clone":'
DEEPEST = 100
"""Levels that a value may have: as plain JSON in a part, and at all in Playwright's file."""

_VIEWS = {
    "i8": ("Int8Array", 1),
    "ui8": ("Uint8Array", 1),
    "ui8c": ("Uint8ClampedArray", 1),
    "i16": ("Int16Array", 2),
    "ui16": ("Uint16Array", 2),
    "i32": ("Int32Array", 4),
    "ui32": ("Uint32Array", 4),
    "f32": ("Float32Array", 4),
    "f64": ("Float64Array", 8),
    "bi64": ("BigInt64Array", 8),
    "bui64": ("BigUint64Array", 8),
}
_SHORT_VIEWS = {name: (short, size) for short, (name, size) in _VIEWS.items()}
_CONSTANTS: dict[str, Any] = {
    "undefined": ["undefined"],
    "null": None,
    "NaN": ["number", "NaN"],
    "Infinity": ["number", "Infinity"],
    "-Infinity": ["number", "-Infinity"],
    "-0": ["number", "-0"],
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Unsayable(Exception):
    """A value that the other side has no word for; its text names the kind, nothing of what is in it."""


def compact(value: Any) -> str:
    """JSON as JavaScript writes it: no spaces, letters as they are, lone surrogates escaped."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text if text.isascii() else "".join(f"\\u{ord(letter):04x}" if "\ud800" <= letter <= "\udfff" else letter for letter in text)


def plain_to_text(value: Any) -> str:
    """The kept text of a value that is plain JSON."""
    text = MARK if _deep(value) else compact(value)
    return _Encoder(value, encoded=False).text() if text.startswith(MARK) else text


def encoded_to_text(value: Any) -> str:
    """The kept text of a value in Playwright's encoding.

    Raises:
        Unsayable: it is of a kind that cannot be kept, or is not encoded as Playwright does.
    """
    try:
        return _Encoder(value, encoded=True).text()
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error):
        raise Unsayable("a value that is not encoded as Playwright does") from None


def _deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [inner for item in level for inner in _inside(item)]
    return bool(level)


def _inside(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


class _Encoder:
    """Flattens a nested value: an object gets its index when it is first met, and is looked into in that order."""

    def __init__(self, value: Any, *, encoded: bool) -> None:
        self._slot = self._of_encoded if encoded else self._of_plain
        node = self._encoded_node if encoded else self._plain_node
        self._nodes: list[list[Any] | None] = []
        self._waiting: list[tuple[int, Any]] = []
        self._indices: dict[int, int] = {}
        self._root = self._slot(value)
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            for index, item in waiting:
                self._nodes[index] = node(item)

    def text(self) -> str:
        if None in self._nodes:
            raise Unsayable("a reference to nothing")
        return compact({"clone": 1, "root": self._root, "nodes": self._nodes})

    def _new(self, item: Any) -> list[int]:
        self._nodes.append(None)
        self._waiting.append((len(self._nodes) - 1, item))
        return [len(self._nodes) - 1]

    def _of_plain(self, value: Any) -> Any:
        return self._new(value) if isinstance(value, dict | list) else value

    def _of_encoded(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        if "v" in value:
            return _CONSTANTS[value["v"]]
        if "bi" in value:
            return ["bigint", str(int(value["bi"]))]
        if "ref" in value:
            return [self._index(value["ref"])]
        if value.get("id"):
            index = self._index(value["id"])
            self._waiting.append((index, value))
            return [index]
        return self._new(value)

    def _index(self, identity: int) -> int:
        if identity not in self._indices:
            self._indices[identity] = len(self._nodes)
            self._nodes.append(None)
        return self._indices[identity]

    def _plain_node(self, item: Any) -> list[Any]:
        if isinstance(item, dict):
            return ["Object", *_flat((name, self._slot(inner)) for name, inner in item.items())]
        return ["Array", *map(self._slot, item)]

    def _encoded_node(self, item: Any) -> list[Any]:
        slot = self._slot
        match item:
            case {"o": pairs}:
                return ["Object", *_flat((str(pair["k"]), slot(pair["v"])) for pair in pairs)]
            case {"a": items}:
                return ["Array", *map(slot, items)]
            case {"m": pairs}:
                return ["Map", *_flat((slot(pair["k"]), slot(pair["v"])) for pair in pairs)]
            case {"s": items}:
                return ["Set", *map(slot, items)]
            case {"ta": view}:
                name, size = _VIEWS[view["k"]]
                return [name, self._new({"ab": view}), 0, len(base64.b64decode(view["b"], validate=True)) // size]
        return _single_node(item)


def _single_node(item: Any) -> list[Any]:
    """An object that holds no others."""
    match item:
        case {"d": date}:
            return ["Date", ["number", "NaN"] if date is None else milliseconds(date)]
        case {"r": expression}:
            return ["RegExp", str(expression["p"]), str(expression["f"])]
        case {"e": error}:
            return ["Error", str(error["n"]), str(error["m"]), str(error["s"])]
        case {"ab": {"b": material}}:
            base64.b64decode(material, validate=True)
            return ["ArrayBuffer", material]
    raise Unsayable("a value of a kind that IndexedDB does not hold")


def _flat(pairs: Any) -> list[Any]:
    return [item for pair in pairs for item in pair]


def milliseconds(date: str) -> int:
    """Milliseconds since 1970 of a date as JavaScript's `toJSON` writes it.

    Raises:
        ValueError: it is no such date, or one outside the years 1 to 9999.
    """
    return round((datetime.fromisoformat(date) - _EPOCH) / timedelta(milliseconds=1))


def date_text(number: float) -> str:
    """The date as JavaScript's `toJSON` writes it.

    Raises:
        OverflowError: it is outside the years 1 to 9999.
    """
    return (_EPOCH + timedelta(milliseconds=number)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_text(text: str) -> tuple[str, Any]:
    """What a kept text is to Playwright: ``("value", plain JSON)`` or ``("valueEncoded", …)``.

    Raises:
        Unsayable: Playwright has no word for something in it.
    """
    parsed = json.loads(text)
    if not text.startswith(MARK):
        return "value", parsed
    try:
        return "valueEncoded", _Decoder(parsed["nodes"]).value(parsed["root"], 0)
    except OverflowError:
        raise Unsayable("Date far away") from None


class _Decoder:
    """Nests a flat value."""

    def __init__(self, nodes: list[list[Any]]) -> None:
        self._nodes = nodes
        self._identities: dict[int, int] = {}

    def value(self, slot: Any, level: int) -> Any:
        if slot is None:
            return {"v": "null"}
        if not isinstance(slot, list):
            return slot
        match slot:
            case ["undefined"]:
                return {"v": "undefined"}
            case ["number", text]:
                return {"v": text}
            case ["bigint", text]:
                return {"bi": text}
        return self._object(slot[0], level)

    def _object(self, index: int, level: int) -> Any:
        if index in self._identities:
            return {"ref": self._identities[index]}
        if level > DEEPEST:
            raise Unsayable("deep nesting")
        kind, *fields = self._nodes[index]
        if kind in {"Object", "Array", "Map", "Set"}:
            identity = self._identities[index] = len(self._identities) + 1
            return self._holder(kind, fields, level + 1) | {"id": identity}
        return self._single(kind, fields)

    def _holder(self, kind: str, fields: list[Any], level: int) -> dict[str, Any]:
        if kind in {"Array", "Set"}:
            return {"a" if kind == "Array" else "s": [self.value(slot, level) for slot in fields]}
        pairs = zip(fields[::2], fields[1::2], strict=True)
        if kind == "Object":
            return {"o": [{"k": name, "v": self.value(slot, level)} for name, slot in pairs]}
        return {"m": [{"k": self.value(key, level), "v": self.value(slot, level)} for key, slot in pairs]}

    def _single(self, kind: str, fields: list[Any]) -> dict[str, Any]:
        match kind, fields:
            case "Date", [number]:
                return {"d": None if isinstance(number, list) else date_text(number)}
            case "RegExp", [source, flags]:
                return {"r": {"p": source, "f": flags}}
            case "Error", [str(name), str(message), str(stack)]:
                return {"e": {"n": name, "m": message, "s": stack}}
            case "ArrayBuffer", [material]:
                return {"ab": {"b": material}}
        if kind in _SHORT_VIEWS:
            return {"ta": self._view(kind, *fields)}
        raise Unsayable(kind)

    def _view(self, kind: str, buffer: list[int], offset: int, length: int | None) -> dict[str, str]:
        short, size = _SHORT_VIEWS[kind]
        material = base64.b64decode(self._nodes[buffer[0]][1])
        end = None if length is None else offset + length * size
        return {"b": base64.b64encode(material[offset:end]).decode("ascii"), "k": short}
