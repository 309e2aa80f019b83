"""The SQLite adapter: transactions over a small pool of connections."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import weakref
from functools import cache
from typing import TYPE_CHECKING, Any

from handstamp.errors import VaultUnavailable
from handstamp.vault.queries import load_queries
from handstamp.vault.sqlite.connection import BUSY_SECONDS, connect
from handstamp.vault.sqlite.errors import translated
from handstamp.vault.sqlite.schema import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from handstamp.vault.store import Row, Value

_KEPT_IDLE = 8


class SqliteTransaction:
    """See `handstamp.vault.store.Transaction`."""

    def __init__(self, connection: sqlite3.Connection, queries: dict[str, str]) -> None:
        self._connection = connection
        self._queries = queries
        self._now: int | None = None

    def rows(self, query: str, /, **values: Value) -> list[Row]:
        """The rows of the named query."""
        return self._connection.execute(self._queries[query], values).fetchall()

    def run(self, query: str, /, **values: Value) -> int:
        """Run the named statement; how many rows it changed."""
        return self._connection.execute(self._queries[query], values).rowcount

    def now(self) -> int:
        """The clock of this machine, as SQLite reads it: milliseconds since the epoch."""
        if self._now is None:
            ((self._now,),) = self.rows("now")
        return self._now


class SqliteStore:
    """See `handstamp.vault.store.Store`. A connection serves one transaction at a time, whatever the thread.

    Writers of one process queue on a lock here rather than in SQLite, whose waiting is polling. After a fork the child
    makes its own connections; the inherited ones are never touched again (sqlite.org/howtocorrupt.html §2.6).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queries = _queries()
        self._start()
        _stores().add(self)

    def _start(self) -> None:
        self._idle: list[tuple[sqlite3.Connection, int]] = []
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._writer: int | None = None

    @property
    def where(self) -> str:
        """The file's path."""
        return str(self._path)

    @contextlib.contextmanager
    def read(self) -> Iterator[SqliteTransaction]:
        """See `Store.read`."""
        with self._transaction("BEGIN") as transaction:
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
            with self._transaction("BEGIN IMMEDIATE") as transaction:
                yield transaction
        finally:
            self._writer = None
            self._writing.release()

    def damages(self) -> Iterator[str]:
        """What SQLite's own check finds."""
        with self.read() as transaction:
            yield from (finding for (finding,) in transaction.rows("integrity_check") if finding != "ok")

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection, _ in idle:
            connection.close()

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[SqliteTransaction]:
        with self._errors(), self._connection() as connection:
            connection.execute(begin)
            try:
                yield SqliteTransaction(connection, self._queries)
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            ours = translated(error, self._path)
            if ours is None:
                raise
            raise ours from error

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection, file = self._take()
        try:
            yield connection
        except sqlite3.Error:
            connection.close()  # after a failure of disk or file a new connection looks afresh
            raise
        except BaseException:
            self._give(connection, file)
            raise
        self._give(connection, file)

    def _take(self) -> tuple[sqlite3.Connection, int]:
        file = self._file()
        while True:
            with self._lock:
                connection, opened = self._idle.pop() if self._idle else (None, 0)
            if connection is None:
                return self._open()
            if opened == file:
                return connection, opened
            connection.close()  # the file was replaced under us: a write would go to one that nobody can open again

    def _open(self) -> tuple[sqlite3.Connection, int]:
        connection = connect(self._path)
        try:
            migrate(connection, self._path)
        except BaseException:
            connection.close()
            raise
        return connection, self._file()

    def _give(self, connection: sqlite3.Connection, file: int) -> None:
        with self._lock:
            if len(self._idle) < _KEPT_IDLE:
                self._idle.append((connection, file))
                return
        connection.close()

    def _file(self) -> int:
        try:
            return os.stat(self._path).st_ino  # noqa: PTH116  (each transaction does this; half the time of Path.stat)
        except OSError:
            return 0

    def _forked(self) -> None:
        _inherited.extend(connection for connection, _ in self._idle)
        self._start()


_inherited: list[Any] = []  # connections of the parent process: neither used nor closed here


@cache
def _queries() -> dict[str, str]:
    return load_queries("handstamp.vault.sqlite")


@cache
def _stores() -> weakref.WeakSet[SqliteStore]:
    """All stores of this process, so that a child drops their connections before anything can touch them."""
    stores: weakref.WeakSet[SqliteStore] = weakref.WeakSet()

    def forked() -> None:
        for store in stores:
            store._forked()  # noqa: SLF001  (its own class, within its own module)

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=forked)
    return stores
