"""A hybrid logical clock: when was a change observed, in an order that survives clocks that jump.

A stamp is wall-clock milliseconds, then a counter that orders what falls into one millisecond or comes while the
wall clock stands behind what was already seen, then the writer's id. (Kulkarni et al., "Logical Physical Clocks", 2014.)
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, order=True)
class Stamp:
    """When a change was observed, and by whom.

    Args:
        time: milliseconds since the Unix epoch.
        counter: orders stamps of the same millisecond.
        writer: opaque id of the process that observed it; no meaning but to break ties.
    """

    time: int
    counter: int = 0
    writer: str = ""


ZERO = Stamp(0)


def _wall_milliseconds() -> int:
    return time.time_ns() // 1_000_000


class Clock:
    """Gives stamps that only grow, also when the wall clock steps back. Safe across threads.

    Args:
        writer: this process's id in every stamp.
        wall: milliseconds since the epoch; for tests.
    """

    def __init__(self, writer: str, *, wall: Callable[[], int] = _wall_milliseconds) -> None:
        self.writer = writer
        self._wall = wall
        self._lock = threading.Lock()
        self._time = 0
        self._counter = 0

    def observe(self, stamp: Stamp) -> None:
        """Never give a stamp below this one again."""
        with self._lock:
            self._time, self._counter = max((self._time, self._counter), (stamp.time, stamp.counter))

    def stamp(self) -> Stamp:
        """A stamp above all that were given or observed before."""
        with self._lock:
            wall = self._wall()
            if wall > self._time:
                self._time, self._counter = wall, 0
            else:
                self._counter += 1
            return Stamp(self._time, self._counter, self.writer)
