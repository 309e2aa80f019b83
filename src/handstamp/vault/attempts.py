"""Logins of one account at one site since the last that worked, counted across processes and machines."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from handstamp.vault.index import MARK_BYTES
from handstamp.vault.model import instant, maybe_instant, maybe_milliseconds
from handstamp.vault.store import Raced, whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from handstamp.vault.store import Transaction

REFUSED_KEPT = 16
"""Marks of refused passwords that are kept for an account; more than any sensible budget lets it be tried."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """How logins of an account went since the last that worked.

    Args:
        failures: how many count against the budget, those that were begun and of which nothing was heard included.
        troubles: how many in a row ended without an answer of the site to the credentials; 0 when the last one was refused.
        failed_at: the last that failed.
        not_before: no login by itself before this.
        reason: why the last one failed, for people; empty when none did.
        refused: marks of the passwords that the site refused, the latest first, see `Vault.password_mark`; `REFUSED_KEPT` at most.
    """

    failures: int = 0
    troubles: int = 0
    failed_at: datetime | None = None
    not_before: datetime | None = None
    reason: str = ""
    refused: tuple[bytes, ...] = field(default=(), repr=False)

    def with_refused(self, mark: bytes) -> Attempts:
        """The same, knowing one more of them."""
        others = (known for known in self.refused if known != mark)
        return replace(self, refused=(mark, *others)[:REFUSED_KEPT])


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
        refused=b"".join(after.refused) or None,
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
    together = bytes(refused or b"")
    marks = tuple(together[at : at + MARK_BYTES] for at in range(0, len(together), MARK_BYTES))
    return revision, Attempts(failures, troubles, maybe_instant(failed_at), maybe_instant(not_before), str(reason), marks)
