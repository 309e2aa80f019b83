"""The public names of the package with the first line of what their docstrings say."""

from __future__ import annotations

import ast
import inspect
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from docs_tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

MODULES = (
    "handstamp",
    "handstamp.sync_api",
    "handstamp.async_api",
    "handstamp.vault",
    "handstamp.state",
    "handstamp.sites",
    "handstamp.formats",
    "handstamp.remote",
    "handstamp.demo",
)
"""What other programs may import; `handstamp.errors` has a page of its own."""
_LONG = 80


def names() -> list[str]:
    """A section for each module."""
    return [line for name in MODULES for line in _section(import_module(name))]


def _section(module: ModuleType) -> list[str]:
    rows = [row for name in module.__all__ if name not in {"errors", "__version__"} for row in _rows(module, name)]
    return [f"## {module.__name__}", "", _first(module), "", *table(("name", "what it is"), rows), ""]


def _rows(module: ModuleType, name: str) -> Iterator[tuple[str, str]]:
    thing = getattr(module, name)
    if inspect.isclass(thing) or inspect.isroutine(thing):
        yield f"`{name}`", _first(thing)
    else:
        yield f"`{name}`", _constant(module, name, thing)
    if inspect.isclass(thing) and module.__name__ != "handstamp":  # which only hands on what has its own section
        for member, value in _members(thing):
            yield f"`{name}.{member}`", _first(value)


def _members(thing: type) -> Iterator[tuple[str, Any]]:
    """What a class offers by itself, and by the classes within handstamp that it is put together of and that are not public themselves."""
    bases = [base for base in thing.__mro__[1:] if base.__module__.startswith("handstamp.vault.face")]
    for owner in (thing, *bases):
        for member, value in vars(owner).items():
            if not member.startswith("_") and _is_said(value):
                yield member, value


def _is_said(value: Any) -> bool:
    return isinstance(value, property | classmethod | staticmethod) or inspect.isfunction(value)


def _first(thing: Any) -> str:
    text = inspect.getdoc(thing) or ""
    return " ".join(text.partition("\n\n")[0].split())


def _constant(module: ModuleType, name: str, value: Any) -> str:
    if said := _said_below(_home(module, name)).get(name):
        return said
    choices = get_args(value)
    if choices and all(isinstance(choice, str) for choice in choices):
        return "one of " + ", ".join(f"`{choice}`" for choice in choices)
    return f"`{value}`" if len(str(value)) < _LONG else f"a {type(value).__name__} of `{type(value[0]).__name__}`"


def _home(module: ModuleType, name: str) -> ModuleType:
    """The module that makes a name which a package only hands on."""
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.ImportFrom) and node.module and any(alias.name == name for alias in node.names):
            return import_module(node.module)
    return module


def _said_below(module: ModuleType) -> dict[str, str]:
    """The texts that stand below assignments."""
    found = {}
    for one, following in pairwise(_tree(module).body):
        match (one, following):
            case ast.Assign(targets=[ast.Name(id=name)]), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = " ".join(text.split())
    return found


@cache
def _tree(module: ModuleType) -> ast.Module:
    return ast.parse(Path(module.__file__ or "").read_text(encoding="utf-8"))
