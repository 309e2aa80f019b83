"""Bringing a database to the schema of this release. Everything is in a schema of its own, `handstamp`, beside other programs' tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.errors import UnsupportedVersion
from handstamp.vault.postgres.dialect import definition
from handstamp.vault.queries import load_migrations, statements

if TYPE_CHECKING:
    import psycopg

_LOCK = 0x48535450  # "HSTP": whoever migrates has this advisory lock, so that the others wait and then find it done

# What the adapter keeps for itself: which migrations were run, and the last commit of each connection (see `receipts`).
_OWN = (
    "CREATE SCHEMA IF NOT EXISTS handstamp",
    "CREATE TABLE IF NOT EXISTS handstamp.migrations (version BIGINT PRIMARY KEY, done_at TIMESTAMPTZ NOT NULL DEFAULT now())",
    "CREATE TABLE IF NOT EXISTS handstamp.receipts (client TEXT PRIMARY KEY, receipt TEXT NOT NULL, at TIMESTAMPTZ NOT NULL) WITH (fillfactor = 50)",
)


def migrate(connection: psycopg.Connection, where: str) -> None:
    """Apply the migrations that the database has not seen, all or none, one process at a time.

    Raises:
        UnsupportedVersion: a newer handstamp made the schema.
        psycopg.Error: what is in the schema is not ours, or the user may not make one.
    """
    migrations = load_migrations("postgresql")
    newest = migrations[-1][0]
    if _version(connection, where, newest) == newest:
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        seen = _version(connection, where, newest)
        for statement in _OWN:
            connection.execute(statement)
        for number, script in migrations:
            if number > seen:
                _apply(connection, number, script)


def _apply(connection: psycopg.Connection, number: int, script: str) -> None:
    for statement in statements(script):
        connection.execute(definition(statement).encode())
    connection.execute("INSERT INTO handstamp.migrations (version) VALUES (%s)", (number,))


def _version(connection: psycopg.Connection, where: str, newest: int) -> int:
    # (by a query of the catalog, since to_regclass may answer from what this transaction knew before it waited)
    if not connection.execute("SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = 'handstamp' AND tablename = 'migrations'").fetchone():
        return 0
    (version,) = connection.execute("SELECT COALESCE(MAX(version), 0) FROM handstamp.migrations").fetchone() or (0,)
    if version > newest:
        raise UnsupportedVersion(f"the vault {where} has schema {version}, this handstamp knows up to {newest}; upgrade handstamp. Nothing was changed")
    return int(version)
