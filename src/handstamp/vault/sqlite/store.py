"""The SQLite adapter: transactions on connections of a pool."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from functools import cache
from typing import TYPE_CHECKING

from handstamp.errors import VaultUnavailable
from handstamp.vault.forks import tell_after_fork
from handstamp.vault.queries import load_queries
from handstamp.vault.sqlite.connection import beside, execute
from handstamp.vault.sqlite.errors import translated
from handstamp.vault.sqlite.pool import Pool
from handstamp.vault.store import BUSY_SECONDS, Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from handstamp.vault.store import Call, Row, Value


class SqliteTransaction:
    """See `handstamp.vault.store.Transaction`."""

    def __init__(self, connection: sqlite3.Connection, queries: dict[str, str]) -> None:
        self._connection = connection
        self._queries = queries
        self._now: int | None = None

    def rows(self, query: str, /, **values: Value) -> list[Row]:
        """The rows of the named query."""
        return execute(self._connection, self._queries[query], values).fetchall()

    def run(self, query: str, /, **values: Value) -> int:
        """Run the named statement; how many rows it changed."""
        return execute(self._connection, self._queries[query], values).rowcount

    def together(self, *calls: Call) -> list[Answer]:
        """One after the other; there is no way to save."""
        cursors = ((execute(self._connection, self._queries[query], values)) for query, values in calls)
        return [Answer(cursor.fetchall(), cursor.rowcount) for cursor in cursors]

    def later(self, *calls: Call) -> None:
        """At once; there is no way to save."""
        self.together(*calls)

    def expect(self, calls: Callable[[], Iterable[Call]], *, all_of_it: bool = False) -> None:
        """Nothing: each statement is answered at once."""

    def now(self) -> int:
        """The clock of this machine, as SQLite reads it: milliseconds since the epoch."""
        if self._now is None:
            ((self._now,),) = self.rows("now")
        return self._now


class SqliteStore:
    """See `handstamp.vault.store.Store`. Writers of one process queue on a lock here rather than in SQLite, whose waiting is polling."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pool = Pool(path)
        self._queries = _queries()
        self._writing = threading.Lock()
        self._writer: int | None = None
        tell_after_fork(self)

    @property
    def where(self) -> str:
        """The file's path."""
        return str(self._path)

    @property
    def files(self) -> tuple[Path, ...]:
        """The file and those that SQLite keeps beside it."""
        return (self._path, *beside(self._path))

    @contextlib.contextmanager
    def read(self) -> Iterator[SqliteTransaction]:
        """See `Store.read`."""
        with self._errors(), self._transaction("BEGIN") as transaction:
            yield transaction

    @contextlib.contextmanager
    def write(self) -> Iterator[SqliteTransaction]:
        """See `Store.write`. One per thread: a second one within it could only wait for the first.

        Raises:
            RuntimeError: this thread is writing already.
        """
        if self._writer == threading.get_ident():
            raise RuntimeError("this thread is within a write to the vault; finish that one first")
        if not self._writing.acquire(timeout=BUSY_SECONDS):
            raise VaultUnavailable(f"the vault {self._path} was busy for too long; another thread is writing to it without pause, try again")
        try:
            self._writer = threading.get_ident()
            with self._errors(), self._transaction("BEGIN IMMEDIATE") as transaction:
                yield transaction
        finally:
            self._writer = None
            self._writing.release()

    def damages(self) -> Iterator[str]:
        """What SQLite's own check finds."""
        with self.read() as transaction:
            yield from (finding for (finding,) in transaction.rows("integrity_check") if finding != "ok")

    def shrink(self, *, whole: bool) -> int:
        """See `Store.shrink`. A file from before schema 3 has to be written anew once before the cheap way does anything."""
        before = self._octets()
        if whole:
            self._rewrite()
            return before - self._octets()
        free = None
        while True:
            with self.write() as transaction:
                ((left,),) = transaction.rows("free_page_count")
                if not left or left == free:
                    return before - self._octets(transaction)
                transaction.rows("free_pages")
                free = left

    def _rewrite(self) -> None:
        with self._errors():
            lent = self._pool.lend()
            try:
                execute(lent.connection, "PRAGMA auto_vacuum = INCREMENTAL")
                execute(lent.connection, "VACUUM")
            except sqlite3.Error:
                self._pool.give_back(lent, broken=True)
                raise
            self._pool.give_back(lent)

    def _octets(self, transaction: SqliteTransaction | None = None) -> int:
        if transaction is None:
            with self.read() as reading:
                return self._octets(reading)
        ((pages, octets),) = transaction.rows("size")
        return int(pages * octets)

    def close(self) -> None:
        """Let go of connections; a later transaction opens new ones."""
        self._pool.close()

    def forked(self) -> None:
        """In a child process nobody is writing yet."""
        self._writing = threading.Lock()
        self._writer = None

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[SqliteTransaction]:
        lent = self._pool.lend()
        connection = lent.connection
        try:
            execute(connection, begin)
            yield SqliteTransaction(connection, self._queries)
            execute(connection, "COMMIT")
        except sqlite3.Error:
            self._pool.give_back(lent, broken=True)  # after a failure of disk or file, a new connection looks afresh
            raise
        except BaseException:
            execute(connection, "ROLLBACK")
            self._pool.give_back(lent)
            raise
        self._pool.give_back(lent)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            ours = translated(error, self._path)
            if ours is None:
                raise
            raise ours from error


@cache
def _queries() -> dict[str, str]:
    return load_queries("sqlite")
