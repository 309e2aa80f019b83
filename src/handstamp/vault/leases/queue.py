"""Who waits for a lease: first come, first served.

A waiter has a row, whose number is its place. It looks whether it is its turn, and every few seconds says that it still
looks. Whoever does not, or whose process is seen to be gone, is passed over; it keeps its place until the next taker clears
it away, and then goes to the end. Unlike a holder, a waiter has nothing to lose but its turn, so that time alone may decide.

Looking is reading two rows (on SQLite about 0.1 ms of CPU, on PostgreSQL one round trip), 10 to 50 times a second by the
first in line and 2 to 20 times by those behind it, so that hundreds of waiters cost little. A sign of life is one short
write every two seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handstamp.vault.leases.holder import Holder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from handstamp.vault.leases.rows import Place
    from handstamp.vault.store import Row, Transaction

SIGN_SECONDS = 2.0
PATIENCE = 6_000  # milliseconds of the database's clock for which a sign of life counts
_FIRST, _FIRST_LATER, _BEHIND, _FAR_BEHIND = 0.02, 0.1, 0.05, 0.5


@dataclass(frozen=True, slots=True)
class Waiter:
    """Somebody in line.

    Args:
        number: its place; lower came earlier.
        process: which process waits.
        seen_at: its last sign of life, milliseconds, the database's clock.
    """

    number: int
    process: Holder
    seen_at: int


def ahead(waiters: Iterable[Waiter], number: int | None, *, now: int, me: Holder, alive: Callable[[Holder], bool]) -> list[Waiter]:
    """Those whose turn is before that of the waiter `number`, or of one who is not in line, for None.

    Args:
        waiters: the line.
        number: whose turn is asked.
        now: the database's clock, milliseconds.
        me: the process that looks.
        alive: tells whether a process on this machine still runs.
    """
    before = [waiter for waiter in waiters if number is None or waiter.number < number]
    return [waiter for waiter in before if _counts(waiter, now, me, alive)]


def _counts(waiter: Waiter, now: int, me: Holder, alive: Callable[[Holder], bool]) -> bool:
    return abs(now - waiter.seen_at) <= PATIENCE and (not waiter.process.visible_from(me) or alive(waiter.process))


def pause(before: int, looks: int) -> float:
    """Seconds until the next look, of one with `before` others before it that has looked `looks` times as the first."""
    return min(_FAR_BEHIND, _BEHIND * before) if before else min(_FIRST_LATER, _FIRST * (1 + looks / 10))


def parse(rows: Iterable[Row]) -> list[Waiter]:
    """The line, from its rows."""
    return [Waiter(number, Holder.parse(process), seen_at) for number, process, seen_at in rows]


def join(transaction: Transaction, place: Place, me: Holder) -> int:
    """Go to the end of the line; the number."""
    key = {"profile": place.profile, "purpose": place.purpose, "site": place.site}
    ((number,),) = transaction.rows("add_waiter", holder=me.text(), now=transaction.now(), **key)
    return int(number)


def sign(transaction: Transaction, number: int) -> bool:
    """Say that we still wait; False when we were cleared away."""
    return bool(transaction.run("sign_waiter", waiter_id=number, now=transaction.now()))


def leave(transaction: Transaction, number: int) -> None:
    """Leave the line."""
    transaction.run("delete_waiter", waiter_id=number)


def clear(transaction: Transaction, waiters: Iterable[Waiter], number: int | None, *, counted: Iterable[Waiter]) -> None:
    """Remove the taker, and those before it that do not count."""
    kept = {waiter.number for waiter in counted}
    for waiter in waiters:
        if waiter.number == number or (waiter.number not in kept and (number is None or waiter.number < number)):
            leave(transaction, waiter.number)
