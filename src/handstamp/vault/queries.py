"""Named SQL: statements in a .sql file, each under a line ``-- name: what_it_does``."""

from __future__ import annotations

import re
import sqlite3
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def load_queries(package: str) -> dict[str, str]:
    """The statements of `queries.sql` in `package`, by name."""
    pieces = _NAME.split((files(package) / "queries.sql").read_text("utf-8"))
    return {name: statement.strip() for name, statement in zip(pieces[1::2], pieces[2::2], strict=True)}


def load_migrations(package: str) -> list[tuple[int, str]]:
    """Number and text of `migrations/NNNN_*.sql` in `package`, in order."""
    found = sorted((item for item in (files(package) / "migrations").iterdir() if item.name.endswith(".sql")), key=lambda item: item.name)
    return [(int(item.name[:4]), item.read_text("utf-8")) for item in found]


def statements(script: str) -> Iterator[str]:
    """The single statements of a script, without those that are only comment."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
