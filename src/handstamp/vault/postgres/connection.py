"""One connection to a PostgreSQL vault, set up so that what it commits lasts."""

from __future__ import annotations

import psycopg
from psycopg.types.numeric import Int8BinaryDumper

from handstamp.vault.store import BUSY_SECONDS

_SCHEMA = "handstamp"
SETTINGS = {
    "search_path": _SCHEMA,
    "lock_timeout": f"{BUSY_SECONDS:.0f}s",
    "idle_in_transaction_session_timeout": f"{2 * BUSY_SECONDS:.0f}s",  # who stops in the middle does not hold up the others for ever
    "statement_timeout": "0",
    "row_security": "on",
}


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
