"""Which session is to be looked at when: a queue by due time, from which any number of keepers take turns without taking one twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handstamp.vault.model import instant, maybe_milliseconds, milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from handstamp.vault.store import Row, Transaction


@dataclass(frozen=True, slots=True)
class Turn:
    """A session that is to be looked at.

    Args:
        session_id: of the session.
        due_at: when; UTC, the database's clock.
        why: then, for people.
    """

    session_id: str
    due_at: datetime
    why: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """A turn that was taken.

    Args:
        next: the session's next one.
        valid_at: it was found valid then, as before, so that nothing else about it changed; None for anything else.
    """

    next: Turn
    valid_at: datetime | None = None


def enrol(transaction: Transaction, site: str, *, spread: Callable[[], int], limit: int, why: str) -> int:
    """Give sessions of a site that have no turn one within `spread` milliseconds; how many they were."""
    found = transaction.rows("sessions_without_turn", site=site, limit=limit)
    for (session_id,) in found:
        transaction.run("add_turn", session_id=session_id, due_at=transaction.now() + spread(), why=why)
    return len(found)


def claim(transaction: Transaction, *, limit: int, life: int) -> tuple[list[Turn], list[Row]]:
    """Take up to `limit` turns that are due, the longest due first, for `life` milliseconds; with their sessions' rows.

    Whoever does not end a turn within its life is taken for dead, and it is another's.
    """
    now = transaction.now()
    taken = transaction.rows("claim_turns", now=now, until=now + life, limit=limit)
    turns = sorted((Turn(session_id, instant(due_at), why) for session_id, due_at, why in taken), key=lambda turn: turn.due_at)
    return turns, [row for turn in turns for row in transaction.rows("session_by_id", session_id=turn.session_id)]


def end(transaction: Transaction, ended: Iterable[Ended]) -> None:
    """Put down what came of turns, and when the next ones are."""
    for one in ended:
        transaction.run("end_turn", session_id=one.next.session_id, due_at=milliseconds(one.next.due_at), why=one.next.why)
        if one.valid_at is not None:
            transaction.run("note_valid", session_id=one.next.session_id, verified=maybe_milliseconds(one.valid_at))


def soonest(transaction: Transaction) -> datetime | None:
    """When the next turn is due that nobody has; None when there is none."""
    rows = transaction.rows("next_turn", now=transaction.now())
    return instant(rows[0][0]) if rows else None


def find(transaction: Transaction, session_id: str) -> Turn | None:
    """The next turn of a session."""
    rows = transaction.rows("turn", session_id=session_id)
    return Turn(session_id, instant(rows[0][0]), rows[0][1]) if rows else None
