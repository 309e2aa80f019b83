"""Taking leases, looking at them, breaking them."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handstamp.errors import LeaseHeld, VaultError
from handstamp.vault import events, retry
from handstamp.vault.leases import queue, rows
from handstamp.vault.leases.holder import alive, this_process
from handstamp.vault.leases.lease import Lease
from handstamp.vault.leases.machine import Ask, Do, Purpose, Row, Standing, decide, standing
from handstamp.vault.leases.rows import LeaseInfo, Place
from handstamp.vault.model import instant

if TYPE_CHECKING:
    from handstamp.vault.leases.queue import Waiter
    from handstamp.vault.model import JSON
    from handstamp.vault.store import Store, Transaction


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


@dataclass(frozen=True, slots=True)
class _Look:
    """A lease and its line at one moment.

    Args:
        row: the lease.
        line: all who wait.
        before: those of them whose turn is before ours.
        free: the lease may be taken, by whose turn it is.
    """

    row: Row
    line: list[Waiter]
    before: list[Waiter]
    free: bool


class _Asker:
    """One who wants a lease."""

    def __init__(self, store: Store, place: Place, life: float) -> None:
        self._store = store
        self._place = place
        self._life = life
        self._me = this_process()
        self._watch = _Watch()
        self._number: int | None = None
        self._signed = 0.0

    def look(self) -> _Look:
        """How things stand now."""
        return retry.read(self._store, self._looked)

    def take(self, seen: _Look) -> Lease | None:
        """The lease; None when somebody was quicker, or the holder gave a sign of life since `seen`."""

        def taking(transaction: Transaction) -> int | None:
            now = self._looked(transaction)
            if now.row != seen.row or not now.free or now.before:
                return None
            queue.clear(transaction, now.line, self._number, counted=now.before)
            if now.row.holder is not None:
                _record(transaction, "lease-taken-over", self._place, now.row)
            return rows.take(transaction, self._place, now.row, self._me, self._life)

        token = retry.write(self._store, taking)
        if token is None:
            return None
        self._number = None
        return Lease(self._store, self._place, token=token, holder=self._me, life=self._life)

    def stand_in_line(self) -> None:
        """Get in line, or say that we are still there."""
        if self._number is not None and time.monotonic() - self._signed < queue.SIGN_SECONDS:
            return
        self._number = retry.write(self._store, self._standing)
        self._signed = time.monotonic()

    def leave(self) -> None:
        """Leave the line. If the vault cannot be reached, those behind pass us over in a few seconds."""
        if (number := self._number) is not None:
            with contextlib.suppress(VaultError):
                retry.write(self._store, lambda transaction: queue.leave(transaction, number), patience=0)

    def _looked(self, transaction: Transaction) -> _Look:
        row, line = rows.read_with_line(transaction, self._place)
        now = transaction.now()
        stands = standing(row, now=now, me=self._me, alive=alive, watched=self._watch.milliseconds(row))
        return _Look(row, line, queue.ahead(line, self._number, now=now, me=self._me, alive=alive), decide(stands, Ask.ASK) is Do.TAKE)

    def _standing(self, transaction: Transaction) -> int:
        if self._number is not None and queue.sign(transaction, self._number):
            return self._number
        return queue.join(transaction, self._place, self._me)


def acquire(store: Store, place: Place, *, wait: float, life: float, given_up: threading.Event | None = None) -> Lease:
    """Take a lease, waiting for it up to `wait` seconds, in line with others; see `queue`.

    Raises:
        LeaseHeld: somebody else has it still, or comes first; or `given_up` was set.
    """
    given_up = given_up or threading.Event()
    asker, deadline, looks = _Asker(store, place, life), time.monotonic() + wait, 0
    try:
        while True:
            look = asker.look()
            if look.free and not look.before and (lease := asker.take(look)):
                return lease
            if (left := deadline - time.monotonic()) <= 0 or given_up.is_set():
                raise _held(place, look)
            asker.stand_in_line()
            looks = 0 if look.before else looks + 1
            given_up.wait(min(left, queue.pause(len(look.before), looks) * random.uniform(0.7, 1.0)))  # noqa: S311  (spreads the looks, no secret)
    finally:
        asker.leave()


def _held(place: Place, look: _Look) -> LeaseHeld:
    remedy = f"wait for it or run `handstamp lock --show {place.profile}`"
    if look.free and look.before:
        first = look.before[0].process
        return LeaseHeld(f"{place} is next for {first}, who came before; {remedy}", holder=str(first))
    since = instant(look.row.taken_at)
    return LeaseHeld(f"{place} is held by {look.row.holder} since {since:%H:%M:%SZ}; {remedy}", holder=str(look.row.holder), since=since)


def info(transaction: Transaction, place: Place) -> LeaseInfo | None:
    """Who holds a lease, None when nobody does."""
    row, line = rows.read_with_line(transaction, place)
    now, me = transaction.now(), this_process()
    stands = standing(row, now=now, me=me, alive=alive)
    if row.holder is None or stands is Standing.FREE:
        return None
    waiting = tuple(waiter.process for waiter in queue.ahead(line, None, now=now, me=me, alive=alive))
    times = (instant(row.taken_at), instant(row.beat_at), row.life / 1000)
    return LeaseInfo(place.profile, place.purpose, place.site or None, row.token, row.holder, *times, stands, waiting)


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
