"""What a pool tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from handstamp.state import Health, Session
    from handstamp.vault import Served


@dataclass(frozen=True, slots=True)
class Admission:
    """A session that a caller may use.

    Args:
        session: its facts.
        served: since when servers have it.
        is_new: nobody had it before.
    """

    session: Session
    served: Served
    is_new: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """A session in the list. Instants are UTC.

    Args:
        created_at: since when servers have it.
        age_seconds: the same as a duration.
        last_refresh: when it was last found valid; None when never.
        state: ``live`` or ``hibernated``; other servers' live sessions are hibernated as seen from here.
        in_use: somebody uses it here now.
    """

    session_id: str
    profile: str
    username: str | None
    site: str
    keep_alive: bool
    created_at: datetime
    last_used: datetime
    age_seconds: float
    last_refresh: datetime | None
    health: Health
    state: str
    in_use: bool


@dataclass
class Counters:
    """What a pool has done since it began."""

    opened: int = 0
    revived: int = 0
    evicted: int = 0
    handed_over: int = 0
    crashes: int = 0
    logins: int = 0
    brought_back: int = 0
    operations: int = 0
    repeated: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """How a pool stands.

    Args:
        live: windows that are taken: busy, idle or closing.
        in_use: of them, busy.
        waiting: callers that wait for one.
        max_sessions: windows that there may be now.
        memory_mb: what the browsers took when it was last measured.
        counters: what was done.
    """

    live: int
    in_use: int
    waiting: int
    max_sessions: int
    memory_mb: float
    counters: Counters
