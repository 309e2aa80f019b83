"""Logins of one account at one site since the last that worked, counted across processes and machines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from handstamp.vault.model import instant, maybe_instant, maybe_milliseconds
from handstamp.vault.store import Raced, whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from handstamp.vault.store import Transaction


@dataclass(frozen=True, slots=True)
class Attempts:
    """How logins of an account went since the last that worked.

    Args:
        failures: how many count against the budget, those that were begun and of which nothing was heard included.
        troubles: how many in a row ended without an answer of the site to the credentials; 0 when the last one was refused.
        failed_at: the last that failed.
        not_before: no login by itself before this.
        reason: why the last one failed, for people; empty when none did.
        refused: mark of the password that the site refused, see `Vault.password_mark`; None when none was.
    """

    failures: int = 0
    troubles: int = 0
    failed_at: datetime | None = None
    not_before: datetime | None = None
    reason: str = ""
    refused: bytes | None = field(default=None, repr=False)


def read(transaction: Transaction, row_key: bytes) -> Attempts:
    """What is known of an account."""
    return _read(transaction, row_key)[1]


def update(transaction: Transaction, row_key: bytes, change: Callable[[Attempts, datetime], Attempts]) -> Attempts:
    """Read, change, write; `change` gets the database's time besides.

    Raises:
        Raced: somebody else wrote it meanwhile; try the transaction again.
    """
    revision, before = _read(transaction, row_key)
    after = change(before, instant(transaction.now()))
    if after == before:
        return before
    written = transaction.run(
        "put_login_attempts",
        row_key=row_key,
        revision=revision + 1,
        failures=after.failures,
        troubles=after.troubles,
        failed_at=maybe_milliseconds(after.failed_at),
        not_before=maybe_milliseconds(after.not_before),
        reason=after.reason,
        refused=after.refused,
    )
    if not written:
        raise Raced
    return after


def _read(transaction: Transaction, row_key: bytes) -> tuple[int, Attempts]:
    rows = transaction.rows("login_attempts", row_key=row_key)
    if not rows:
        return 0, Attempts()
    revision, failures, troubles, failed_at, not_before, reason, refused = rows[0]
    whole(revision, failures, troubles)
    mark = None if refused is None else bytes(refused)
    return revision, Attempts(failures, troubles, maybe_instant(failed_at), maybe_instant(not_before), str(reason), mark)
