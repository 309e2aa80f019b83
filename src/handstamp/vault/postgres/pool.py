"""Open connections to one server, lent to one transaction at a time, whatever the thread.

Our own, since a pool with threads does not live through a fork, and tells only its log why there is no connection.
"""

from __future__ import annotations

import contextlib
import ctypes
import secrets
import threading
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from handstamp.errors import VaultUnavailable
from handstamp.vault.forks import tell_after_fork
from handstamp.vault.postgres import receipts
from handstamp.vault.postgres.connection import connect
from handstamp.vault.postgres.errors import lost, translated, unreachable
from handstamp.vault.postgres.schema import migrate
from handstamp.vault.store import BUSY_SECONDS, Interrupted

if TYPE_CHECKING:
    from handstamp.vault.postgres.address import Address

MOST = 8  # connections of one process: a server has some hundred for all


@dataclass(frozen=True, slots=True)
class Lent:
    """A connection.

    Args:
        connection: for one transaction at a time.
        era: how often the pool was emptied before.
        client: names the connection's row of receipts.
    """

    connection: psycopg.Connection
    era: int
    client: str = field(default_factory=lambda: secrets.token_hex(12))


class Pool:
    """Connections to the server at `address`. Safe across threads; after a fork the child makes its own."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._idle: list[Lent] = []
        self._era = 0
        self._reached = False
        self._start()
        weakref.finalize(self, _close, self._idle)
        tell_after_fork(self)

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._free = threading.Semaphore(MOST)

    def lend(self) -> Lent:
        """An idle connection, or a new one.

        Raises:
            Interrupted: the server, which was there before, is not there now.
            VaultUnavailable: there is no server, or it does not let us in; or all connections are in use without pause.
        """
        if not self._free.acquire(timeout=BUSY_SECONDS):
            raise VaultUnavailable(f"the vault {self._address.where} was busy for too long; {MOST} other threads are using it without pause, try again")
        try:
            return self._pop() or self._new()
        except BaseException:
            self._free.release()
            raise

    def _new(self) -> Lent:
        try:
            connection = connect(self._address.conninfo)
        except psycopg.Error as error:
            ours = unreachable(error, self._address)
            if self._reached and lost(error):
                raise Interrupted(str(ours)) from None
            raise ours from None
        try:
            migrate(connection, self._address.where)
        except psycopg.Error as error:
            connection.close()
            raise translated(error, self._address) or error from None
        except BaseException:
            connection.close()
            raise
        if not self._reached:
            with contextlib.suppress(psycopg.Error):  # who may only read leaves it to the others
                receipts.sweep(connection)
        self._reached = True
        return Lent(connection, self._era)

    def give_back(self, lent: Lent, *, broken: bool = False) -> None:
        """Take back a connection; one that is broken is closed with all that are idle, which the same end has probably met."""
        if broken:
            self.close()
        with self._lock:
            keep = lent.era == self._era and not lent.connection.closed
            if keep:
                self._idle.append(lent)
        if not keep:
            _close([lent])
        self._free.release()

    def close(self) -> None:
        """Close the idle connections, and those that are lent when they come back."""
        with self._lock:
            self._era += 1
            idle = self._idle[:]
            self._idle.clear()
        _close(idle)

    def forked(self) -> None:
        """Never touch what the parent opened: the server would take our words for its."""
        self._start()
        for lent in self._idle:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(lent.connection))  # kept open until the process ends: closing says goodbye to the server
        self._idle.clear()

    def _pop(self) -> Lent | None:
        with self._lock:
            return self._idle.pop() if self._idle else None


def _close(idle: list[Lent]) -> None:
    for lent in idle:
        with contextlib.suppress(psycopg.Error):
            lent.connection.close()
