"""Options of the command line for the fields of an operation, made from its models; secrets are asked for and never typed there."""

from __future__ import annotations

import argparse
import json
import sys
import types
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from handstamp.cli import ask
from handstamp.errors import ConfigError
from handstamp.operations.fields import all_fields, fields_of, is_secret

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic.fields import FieldInfo

    from handstamp.sites.operation import Operation

PREFIX = "field_"
_MANY = (list, set, frozenset, tuple)


def add_fields(parser: argparse.ArgumentParser, operation: Operation, *, taken: Iterable[str]) -> None:
    """An option for each field, in a group for each phase.

    Args:
        parser: gets them; what they give is called `PREFIX` and the field's name.
        operation: whose fields.
        taken: options that the command has itself; a field that is called so gets ``--field-NAME``.
    """
    seen: set[str] = set()
    reserved = set(taken)
    for phase in operation.phases:
        group = parser.add_argument_group(f"fields of {phase.title}" if phase.title else "fields")
        for name, info in fields_of(phase).items():
            if name not in seen:
                seen.add(name)
                _add(group, name, info, option_of(name, reserved))


def option_of(name: str, taken: Iterable[str] = ()) -> str:
    """What is typed for a field: ``--truck-plate``."""
    option = f"--{name.replace('_', '-')}"
    return f"--field-{option[2:]}" if option in taken else option


def given_fields(operation: Operation, typed: dict[str, Any]) -> dict[str, Any]:
    """The fields that were typed, and the secret ones that were to be asked for.

    Raises:
        ConfigError: stdin has fewer lines than secrets are to come from it, or a value is not JSON where it must be.
    """
    fields = all_fields(operation)
    said = {name: typed[PREFIX + name] for name in fields if typed.get(PREFIX + name) is not None}
    hidden = [name for name in said if is_secret(name, fields[name])]
    values = dict(zip(hidden, _asked(hidden), strict=True))
    return {name: values[name] if name in values else _value(name, fields[name], value) for name, value in said.items()}


def _asked(names: list[str]) -> list[str]:
    return [ask.hidden(name.replace("_", " ")) for name in names] if ask.at_terminal() and sys.stdin.isatty() else ask.lines_of_stdin(names)


def _add(group: argparse._ActionsContainer, name: str, info: FieldInfo, option: str) -> None:
    kind = _kind(info.annotation)
    about = (info.description or "").replace("%", "%%")
    need = "needed" if info.is_required() else f"by default {_shown(info)}"
    text = f"{about} ({need})".strip()
    if is_secret(name, info):
        group.add_argument(option, dest=PREFIX + name, action="store_true", default=None, help=f"{text}: asked at the terminal, else a line of stdin")
    elif kind is bool:
        group.add_argument(option, dest=PREFIX + name, action=argparse.BooleanOptionalAction, default=None, help=text)
    elif get_origin(kind) in _MANY or kind in _MANY:
        group.add_argument(option, dest=PREFIX + name, action="append", metavar="VALUE", help=f"{text}; several times for several")
    else:
        group.add_argument(option, dest=PREFIX + name, metavar=_metavar(kind), help=text)


def _value(name: str, info: FieldInfo, typed: Any) -> Any:
    if not _is_json(_kind(info.annotation)):
        return typed
    try:
        return json.loads(typed)
    except ValueError:
        raise ConfigError(f"{option_of(name)} must be JSON; put it in quotes") from None


def _kind(annotation: Any) -> Any:
    """The annotation without ``| None``."""
    if get_origin(annotation) in {Union, types.UnionType}:
        others = [kind for kind in get_args(annotation) if kind is not type(None)]
        return others[0] if len(others) == 1 else annotation
    return annotation


def _is_json(kind: Any) -> bool:
    return get_origin(kind) is dict or (isinstance(kind, type) and (issubclass(kind, dict) or hasattr(kind, "model_fields")))


def _metavar(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return "|".join(map(str, get_args(kind)))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "|".join(str(member.value) for member in kind)
    if _is_json(kind):
        return "JSON"
    return "N" if kind in {int, float} else "VALUE"


def _shown(info: FieldInfo) -> str:
    default = info.get_default(call_default_factory=False)
    return "none" if default is None or default == "" else str(default).replace("%", "%%")
