"""How a pool behaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from handstamp.errors import ConfigError


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """What may be set of a pool. Times are seconds.

    Args:
        max_sessions: sessions that are live at once; beyond it the idle one that was used longest ago hibernates.
        session_refresh_interval: between two looks at a session that is kept alive.
        session_timeout: after so long without use a session without keep-alive ends.
        look_every: between two rounds over the live sessions.
        queue_seconds: how long a caller waits for a window, or for the session that another caller is using.
        isolation: ``shared``: the live sessions are contexts of one browser. ``session``: each has a browser of its own.
        max_memory_mb: what the browsers may take together (proportional set size); above it idle sessions hibernate. 0 for no limit.
        workflow_seconds: how long a workflow waits for what is missing.
        operation_seconds: what an operation may take; then it is cut off, and its window is another's.
        retries: how often a repeatable operation is done again after its browser has ended, or its session.
        trust_seconds: for so long after a look or a use that went well a live session is taken to be valid.
        default_site: whose operations need no site.

    Raises:
        ConfigError: names the field and what it may be.
    """

    max_sessions: int = 10
    session_refresh_interval: float = 300.0
    session_timeout: float = 1800.0
    look_every: float = 60.0
    queue_seconds: float = 30.0
    isolation: Literal["shared", "session"] = "shared"
    max_memory_mb: int = 0
    workflow_seconds: float = 600.0
    operation_seconds: float = 900.0
    retries: int = 1
    trust_seconds: float = 60.0
    default_site: str = "portside"

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.isolation not in {"shared", "session"}:
            raise ConfigError(f"isolation must be 'shared' or 'session', not {self.isolation!r}")
        for name in ("max_sessions", "session_refresh_interval", "session_timeout", "look_every", "workflow_seconds", "operation_seconds"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} must be above 0, not {getattr(self, name)!r}")
        for name in ("queue_seconds", "max_memory_mb", "retries", "trust_seconds"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} must not be below 0, and is {getattr(self, name)!r}")
