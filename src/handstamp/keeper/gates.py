"""How many sessions of one site may be looked at together, and how often: decided over values, so that a slow site holds up no other."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

TOGETHER = 4
"""Looks at one site at the same time."""


@dataclass
class _Gate:
    running: int = 0
    next_at: float = 0.0


@dataclass
class Gates:
    """One gate for each site. Times are seconds of any steady clock.

    Args:
        together: looks at one site at the same time.
    """

    together: int = TOGETHER
    _gates: defaultdict[str, _Gate] = field(default_factory=lambda: defaultdict(_Gate))

    def enter(self, site: str, now: float, *, per_second: float) -> bool:
        """Whether a look at this site may begin now; it is then counted, and `leave` ends it."""
        gate = self._gates[site]
        if gate.running >= self.together or now < gate.next_at:
            return False
        gate.running += 1
        # A burst of at most a quarter of a second catches up on what came late.
        gate.next_at = max(gate.next_at, now - 0.25) + 1 / per_second
        return True

    def leave(self, site: str) -> None:
        """A look has ended."""
        self._gates[site].running -= 1
