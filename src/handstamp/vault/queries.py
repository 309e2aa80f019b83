"""Named SQL: statements in `sql/queries.sql`, each under a line ``-- name: what_it_does``.

A variant follows under ``-- name: what_it_does (qualifier)`` and stands in for the statement where the qualifier holds: a
dialect's name, or that name and ``writing`` for what a transaction that writes runs. Migrations work alike, by file name:
what is in `0001_first.postgresql.sql` comes after `0001_first.sql` on PostgreSQL only.
"""

from __future__ import annotations

import re
import sqlite3
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGE = "handstamp.vault.sql"
_NAME = re.compile(r"^-- name: (\w+(?: \([\w, ]+\))?)$", re.MULTILINE)
_COMMENT = re.compile(r"^--.*\n", re.MULTILINE)


def load_queries(dialect: str, *, writing: bool = False) -> dict[str, str]:
    """The statements by name, as they are for `dialect` within a transaction that reads, or writes."""
    text = (files(_PACKAGE) / "queries.sql").read_text("utf-8")
    pieces = _NAME.split(text)
    found = {name: _COMMENT.sub("", statement).strip() for name, statement in zip(pieces[1::2], pieces[2::2], strict=True)}
    wanted = ["", f" ({dialect})", *([f" ({dialect}, writing)"] if writing else [])]
    names = {name.partition(" ")[0] for name in found}
    variants = {name: [found[name + ending] for ending in wanted if name + ending in found] for name in names}
    return {name: statements[-1] for name, statements in variants.items() if statements}


def load_migrations(dialect: str) -> list[tuple[int, str]]:
    """Number and text of `sql/migrations/NNNN_*.sql`, in order."""
    found = sorted((item for item in (files(_PACKAGE) / "migrations").iterdir() if item.name.endswith(".sql")), key=lambda item: item.name.split("."))
    texts: dict[int, str] = {}
    for item in found:
        _, *only_for, _ = item.name.split(".")
        if only_for in ([], [dialect]):
            number = int(item.name[:4])
            texts[number] = texts.get(number, "") + item.read_text("utf-8")
    return sorted(texts.items())


def statements(script: str) -> Iterator[str]:
    """The single statements of a script, without those that are only comment."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
