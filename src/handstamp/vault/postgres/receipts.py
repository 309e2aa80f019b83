"""Whether a commit happened whose answer was lost with the connection.

Each connection has a row, and each transaction that changes something writes a new word into it, in the same round trip as
its COMMIT. When the answer is lost, another connection asks for the row, waiting for whoever still writes it: it holds the
word if, and only if, the transaction was committed. That is also so after the server crashed, where PostgreSQL's own
transaction numbers may be given a second time.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

_WRITE = """
INSERT INTO receipts (client, receipt, at) VALUES (%(client)s, %(receipt)s, now())
ON CONFLICT (client) DO UPDATE SET receipt = excluded.receipt, at = excluded.at
"""
_ASK = """
INSERT INTO receipts (client, receipt, at) VALUES (%(client)s, '', now())
ON CONFLICT (client) DO UPDATE SET receipt = receipts.receipt
RETURNING receipt
"""
_SWEEP = """
DELETE FROM receipts WHERE client IN (
    SELECT client FROM receipts WHERE at < now() - INTERVAL '1 day' ORDER BY client LIMIT 1000 FOR UPDATE SKIP LOCKED)
"""


def new() -> str:
    """A receipt, made before anything is sent: the connection may be lost at any word, and then it must be known what to ask for."""
    return secrets.token_hex(8)


def commit(connection: psycopg.Connection, client: str, receipt: str) -> None:
    """Begin to commit: the receipt is sent, and COMMIT after it. Within a pipeline, whose end tells how it went."""
    connection.execute(_WRITE, {"client": client, "receipt": receipt})
    connection.execute("COMMIT")


def committed(connection: psycopg.Connection, client: str, receipt: str) -> bool:
    """Whether the transaction with this receipt was committed; waits while that is not decided."""
    row = connection.execute(_ASK, {"client": client}).fetchone()
    return row is not None and row[0] == receipt


def sweep(connection: psycopg.Connection) -> None:
    """Remove rows of connections that are long gone."""
    connection.execute(_SWEEP)
