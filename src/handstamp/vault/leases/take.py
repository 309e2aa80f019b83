"""Taking leases, looking at them, breaking them."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handstamp.errors import LeaseHeld
from handstamp.vault import events
from handstamp.vault.leases import rows
from handstamp.vault.leases.holder import alive, this_process
from handstamp.vault.leases.lease import Lease
from handstamp.vault.leases.machine import Ask, Do, Purpose, Row, Standing, decide, standing
from handstamp.vault.leases.rows import LeaseInfo, Place
from handstamp.vault.model import instant
from handstamp.vault.store import Raced

if TYPE_CHECKING:
    from handstamp.vault.leases.holder import Holder
    from handstamp.vault.model import JSON
    from handstamp.vault.store import Store, Transaction

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.01, 0.25


@dataclass
class _Watch:
    """For how long the asker saw the same beat, by its own steady clock."""

    seen: tuple[int, int] = (0, 0)
    since: float = 0.0

    def milliseconds(self, row: Row) -> int:
        now = time.monotonic()
        if (row.token, row.beat_at) != self.seen:
            self.seen, self.since = (row.token, row.beat_at), now
        return round((now - self.since) * 1000)


def acquire(store: Store, place: Place, *, wait: float, life: float) -> Lease:
    """Take a lease, waiting for it up to `wait` seconds. Waiters look again after growing, jittered pauses.

    Raises:
        LeaseHeld: somebody else has it still.
    """
    me, watch = this_process(), _Watch()
    deadline, pause = time.monotonic() + wait, _SHORTEST_PAUSE
    while True:
        with store.read() as transaction:
            row, now = rows.read(transaction, place), transaction.now()
        watched = watch.milliseconds(row)
        if _may_take(row, now, me, watched) and (token := _taken(store, place, row, me, life=life, watched=watched)):
            return Lease(store, place, token=token, holder=me, life=life)
        left = deadline - time.monotonic()
        if left <= 0:
            raise _held(place, row)
        time.sleep(min(left, pause * random.uniform(0.5, 1.0)))  # noqa: S311  (spreads the waiters, no secret)
        pause = min(_LONGEST_PAUSE, pause * 2)


def _may_take(row: Row, now: int, me: Holder, watched: int) -> bool:
    return decide(standing(row, now=now, me=me, alive=alive, watched=watched), Ask.ASK) is Do.TAKE


def _taken(store: Store, place: Place, seen: Row, me: Holder, *, life: float, watched: int) -> int | None:
    """The token; None when somebody was quicker, or the holder gave a sign of life since `seen`."""
    try:
        with store.write() as transaction:
            row = rows.read(transaction, place)
            if row != seen or not _may_take(row, transaction.now(), me, watched):
                return None
            token = rows.take(transaction, place, row, me, life)
            if row.holder is not None:
                _record(transaction, "lease-taken-over", place, row)
            return token
    except Raced:
        return None


def _held(place: Place, row: Row) -> LeaseHeld:
    since = instant(row.taken_at)
    message = f"{place} is held by {row.holder} since {since:%H:%M:%SZ}; wait for it or run `handstamp lock --show {place.profile}`"
    return LeaseHeld(message, holder=str(row.holder), since=since)


def info(transaction: Transaction, place: Place) -> LeaseInfo | None:
    """Who holds a lease, None when nobody does."""
    row = rows.read(transaction, place)
    stands = standing(row, now=transaction.now(), me=this_process(), alive=alive)
    if row.holder is None or stands is Standing.FREE:
        return None
    return LeaseInfo(
        place.profile, place.purpose, place.site or None, row.token, row.holder, instant(row.taken_at), instant(row.beat_at), row.life / 1000, stands
    )


def held(transaction: Transaction) -> list[LeaseInfo]:
    """All leases that somebody holds."""
    places = [Place(profile, Purpose(purpose), site) for profile, purpose, site in transaction.rows("held_leases")]
    return [found for place in places if (found := info(transaction, place))]


def break_open(transaction: Transaction, place: Place, reason: str) -> LeaseInfo | None:
    """Free a lease whoever holds it, and put the reason on record; whom it was taken from."""
    found = info(transaction, place)
    if found is not None:
        _record(transaction, "lease-broken", place, rows.read(transaction, place), reason)
        rows.free(transaction, place, found.token)
    return found


def _record(transaction: Transaction, kind: str, place: Place, row: Row, reason: str | None = None) -> None:
    data: dict[str, JSON] = {"purpose": str(place.purpose), "holder": str(row.holder), "token": row.token}
    events.record(transaction, kind, profile=place.profile, site=place.site or None, data=data | ({"reason": reason} if reason else {}))
