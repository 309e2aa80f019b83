"""One connection to a PostgreSQL vault, set up so that what it commits lasts."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import psycopg
from psycopg.types.numeric import Int8BinaryDumper

from handstamp.vault.store import BUSY_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCHEMA = "handstamp"
SETTINGS = {
    "search_path": _SCHEMA,
    "default_transaction_isolation": "read committed",  # who waited to migrate must see what was done meanwhile, whatever the server's default
    "lock_timeout": f"{BUSY_SECONDS:.0f}s",
    "idle_in_transaction_session_timeout": f"{2 * BUSY_SECONDS:.0f}s",  # who stops in the middle does not hold up the others for ever
    "statement_timeout": "0",
    "row_security": "on",
}


@contextlib.contextmanager
def pipelined(connection: psycopg.Connection) -> Iterator[None]:
    """What is executed within it goes in one round trip. Raises the first error, and logs none, as psycopg's own does when a connection ends."""
    first: psycopg.Error | None = None
    try:
        with connection.pipeline():
            try:
                yield
            except psycopg.Error as error:
                first = error
    except psycopg.Error as error:
        first = first or error
    if first is not None:
        raise first


def connect(conninfo: str) -> psycopg.Connection:
    """A new connection; statements begin transactions themselves.

    Raises:
        psycopg.Error: there is none to be had.
    """
    connection = psycopg.connect(conninfo, autocommit=True)
    try:
        connection.adapters.register_dumper(int, Int8BinaryDumper)  # one type for all numbers: one prepared statement for a query
        connection.execute("SELECT " + ", ".join("set_config(%s, %s, false)" for _ in SETTINGS), [word for item in SETTINGS.items() for word in item])
        # a commit is on the disk when it returns, also where the server's or the user's setting would have it otherwise
        connection.execute("SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'")
    except BaseException:
        connection.close()
        raise
    return connection
