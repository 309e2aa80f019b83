"""Transactions that are tried again where that is safe: after a lost race, and when the database went away before the commit."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, TypeVar

from handstamp.errors import Conflict
from handstamp.vault.store import BUSY_SECONDS, Interrupted, Raced

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from handstamp.vault.store import Store, Transaction

_T = TypeVar("_T")
_RACES = 20  # that a transaction may lose; on SQLite it loses none, there writers queue
_LONGEST_PAUSE = 1.0


def read(store: Store, work: Callable[[Transaction], _T]) -> _T:
    """What `work` gives, in a transaction that reads. It is called again when the database went away: it must not mind.

    Raises:
        VaultUnavailable: the database did not come back within 30 s, or was not there in the first place.
    """
    return _tried(store, store.read, work, BUSY_SECONDS)


def write(store: Store, work: Callable[[Transaction], _T], *, patience: float = BUSY_SECONDS) -> _T:
    """The same in a transaction that writes, durable at return. Nothing of an attempt that is repeated was written.

    Args:
        store: that it is in.
        work: reads and writes; called again with a fresh transaction.
        patience: seconds for which a database that went away may be gone.

    Raises:
        Conflict: others were quicker, again and again.
        VaultUnavailable: as for `read`; or the database went away while it confirmed the commit and did not come back. The
            message says which: only in the latter case something may have been written.
    """
    return _tried(store, store.write, work, patience)


def _tried(store: Store, begin: Callable[[], AbstractContextManager[Transaction]], work: Callable[[Transaction], _T], patience: float) -> _T:
    deadline, races, pause = time.monotonic() + patience, 0, 0.01
    while True:
        try:
            with begin() as transaction:
                return work(transaction)
        except Raced:
            races += 1
            if races == _RACES:
                message = f"others wrote to {store.where} {races} times while this change was made; nothing of it was saved, try again"
                raise Conflict(message) from None
            pause_before_next = 0.0 if races < 3 else random.random() * 0.01 * races  # noqa: S311  (spreads those who race, no secret)
        except Interrupted:
            if time.monotonic() > deadline:
                raise
            pause_before_next = pause = min(_LONGEST_PAUSE, pause * 2)
        time.sleep(pause_before_next)
