"""Sessions that servers were asked for: which are looked after, which ids are no longer taken. Shared by all servers on the vault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handstamp.state import Health
from handstamp.vault.model import instant, maybe_instant

if TYPE_CHECKING:
    from datetime import datetime

    from handstamp.vault.store import Transaction


@dataclass(frozen=True, slots=True)
class Served:
    """What servers know of a session.

    Args:
        session_id: of the session.
        keep_alive: it is looked at by itself, and brought back when it has died.
        served_at: since when servers have it; UTC, the database's clock.
        used_at: when it was last asked for.
        ended_at: when its user closed it, or it had been idle for too long; None while its id is taken.
    """

    session_id: str
    keep_alive: bool
    served_at: datetime
    used_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ServedSession:
    """One that servers have, with what a list tells of it."""

    served: Served
    profile: str
    site: str
    username: str | None
    health: Health
    last_verified: datetime | None


def serve(transaction: Transaction, session_id: str, *, keep_alive: bool) -> Served:
    """Take it on, or take it up again."""
    transaction.run("serve", session_id=session_id, keep_alive=int(keep_alive), now=transaction.now())
    return _served(*transaction.rows("served", session_id=session_id)[0])


def find(transaction: Transaction, session_id: str) -> Served | None:
    """What servers know of a session; None when none was asked for it."""
    rows = transaction.rows("served", session_id=session_id)
    return _served(*rows[0]) if rows else None


def listed(transaction: Transaction) -> list[ServedSession]:
    """Those whose ids are taken, the oldest first."""
    return [_listed(*row) for row in transaction.rows("all_served")]


def end_idle(transaction: Transaction, *, seconds: float) -> list[str]:
    """End those without keep-alive that nobody asked for in so long; their ids."""
    now = transaction.now()
    return [str(session_id) for (session_id,) in transaction.rows("end_idle_served", now=now, before=now - round(seconds * 1000))]


def _served(session_id: str, keep_alive: int, served_at: int, used_at: int, ended_at: int | None) -> Served:
    return Served(session_id, bool(keep_alive), instant(served_at), instant(used_at), maybe_instant(ended_at))


def _listed(  # noqa: PLR0917  (the columns of a row)
    session_id: str,
    keep_alive: int,
    served_at: int,
    used_at: int,
    ended_at: int | None,
    profile: str,
    site: str,
    username: str | None,
    health: str,
    last_verified: int | None,
) -> ServedSession:
    served = _served(session_id, keep_alive, served_at, used_at, ended_at)
    return ServedSession(served, profile, site, username, Health(health), maybe_instant(last_verified))
