"""What a login asks when something stands in its way that a recipe cannot answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from handstamp.sites.recipe import ChallengeKind


@dataclass(frozen=True, slots=True)
class Challenge:
    """One question of a site.

    Args:
        site: its name.
        account: the user name that is logging in.
        kind: see `ChallengeMarker`.
        question: what the page says there, or what is wanted, for people.
        image: PNG of what the page shows there; empty when there is nothing to see.
    """

    site: str
    account: str
    kind: ChallengeKind
    question: str = ""
    image: bytes = field(default=b"", repr=False)


class ChallengeSolver(Protocol):
    """Who answers challenges: a person, or a service."""

    async def solve(self, challenge: Challenge) -> str | None:
        """The answer; an empty text when it was passed without one (a widget, another device); None to give up."""
