"""Leases as a state machine: who may write, decided over values.

A lease is a row: who holds it, under which token, since when, and when the holder last gave a sign of life. Whoever asks
first judges how the row stands *as they see it*, then the table below says what to do. The SQL that reads and changes the
row, in one transaction, is elsewhere; the times in it are the database's.

    stands as     means                                               ask     beat    write   release  break
    FREE          nobody holds it                                     TAKE    LOST    LOST    -        -
    MINE          held under my token                                 WAIT    RENEW   ALLOW   FREE     FREE
    ALIVE         another's, whose process runs on this machine       WAIT    LOST    LOST    -        FREE
    DEAD          another's, whose process here is gone               TAKE    LOST    LOST    -        FREE
    FRESH         another machine's or container's, beat within life  WAIT    LOST    LOST    -        FREE
    STALE         another machine's or container's, beat too old      TAKE    LOST    LOST    -        FREE

What follows: a live holder on this machine keeps it for ever, however old; a dead one here is followed at once; elsewhere
only time can tell. Tokens strictly increase with every taking, so that MINE ends for good when somebody else takes over,
and a write under an older token is refused.

Not promised: that a holder on another machine that is paused for longer than the lease's life *knows* that it lost it.
It finds out at its next beat or write, and that write is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.vault.leases.holder import Holder


class Purpose(StrEnum):
    """What a lease is for."""

    OPEN = "open"
    LOGIN = "login"


@dataclass(frozen=True, slots=True)
class Row:
    """A lease as it is kept.

    Args:
        token: of the last taking, 0 before the first; strictly increasing.
        holder: who has it, None when it is free.
        taken_at: milliseconds since the epoch, the database's clock, as all times here.
        beat_at: the holder's last sign of life.
        life: milliseconds that a sign of life counts where the holder's process cannot be looked at.
    """

    token: int = 0
    holder: Holder | None = None
    taken_at: int = 0
    beat_at: int = 0
    life: int = 0


class Standing(StrEnum):
    """How a row stands to whoever looks at it."""

    FREE = "free"
    MINE = "mine"
    ALIVE = "alive"
    DEAD = "dead"
    FRESH = "fresh"
    STALE = "stale"


MEANS = {
    Standing.FREE: "nobody holds it",
    Standing.MINE: "held under the asker's token",
    Standing.ALIVE: "another's, whose process runs on this machine",
    Standing.DEAD: "another's, whose process on this machine is gone",
    Standing.FRESH: "another machine's or container's, with a sign of life within its life",
    Standing.STALE: "another machine's or container's, silent for longer than its life",
}


class Ask(StrEnum):
    """What somebody wants of the row."""

    ASK = "ask"
    BEAT = "beat"
    WRITE = "write"
    RELEASE = "release"
    BREAK = "break"


class Do(StrEnum):
    """What is to be done."""

    TAKE = "take"
    WAIT = "wait"
    RENEW = "renew"
    ALLOW = "allow"
    FREE = "free"
    LOST = "lost"
    NOTHING = "nothing"


_NOT_MINE = {Ask.BEAT: Do.LOST, Ask.WRITE: Do.LOST, Ask.RELEASE: Do.NOTHING}

TABLE: dict[Standing, dict[Ask, Do]] = {
    Standing.FREE: {Ask.ASK: Do.TAKE, **_NOT_MINE, Ask.BREAK: Do.NOTHING},
    Standing.MINE: {Ask.ASK: Do.WAIT, Ask.BEAT: Do.RENEW, Ask.WRITE: Do.ALLOW, Ask.RELEASE: Do.FREE, Ask.BREAK: Do.FREE},
    Standing.ALIVE: {Ask.ASK: Do.WAIT, **_NOT_MINE, Ask.BREAK: Do.FREE},
    Standing.DEAD: {Ask.ASK: Do.TAKE, **_NOT_MINE, Ask.BREAK: Do.FREE},
    Standing.FRESH: {Ask.ASK: Do.WAIT, **_NOT_MINE, Ask.BREAK: Do.FREE},
    Standing.STALE: {Ask.ASK: Do.TAKE, **_NOT_MINE, Ask.BREAK: Do.FREE},
}


def standing(row: Row, *, now: int, me: Holder, alive: Callable[[Holder], bool], token: int | None = None, watched: int = 0) -> Standing:
    """How `row` stands.

    Args:
        row: as read.
        now: the database's clock, milliseconds.
        me: the process that looks, to know whether the holder is on the same machine.
        alive: tells whether a holder on this machine still runs; asked only for such.
        token: the caller's, when it has taken the lease before.
        watched: milliseconds, by the caller's own steady clock, for which it saw no beat. Frees a lease whose last beat
            lies in the future since the database's clock was set back.
    """
    if row.holder is None:
        return Standing.FREE
    if token is not None and row.token == token:
        return Standing.MINE
    if row.holder.visible_from(me):
        return Standing.ALIVE if alive(row.holder) else Standing.DEAD
    return Standing.STALE if max(now - row.beat_at, watched) > row.life else Standing.FRESH


def decide(stands: Standing, ask: Ask) -> Do:
    """What to do, by the table."""
    return TABLE[stands][ask]
