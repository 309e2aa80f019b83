"""Reading TOML tables strictly: every value is asked for by name and type, and what nobody asked for is an error.

Errors name the file, the dotted field, what is wrong and what is allowed.
"""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from typing import TYPE_CHECKING, Any, NoReturn

from handstamp.errors import RecipeInvalid

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}


def load(text: str, *, source: str) -> Table:
    """The whole file as a table.

    Raises:
        RecipeInvalid: it is not TOML; names the line.
    """
    try:
        return Table(tomllib.loads(text), source=source)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        reason = str(error) if isinstance(error, ValueError) else "nested too deeply"
    message = f"{source} is not TOML: {reason}"
    raise RecipeInvalid(message)


class Table:
    """One table of the file. Ask for each value, then call `done`.

    Args:
        values: as tomllib read them.
        source: the file's name, for messages.
        path: of this table in the file, with dots; empty for the whole.
    """

    def __init__(self, values: dict[str, Any], *, source: str, path: str = "") -> None:
        self._values = values
        self._source = source
        self._path = path
        self._asked: list[str] = []

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def fail(self, name: str, problem: str) -> NoReturn:
        """Raise `RecipeInvalid` about one field; about the table itself when `name` is empty."""
        field = ".".join(part for part in (self._path, name) if part)
        message = f"{self._source}: {field + ' ' if field else ''}{problem}"
        raise RecipeInvalid(message)

    def raw(self, name: str) -> Any:
        """The value as it stands, None when it is not there."""
        if name not in self._asked:
            self._asked.append(name)
        return self._values.get(name)

    def _typed(self, name: str, kind: type | tuple[type, ...], wanted: str) -> Any:
        value = self.raw(name)
        # In Python, not in TOML, a truth value is a number.
        if value is not None and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
            self.fail(name, f"must be {wanted}, not {_kind_of(value)}")
        return value

    def text(self, name: str, default: str = "") -> str:
        """A text that is not empty, or `default`."""
        value = self._typed(name, str, "a text")
        if value is not None and not value.strip():
            self.fail(name, "is empty")
        return default if value is None else str(value)

    def needed(self, name: str, example: str) -> str:
        """A text that must be there."""
        value = self.text(name)
        if not value:
            self.fail(name, f"is missing; write for example {example}")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A text or a list of texts; nothing when it is not there."""
        return self._one_or_more(name, str, "a text or a list of texts")

    def numbers(self, name: str) -> tuple[int, ...]:
        """A whole number or a list of them; nothing when it is not there."""
        return self._one_or_more(name, int, "a whole number or a list of them")

    def _one_or_more(self, name: str, kind: type, wanted: str) -> tuple[Any, ...]:
        value = self.raw(name)
        if value is None:
            return ()
        values = value if isinstance(value, list) else [value]
        if not values or any(not isinstance(item, kind) or isinstance(item, bool) or item == "" for item in values):
            self.fail(name, f"must be {wanted}, none of them empty")
        return tuple(values)

    def flag(self, name: str) -> bool:
        """True or false; false when it is not there."""
        return bool(self._typed(name, bool, "true or false"))

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        """A whole number in a range."""
        value = self._typed(name, int, "a whole number")
        if value is not None and not least <= value <= most:
            self.fail(name, f"must be from {least} to {most}")
        return default if value is None else int(value)

    def seconds(self, name: str) -> float | None:
        """A number of seconds above zero; None when it is not there."""
        value = self._typed(name, (int, float), "a number of seconds")
        if value is not None and not 0 < value < math.inf:
            self.fail(name, "must be above zero")
        return None if value is None else float(value)

    def duration(self, name: str) -> float | None:
        """Seconds of a text such as ``5m``, ``12h``, ``300s``, ``30d``; None when it is not there."""
        value = self._typed(name, str, 'a duration such as "300s", "5m", "12h" or "30d"')
        if value is None:
            return None
        found = _DURATION.fullmatch(value.strip())
        if not found or not float(found[1]):
            self.fail(name, 'must be a duration above zero such as "300s", "5m", "12h" or "30d"')
        return float(found[1]) * _SECONDS[found[2]]

    def one_of(self, name: str, allowed: Collection[str], default: str = "") -> str:
        """One of some words."""
        value = self.text(name, default)
        if value not in allowed:
            self.fail(name, f"must be one of {_listed(allowed)}{_nearest(value, allowed)}")
        return value

    def table(self, name: str) -> Table | None:
        """A table, None when it is not there."""
        value = self._typed(name, dict, "a table")
        return None if value is None else self._below(value, name)

    def tables(self, name: str) -> list[Table]:
        """A table or a list of tables; nothing when it is not there."""
        value = self.raw(name)
        if value is None:
            return []
        if isinstance(value, dict):
            return [self._below(value, name)]
        if not isinstance(value, list) or not value or any(not isinstance(item, dict) for item in value):
            self.fail(name, "must be a table or a list of tables, not empty")
        return [self._below(item, f"{name}[{index}]") for index, item in enumerate(value)]

    def _below(self, values: dict[str, Any], name: str) -> Table:
        return Table(values, source=self._source, path=f"{self._path}.{name}" if self._path else name)

    def pairs(self) -> list[tuple[str, Any]]:
        """All keys and values of a table whose keys are free."""
        self._asked.extend(self._values)
        return list(self._values.items())

    def done(self) -> None:
        """Nothing more is asked for: what is left is unknown.

        Raises:
            RecipeInvalid: naming the first unknown key, the nearest known one, and all that are known.
        """
        unknown = [name for name in self._values if name not in self._asked]
        if unknown:
            self.fail(unknown[0], f"is not known{_nearest(unknown[0], self._asked)}; allowed here: {_listed(self._asked)}")


def _kind_of(value: object) -> str:
    names: dict[type, str] = {str: "a text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return names.get(type(value), "a date or time")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _nearest(name: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {found[0]}?)" if found else ""
