"""Appointments that are being made: what a session has told the wizard so far."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from handstamp.demo.sessions import Session

LIFE_SECONDS = 1800.0
_SWEEP_AT = 1000


@dataclass(slots=True, eq=False)
class Draft:
    """One run through the wizard.

    Args:
        key: in the address of its pages; of no use to other sessions.
        session: whose.
        started: seconds of the sites' clock.
        first_day: from which times are shown, so that midnight changes none that were seen.
        plate: empty until the second step is done.
        number: of the appointment that came of it; empty until then.
    """

    key: str
    session: Session = field(repr=False)
    started: float
    first_day: date
    company: str
    terminal: str
    move: str
    container: str
    plate: str = ""
    own_chassis: bool = False
    number: str = ""


class Drafts:
    """All runs through the wizard that are not too old.

    Args:
        clock: seconds, never stepping back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._by_key: dict[str, Draft] = {}

    def start(self, session: Session, *, first_day: date, company: str, terminal: str, move: str, container: str) -> Draft:
        """A new one, whose first step is done."""
        if len(self._by_key) >= _SWEEP_AT:
            self._by_key = {key: draft for key, draft in self._by_key.items() if self._fresh(draft)}
        draft = Draft(secrets.token_urlsafe(9), session, self._clock(), first_day, company, terminal, move, container)
        self._by_key[draft.key] = draft
        return draft

    def get(self, session: Session, key: str) -> Draft | None:
        """This session's draft, while it is not too old."""
        found = self._by_key.get(key)
        return found if found is not None and found.session is session and self._fresh(found) else None

    def _fresh(self, draft: Draft) -> bool:
        return draft.session.ended is None and self._clock() - draft.started < LIFE_SECONDS
