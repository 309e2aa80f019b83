"""Open connections to one vault's file, lent to one transaction at a time, whatever the thread."""

from __future__ import annotations

import ctypes
import os
import threading
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handstamp.vault.forks import tell_around_fork
from handstamp.vault.sqlite.connection import connect
from handstamp.vault.sqlite.schema import migrate
from handstamp.vault.store import BUSY_SECONDS

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

_KEPT_IDLE = 8


@dataclass(frozen=True, slots=True)
class Lent:
    """A connection, and what it was opened on.

    Args:
        connection: for one transaction at a time.
        files: inodes of the file and its write-ahead log.
        era: how often the pool was closed before.
    """

    connection: sqlite3.Connection
    files: tuple[int, int]
    era: int


class Pool:
    """Connections to the file at `path`. Safe across threads; after a fork the child makes its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files = (str(path), f"{path}-wal")
        self._idle: list[Lent] = []
        self._era = 0
        self._start()
        weakref.finalize(self, _close, self._idle)
        tell_around_fork(self)

    def _start(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._users: list[int] = []  # threads that are within a transaction
        self._forking = 0

    def lend(self) -> Lent:
        """An idle connection, or a new one; raises as `connect` and `migrate`.

        Files that were replaced or removed under a connection are noticed: what it wrote, nobody could find again.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._forking or threading.get_ident() in self._users)
            self._users.append(threading.get_ident())
        try:
            return self._lend()
        except BaseException:
            self._left()
            raise

    def _lend(self) -> Lent:
        files = self._inodes()
        while (lent := self._pop()) is not None:
            if lent.files == files:
                return lent
            _abandon(lent)
        connection = connect(self._path)
        try:
            migrate(connection, self._path)
        except BaseException:
            connection.close()
            raise
        return Lent(connection, self._inodes(), self._era)

    def give_back(self, lent: Lent, *, broken: bool = False) -> None:
        """Take back a connection; when it is broken, or no longer wanted, it is closed, which undoes its transaction."""
        try:
            with self._changed:
                if not broken and lent.era == self._era and len(self._idle) < _KEPT_IDLE:
                    self._idle.append(lent)
                    return
            lent.connection.close()
        finally:
            self._left()

    def _left(self) -> None:
        with self._changed:
            self._users.remove(threading.get_ident())
            self._changed.notify_all()

    def close(self) -> None:
        """Close the idle connections, and those that are lent when they come back."""
        with self._changed:
            self._era += 1
            idle = self._idle[:]
            self._idle.clear()
        _close(idle)

    def before_fork(self) -> None:
        """Wait until no other thread is within the database, and let none in."""
        with self._changed:
            self._forking += 1
            self._changed.wait_for(lambda: set(self._users) <= {threading.get_ident()}, BUSY_SECONDS)

    def after_fork(self) -> None:
        """Let the threads go on."""
        with self._changed:
            self._forking -= 1
            self._changed.notify_all()

    def forked(self) -> None:
        """Never touch what the parent opened (sqlite.org/howtocorrupt.html §2.6)."""
        self._start()
        for lent in self._idle:
            _abandon(lent)
        self._idle.clear()

    def _pop(self) -> Lent | None:
        with self._changed:
            return self._idle.pop() if self._idle else None

    def _inodes(self) -> tuple[int, int]:
        return (_inode(self._files[0]), _inode(self._files[1]))


def _inode(path: str) -> int:
    try:
        return os.stat(path).st_ino  # noqa: PTH116  (each transaction does this; half the time of Path.stat)
    except OSError:
        return 0


def _close(idle: list[Lent]) -> None:
    for lent in idle:
        lent.connection.close()


def _abandon(lent: Lent) -> None:
    """Keep a connection open until the process ends.

    Closing it would remove the write-ahead log by name: another process's, when the file was replaced or we are a fork.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(lent.connection))
