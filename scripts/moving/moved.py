"""What became of a kind of state on one way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Fact = Any
"""What was seen of a kind, as JSON; None when nothing was."""


class Verdict(StrEnum):
    """A cell of the table."""

    KEPT = "kept"
    CHANGED = "changed"
    CHANGED_SAID = "changed with report"
    LOST = "lost"
    LOST_SAID = "lost with report"
    FAILS = "fails"


@dataclass(frozen=True, slots=True)
class Moved:
    """What was seen before and after.

    Args:
        before: what was to be seen in the first browser.
        after: what is to be seen in the second.
        failed: why the whole state was not moved at all; empty when it was.
        reports: what the way itself said is lost.
    """

    before: Fact
    after: Fact = None
    failed: str = ""
    reports: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The cell."""
        if self.failed:
            return Verdict.FAILS
        if self.before == self.after:
            return Verdict.KEPT
        if self.after is None:
            return Verdict.LOST_SAID if self.reports else Verdict.LOST
        return Verdict.CHANGED_SAID if self.reports else Verdict.CHANGED
