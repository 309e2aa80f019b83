"""Leases as rows: reading, taking, beating, freeing, within a transaction that the caller opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handstamp.vault.leases import queue
from handstamp.vault.leases.holder import Holder
from handstamp.vault.leases.machine import Purpose, Row
from handstamp.vault.store import Raced, whole

if TYPE_CHECKING:
    from datetime import datetime

    from handstamp.vault.leases.machine import Standing
    from handstamp.vault.leases.queue import Waiter
    from handstamp.vault.store import Transaction


@dataclass(frozen=True, slots=True)
class Place:
    """What a lease is for: a profile, or a login of a profile at a site (empty for the whole profile)."""

    profile: str
    purpose: Purpose = Purpose.OPEN
    site: str = ""

    def __str__(self) -> str:
        of = "the login of " if self.purpose is Purpose.LOGIN else ""
        return f"{of}profile '{self.profile}'" + (f" at '{self.site}'" if self.site else "")


@dataclass(frozen=True, slots=True)
class LeaseInfo:
    """Who holds a lease.

    Args:
        profile, purpose, site: what it is for; `site` is None for a whole profile.
        token: of the holder.
        holder: the process.
        since: when it took the lease; UTC, the database's clock.
        beat_at: its last sign of life.
        life: seconds that a sign of life counts.
        standing: how it stands as seen from here: mine is never told, `ALIVE`, `DEAD`, `FRESH` or `STALE`.
        waiting: who waits for it, in the order in which they will get it.
    """

    profile: str
    purpose: Purpose
    site: str | None
    token: int
    holder: Holder
    since: datetime
    beat_at: datetime
    life: float
    standing: Standing
    waiting: tuple[Holder, ...] = ()


def read(transaction: Transaction, place: Place) -> Row:
    """The row of a lease, as never taken when there is none."""
    return _row(transaction.rows("lease", **_key(place)))


def read_with_line(transaction: Transaction, place: Place) -> tuple[Row, list[Waiter]]:
    """The row, and who waits for it."""
    row, line = transaction.together(("lease", _key(place)), ("waiters", _key(place)))
    return _row(row.rows), queue.parse(line.rows)


def _key(place: Place) -> dict[str, str]:
    return {"profile": place.profile, "purpose": place.purpose, "site": place.site}


def _row(found: list[tuple[Any, ...]]) -> Row:
    if not found:
        return Row()
    ((token, holder, taken_at, beat_at, life),) = found
    whole(token, taken_at, beat_at, life)
    return Row(token, Holder.parse(holder) if holder else None, taken_at, beat_at, life)


def take(transaction: Transaction, place: Place, row: Row, me: Holder, life: float) -> int:
    """Take the lease that was read as `row`; the new token.

    Raises:
        Raced: somebody else took it meanwhile.
    """
    taken = transaction.rows(
        "take_lease",
        **_key(place),
        read_token=row.token,
        holder=me.text(),
        now=transaction.now(),
        life=round(life * 1000),
    )
    if not taken:
        raise Raced
    return int(taken[0][0])


def beat(transaction: Transaction, place: Place, token: int) -> None:
    """Give a sign of life."""
    transaction.run("beat_lease", **_key(place), token=token, now=transaction.now())


def free(transaction: Transaction, place: Place, token: int) -> None:
    """Free the lease if it is still held under `token`."""
    transaction.run("free_lease", **_key(place), token=token)
