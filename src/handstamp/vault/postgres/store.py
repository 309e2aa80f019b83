"""The PostgreSQL adapter: transactions on connections of a pool, and what becomes of them when the server goes away."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

import psycopg

from handstamp.errors import VaultError, VaultUnavailable
from handstamp.vault.forks import tell_after_fork
from handstamp.vault.postgres import receipts
from handstamp.vault.postgres.address import parse
from handstamp.vault.postgres.connection import pipelined
from handstamp.vault.postgres.errors import lost, translated
from handstamp.vault.postgres.pool import Pool
from handstamp.vault.postgres.transaction import PostgresTransaction
from handstamp.vault.store import BUSY_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from handstamp.vault.postgres.pool import Lent

_ASK_AGAIN = 0.2  # seconds between attempts to reach a server that went away


class PostgresStore:
    """See `handstamp.vault.store.Store`.

    Args:
        url: `postgresql://USER@HOST:PORT/DATABASE`, with whatever libpq takes besides.

    Raises:
        ConfigError: `url` is none.
    """

    def __init__(self, url: str) -> None:
        self._address = parse(url)
        self._pool = Pool(self._address)
        self._writers: set[int] = set()
        tell_after_fork(self)

    @property
    def where(self) -> str:
        """User, host, port and database."""
        return self._address.where

    @property
    def files(self) -> tuple[Path, ...]:
        """None: they are the server's."""
        return ()

    @contextlib.contextmanager
    def read(self) -> Iterator[PostgresTransaction]:
        """See `Store.read`."""
        with self._transaction(writing=False) as transaction:
            yield transaction

    @contextlib.contextmanager
    def write(self) -> Iterator[PostgresTransaction]:
        """See `Store.write`. One per thread, as in the other adapter: a second one within it would wait for the rows of the first.

        Raises:
            RuntimeError: this thread is writing already.
        """
        me = threading.get_ident()
        if me in self._writers:
            raise RuntimeError("this thread is within a write to the vault; finish that one first")
        self._writers.add(me)
        try:
            with self._transaction(writing=True) as transaction:
                yield transaction
        finally:
            self._writers.discard(me)

    def damages(self) -> tuple[str, ...]:
        """None: PostgreSQL checks its pages as they are read, and says so by an error. It has no check of its own for all of them."""
        return ()

    def shrink(self, *, whole: bool) -> int:
        """Nothing: PostgreSQL's autovacuum uses room again by itself, and `VACUUM FULL` is for who runs the server."""
        del whole
        return 0

    def close(self) -> None:
        """Let go of connections; a later transaction opens new ones."""
        self._pool.close()

    def forked(self) -> None:
        """In a child process nobody is writing yet."""
        self._writers = set()

    @contextlib.contextmanager
    def _transaction(self, *, writing: bool) -> Iterator[PostgresTransaction]:
        with self._lent() as lent:
            transaction = PostgresTransaction(lent.connection, writing=writing)
            try:
                yield transaction
            except BaseException:
                _roll_back(lent, transaction)
                raise
            if transaction.changed:
                self._commit(lent, transaction)
            elif transaction.begun:
                lent.connection.execute("COMMIT")

    @contextlib.contextmanager
    def _lent(self) -> Iterator[Lent]:
        lent = self._pool.lend()
        broken = True
        try:
            yield lent
            broken = False
        except psycopg.Error as error:
            broken = lost(error, lent.connection)
            ours = translated(error, self._address)
            if ours is None:
                raise
            raise ours from None
        except BaseException:
            broken = lent.connection.closed
            raise
        finally:
            self._pool.give_back(lent, broken=broken)

    def _commit(self, lent: Lent, transaction: PostgresTransaction) -> None:
        receipt = receipts.new()
        try:
            with pipelined(lent.connection):
                transaction.send_later_ones()
                receipts.commit(lent.connection, lent.client, receipt)
        except psycopg.Error as error:
            if not lost(error, lent.connection):
                _roll_back(lent, None)
                raise
            if not self._committed(lent.client, receipt):
                raise

    def _committed(self, client: str, receipt: str) -> bool:
        """Whether a commit happened whose answer was lost. Asks until the server is there again.

        Raises:
            VaultUnavailable: it did not come back in time.
        """
        self._pool.close()  # their server is gone, too
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            with contextlib.suppress(VaultError, psycopg.Error):
                fresh = self._pool.lend()
                try:
                    return receipts.committed(fresh.connection, client, receipt)
                finally:
                    self._pool.give_back(fresh, broken=fresh.connection.closed)
            if time.monotonic() > deadline:
                raise VaultUnavailable(
                    f"the vault {self.where} went away while it confirmed this change, and has not come back: "
                    "whether the change was saved is not known. Look when it is there again, before you repeat it"
                ) from None
            time.sleep(_ASK_AGAIN)


def _roll_back(lent: Lent, transaction: PostgresTransaction | None) -> None:
    if transaction is not None and not transaction.begun:
        return
    try:
        lent.connection.execute("ROLLBACK")
    except psycopg.Error:
        lent.connection.close()
