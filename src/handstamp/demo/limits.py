"""How many wrong passwords a site takes: portside locks the account, interpals asks to wait."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.demo.knobs import InterpalsKnobs, PortsideKnobs


@dataclass(slots=True)
class _Count:
    failures: int = 0
    locked_at: float | None = None


class Lockouts:
    """Failures in a row per user name, known or not: whether an account exists shall not show.

    Args:
        clock: seconds, never stepping back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counts: defaultdict[str, _Count] = defaultdict(_Count)

    def seconds_left(self, username: str, *, knobs: PortsideKnobs) -> float:
        """How long the account stays locked; 0 when it is not."""
        count = self._counts.get(username)
        if count is None or count.locked_at is None:
            return 0.0
        left = count.locked_at + knobs.lock_seconds - self._clock()
        if left <= 0:
            del self._counts[username]
        return max(0.0, left)

    def fail(self, username: str, *, knobs: PortsideKnobs) -> bool:
        """Count a failure; True when this one locked the account."""
        count = self._counts[username]
        count.failures += 1
        if knobs.lock_after == 0 or count.failures < knobs.lock_after or count.locked_at is not None:
            return False
        count.locked_at = self._clock()
        return True

    def clear(self, username: str) -> None:
        """Forget the failures: the person signed in, or somebody unlocked the account."""
        self._counts.pop(username, None)


class Attempts:
    """Failed attempts per user name within a sliding window of time.

    Args:
        clock: seconds, never stepping back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failed: defaultdict[str, deque[float]] = defaultdict(deque)

    def seconds_left(self, username: str, *, knobs: InterpalsKnobs) -> float:
        """How long until the next attempt is taken; 0 for at once."""
        if knobs.attempt_limit == 0:
            return knobs.attempt_seconds
        failed = self._failed.get(username, deque())
        now = self._clock()
        while failed and failed[0] + knobs.attempt_seconds <= now:
            failed.popleft()
        if len(failed) < knobs.attempt_limit:
            return 0.0
        return failed[-knobs.attempt_limit] + knobs.attempt_seconds - now

    def fail(self, username: str) -> None:
        """Count a failed attempt."""
        self._failed[username].append(self._clock())

    def clear(self, username: str) -> None:
        """Forget the failed attempts."""
        self._failed.pop(username, None)
