"""The port between the vault and a database: named queries in transactions. Adapters live beside (`sqlite/`, `postgres/`).

An adapter runs the same queries under the same names, and maps its errors to ours at its edge.

In a transaction that writes, what a decision rests on stays as it was read until the commit. SQLite lets one writer in at
a time; PostgreSQL locks the rows that the queries named in `sql/queries.sql` as variants for writing read: a profile's, a
lease's. So whoever changes something of a profile reads its row first (`find_profile`), within the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from handstamp.errors import VaultUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager
    from pathlib import Path

Value = None | int | float | str | bytes
Row = tuple[Any, ...]
Call = tuple[str, Mapping[str, Value]]
BUSY_SECONDS = 30.0  # for which a transaction waits for others, or for a server to come back


@dataclass(frozen=True, slots=True)
class Answer:
    """What a statement gave.

    Args:
        rows: of a query.
        changed: how many rows a statement changed.
    """

    rows: list[Row]
    changed: int


class Raced(Exception):
    """What this transaction read was changed before it wrote. It is rolled back and tried again."""


class Interrupted(VaultUnavailable):
    """The database went away in the middle of a transaction, of which nothing was written. It can be tried again."""


def whole(*values: object) -> None:
    """See that what must be a whole number is one: a damaged file may give anything.

    Raises:
        VaultUnavailable: it is not.
    """
    if not all(isinstance(value, int) for value in values):
        raise VaultUnavailable("a row of the vault is damaged; run `handstamp doctor`, or restore a backup. Nothing was changed")


class Transaction(Protocol):
    """What can be done within one transaction. Not for use after it, nor in another thread."""

    def rows(self, query: str, /, **values: Value) -> list[Row]:
        """The rows of the named query."""
        ...

    def run(self, query: str, /, **values: Value) -> int:
        """Run the named statement; how many rows it changed."""
        ...

    def together(self, *calls: Call) -> list[Answer]:
        """Run several statements, in order, of which none needs another's answer: one round trip where the database is a server."""
        ...

    def later(self, *calls: Call) -> None:
        """Run statements before the next one, or before the commit at the latest: in its round trip, where the database is a server.

        For those whose answers nobody needs: one that meets rows which others have changed fails on the schema's constraints.
        """
        ...

    def expect(self, calls: Callable[[], Iterable[Call]], *, all_of_it: bool = False) -> None:
        """Say what will probably be asked, so that a database that is a server is asked once; `rows` then finds the answers.

        They are as of now, in this order: what the transaction writes afterwards is not in them. Each is given once.

        Args:
            calls: gives queries; not called where nothing is won by it.
            all_of_it: probably nothing else is read, so that a transaction that reads may end with the last. What is read
                besides all the same may be of a later moment.
        """
        ...

    def now(self) -> int:
        """The database's clock, milliseconds since the epoch; the same throughout the transaction."""
        ...


class Store(Protocol):
    """A database with handstamp's schema. Safe across threads; opens nothing before the first transaction."""

    @property
    def where(self) -> str:
        """Where it is, for people and messages; holds no password."""
        ...

    @property
    def files(self) -> Iterable[Path]:
        """Local files that it keeps, whether they are there now or not."""
        ...

    def read(self) -> AbstractContextManager[Transaction]:
        """A transaction that sees one moment and writes nothing.

        Raises:
            VaultUnavailable: the database cannot be reached or read.
            UnsupportedVersion: a newer handstamp made it.
        """
        ...

    def write(self) -> AbstractContextManager[Transaction]:
        """A transaction that is durable when left, or undone when left by an error; raises besides as `read`.

        Raises:
            VaultFull: there is no room.
        """
        ...

    def damages(self) -> Iterable[str]:
        """What the database's own check of its files finds, a sentence each."""
        ...

    def shrink(self, *, whole: bool) -> int:
        """Give free room back to the file system, as far as that costs what is given back; or `whole`, by writing all anew.

        Returns:
            How many octets that were; 0 where the database does it by itself.
        """
        ...

    def close(self) -> None:
        """Let go of connections; a later transaction opens new ones."""
        ...
