"""How long do logins at a site live? The survival curve by Kaplan and Meier, over logins that ended and logins that still live.

A login that is alive, or was replaced while alive, is *censored*: it lasted at least that long. Leaving those out would make
every site look worse than it is. (E. L. Kaplan, P. Meier: Nonparametric estimation from incomplete observations, 1958.)
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handstamp.vault import Vault

MOST_EVENTS = 5000
FEWEST_DEATHS = 3
"""Ended logins below which a curve is no ground to plan on."""


@dataclass(frozen=True, slots=True)
class Life:
    """One login.

    Args:
        seconds: how long it lasted, as far as we know.
        ended: it is over; False when it was alive then.
    """

    seconds: float
    ended: bool


@dataclass(frozen=True, slots=True)
class Step:
    """Where the curve falls.

    Args:
        seconds: age.
        at_risk: logins known to have reached it.
        ended: of them, those that ended then.
        surviving: share of all logins that live longer.
    """

    seconds: float
    at_risk: int
    ended: int
    surviving: float


@dataclass(frozen=True, slots=True)
class Curve:
    """The survival curve of a site's logins.

    Args:
        steps: by age; none when no login has ended.
        lives: how many logins it rests on.
        longest: the longest life seen, in seconds; beyond it nobody knows.
    """

    steps: tuple[Step, ...] = ()
    lives: int = 0
    longest: float = 0.0

    @property
    def ended(self) -> int:
        """How many logins ended."""
        return sum(step.ended for step in self.steps)

    def surviving(self, seconds: float) -> float:
        """The share of logins that live longer than `seconds`."""
        return next((step.surviving for step in reversed(self.steps) if step.seconds <= seconds), 1.0)

    def quantile(self, share: float) -> float | None:
        """The age that at most `share` of the logins outlive; None when more than that were alive to the last."""
        return next((step.seconds for step in self.steps if step.surviving <= share + 1e-12), None)

    def likely_end(self, age: float, *, share: float = 0.5) -> float | None:
        """The age at which of the logins that reached `age` all but `share` have ended; None when that is not known."""
        reached = self.surviving(age)
        return self.quantile(reached * share) if reached > 0 else None


def curve_of(lives: Iterable[Life]) -> Curve:
    """The curve over these logins. At one age ends count before those that were alive then, as is usual."""
    every = list(lives)
    ended = Counter(life.seconds for life in every if life.ended)
    left = Counter(life.seconds for life in every)
    at_risk, surviving, steps = len(every), 1.0, []
    for seconds in sorted(left):
        if ended[seconds]:
            surviving *= 1 - ended[seconds] / at_risk
            steps.append(Step(seconds, at_risk, ended[seconds], surviving))
        at_risk -= left[seconds]
    return Curve(tuple(steps), len(every), max(left, default=0.0))


def lives_of(vault: Vault, site: str) -> list[Life]:
    """The logins at a site that the event log and the sessions tell of. Blocking."""
    ends = [event.data.get("lived") for event in vault.events(site=site, kind="ended", limit=MOST_EVENTS)]
    replaced = [event.data.get("replaced_after") for event in vault.events(site=site, kind="login", limit=MOST_EVENTS)]
    living = [
        (session.last_verified - session.logged_in_at).total_seconds()
        for session in vault.sessions(site=site)
        if session.health == "valid" and session.logged_in_at is not None and session.last_verified is not None
    ]
    return [
        *(Life(float(seconds), ended=True) for seconds in ends if isinstance(seconds, int | float)),
        *(Life(float(seconds), ended=False) for seconds in replaced if isinstance(seconds, int | float)),
        *(Life(max(0.0, seconds), ended=False) for seconds in living),
    ]
