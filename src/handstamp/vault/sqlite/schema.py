"""Bringing a vault's file to the schema of this release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.errors import UnsupportedVersion, VaultUnavailable
from handstamp.vault.queries import load_migrations, statements
from handstamp.vault.sqlite.connection import execute

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

APPLICATION_ID = 0x48535450  # "HSTP", in the file's header, so that nobody takes it for another's and we no other's for ours


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Apply the migrations that the file has not seen, all or none, once whoever else opens it now.

    Raises:
        UnsupportedVersion: a newer handstamp wrote the file.
        VaultUnavailable: it is the database of some other program.
    """
    migrations = load_migrations("sqlite")
    newest = migrations[-1][0]
    if _version_now(connection, path, newest) == newest:
        return
    execute(connection, "BEGIN IMMEDIATE")
    try:
        _apply(connection, [text for number, text in migrations if number > _version(connection, path, newest)], newest)
        execute(connection, "COMMIT")
    except BaseException:
        if connection.in_transaction:
            execute(connection, "ROLLBACK")
        raise


def _apply(connection: sqlite3.Connection, scripts: list[str], newest: int) -> None:
    for script in scripts:
        for statement in statements(script):
            execute(connection, statement)
    if scripts:
        execute(connection, f"PRAGMA user_version = {newest}")
        execute(connection, f"PRAGMA application_id = {APPLICATION_ID}")


def _version_now(connection: sqlite3.Connection, path: Path, newest: int) -> int:
    """The version as of one moment: between two statements, somebody else may make the very tables that are missed."""
    execute(connection, "BEGIN")
    try:
        return _version(connection, path, newest)
    finally:
        if connection.in_transaction:
            execute(connection, "ROLLBACK")


def _version(connection: sqlite3.Connection, path: Path, newest: int) -> int:
    (version,) = execute(connection, "PRAGMA user_version").fetchone()
    (application,) = execute(connection, "PRAGMA application_id").fetchone()
    if application != APPLICATION_ID and (version or application or execute(connection, "SELECT 1 FROM sqlite_master").fetchone()):
        raise VaultUnavailable(f"{path} is the database of another program, not a vault; move it away, or set HANDSTAMP_VAULT to another place")
    if version > newest:
        raise UnsupportedVersion(f"the vault {path} has schema {version}, this handstamp knows up to {newest}; upgrade handstamp. Nothing was changed")
    return int(version)
