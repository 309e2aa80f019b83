"""A JSON document of somebody else's: read step by step, with errors that name file and place and never a value."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from handstamp.errors import UnreadableState
from handstamp.formats.notes import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

_MISSING: Any = object()
_TYPES = frozenset({"an object", "a list", "a number", "true or false"})
_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


@dataclass(frozen=True, slots=True)
class Node:
    """A place in a document.

    Args:
        value: what stands there.
        path: how to find it, ``cookies[3].expires``; empty for the whole.
        file: what to call the document in errors.
    """

    value: Any = field(repr=False)
    path: str
    file: str

    def fail(self, expected: str) -> NoReturn:
        """Refuses the document: at this place it should hold something else.

        Raises:
            UnreadableState: always; names file, place, what was expected and the kind of thing that is there.
        """
        place = f"{self.file}, {self.path}" if self.path else self.file
        found = "another text" if isinstance(self.value, str) and expected not in _TYPES else _kind(self.value)
        raise UnreadableState(f"{place}: expected {expected}, found {found}")

    def refuse(self, name: str, expected: str) -> NoReturn:
        """Refuses the document for a field of this object."""
        self.field(name).fail(expected)

    @property
    def absent(self) -> bool:
        """Whether nothing stands there, or null."""
        return self.value is None or self.value is _MISSING

    def field(self, name: str) -> Node:
        """The place of a field of this object; it may be absent."""
        if not isinstance(self.value, dict):
            self.fail("an object")
        return Node(self.value.get(name, _MISSING), f"{self.path}.{name}" if self.path else name, self.file)

    def fields(self) -> list[Node]:
        """The places of all fields of this object."""
        if not isinstance(self.value, dict):
            self.fail("an object")
        return [Node(value, f"{self.path}.{shown(name)}" if self.path else shown(name), self.file) for name, value in self.value.items()]

    def names(self) -> set[str]:
        """Names of the fields of this object."""
        return set(self.value) if isinstance(self.value, dict) else set()

    def items(self) -> list[Node]:
        """The places of this list's items."""
        if not isinstance(self.value, list):
            self.fail("a list")
        return [Node(item, f"{self.path}[{index}]", self.file) for index, item in enumerate(self.value)]

    def text(self, default: str | None = None) -> str:
        """The text here; `default`, if there is one, where it is absent."""
        if self.absent and default is not None:
            return default
        if not isinstance(self.value, str):
            self.fail("a text")
        return self.value

    def flag(self, *, default: bool) -> bool:
        """True or false, or `default` where it is absent."""
        if self.absent:
            return default
        if not isinstance(self.value, bool):
            self.fail("true or false")
        return self.value

    def number(self) -> float | None:
        """The finite number here, None where it is absent."""
        if self.absent:
            return None
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            self.fail("a number")
        try:
            number = float(self.value)
        except OverflowError:
            self.fail("a number of usual size")
        if not math.isfinite(number):
            self.fail("a finite number")
        return number

    def choice(self, choices: Mapping[str, T], default: T) -> T:
        """What the text here stands for, whatever its case; `default` where it is absent."""
        if self.absent:
            return default
        chosen = choices.get(self.text().lower(), _MISSING)
        if chosen is _MISSING:
            self.fail("one of " + ", ".join(repr(name) for name in choices))
        found: T = chosen
        return found


def _kind(value: Any) -> str:
    if value is _MISSING:
        return "nothing"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    kinds: dict[type, str] = {str: "a text", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return kinds.get(type(value), "something else")


def text_of(data: bytes, file: str) -> str:
    """The text in `data`: UTF-8 with or without a byte order mark, or UTF-16 with one.

    Raises:
        UnreadableState: it is no text; where it is known what it is instead, the message says what to do with it.
    """
    for magic, remedy in _NOT_TEXT.items():
        if data.startswith(magic):
            raise UnreadableState(f"{file}: this is {remedy}")
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableState(f"{file}: byte {error.start} is no {encoding.removesuffix('-sig').upper()} text; export it as UTF-8") from None
    if "\0" in text:
        raise UnreadableState(f"{file}: this is a binary file, not one of the text formats that can be imported")
    return text


_NOT_TEXT = {
    b"SQLite format 3": "a browser's own database; import from the installed browser instead, which can also open its encryption",
    b"age-encryption.org/": "a file sealed with age; open it with its identity or passphrase first",
    b"-----BEGIN AGE ENCRYPTED FILE": "a file sealed with age; open it with its identity or passphrase first",
    b"\x80": "perhaps a Python pickle, which is not opened since that would run what is in it; save the cookies as JSON instead",
    b"PK\x03\x04": "a zip archive; unpack it and import what is inside",
    b"\x1f\x8b": "gzip-compressed; unpack it first",
}


def json_of(text: str, file: str) -> Node:
    """The whole of a JSON document.

    Raises:
        UnreadableState: it is not JSON; the message names line and column.
    """
    try:
        return Node(json.loads(text, parse_constant=_no_constant), "", file)
    except json.JSONDecodeError as error:
        raise UnreadableState(f"{file}, line {error.lineno}, column {error.colno}: not valid JSON: {error.msg}") from None
    except RecursionError:
        raise UnreadableState(f"{file}: JSON nested too deep to be a storage state") from None
    except ValueError as error:
        raise UnreadableState(f"{file}: not valid JSON: {_plain(error)}") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _plain(error: ValueError) -> str:
    text = str(error)
    return text if text.endswith("is no JSON number") else "a number has too many digits"
