"""Calls for the keeper: logins that failed, questions of sites, and when each session has its turn."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from handstamp.errors import SessionNotFound
from handstamp.vault import attempts, challenges, names, sessions, turns
from handstamp.vault.face.access import Access

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from handstamp.state import Session
    from handstamp.vault.attempts import Attempts
    from handstamp.vault.challenges import OpenChallenge, Question
    from handstamp.vault.store import Transaction
    from handstamp.vault.turns import Ended, Turn
    from handstamp.vault.unlock import Unlocked

_ENROL_AT_ONCE = 1000  # sessions in one transaction


class KeepingCalls(Access):
    """Login budgets, challenges, turns."""

    def login_attempts(self, site: str, account: str) -> Attempts:
        """How logins of an account went since the last that worked."""
        name, who = names.site_name(site), names.account_name(account)
        return self._read_sealed(lambda transaction, unlocked: attempts.read(transaction, unlocked.index.attempts(name, who)))

    def update_attempts(self, site: str, account: str, change: Callable[[Attempts, datetime], Attempts]) -> Attempts:
        """Read, change, write in one transaction; `change` gets the database's time besides, and may be called again.

        What `change` raises is raised, and nothing is written.
        """
        name, who = names.site_name(site), names.account_name(account)
        return self._write_sealed(lambda transaction, unlocked: attempts.update(transaction, unlocked.index.attempts(name, who), change))

    def password_mark(self, site: str, account: str, password: str) -> bytes:
        """A keyed hash by which a refused password is known again; worth nothing without the vault's key."""
        return self._unlock().index.password(site, account, password)

    def ask(self, question: Question, *, seconds: float) -> str:
        """Put a site's question where others can answer it, for so long; its id."""
        names.profile_name(question.profile)
        names.site_name(question.site)
        return self._write_sealed(lambda transaction, unlocked: challenges.put(transaction, unlocked.seals, question, milliseconds=round(seconds * 1000)))

    def challenges(self) -> list[OpenChallenge]:
        """The questions that wait for an answer, the oldest first."""
        return self._read_sealed(lambda transaction, unlocked: challenges.waiting(transaction, unlocked.seals))

    def challenge(self, challenge_id: str) -> OpenChallenge:
        """The question of this id, also when it is answered or too late.

        Raises:
            SessionNotFound: there is none.
        """
        found = self._read_sealed(lambda transaction, unlocked: challenges.find(transaction, unlocked.seals, challenge_id))
        if found is None:
            raise SessionNotFound(f"no challenge {challenge_id!r} is open; `handstamp challenges` lists those that are")
        return found

    def answer(self, challenge_id: str, text: str) -> bool:
        """Answer a question; False when it was answered, withdrawn or too late by now."""
        try:
            bytes.fromhex(challenge_id)
        except ValueError:
            return False
        return self._write_sealed(lambda transaction, unlocked: challenges.answer(transaction, unlocked.seals, challenge_id, text))

    def answered(self, challenge_id: str) -> str | None:
        """The answer to a question; None while there is none."""
        return self._read_sealed(lambda transaction, unlocked: challenges.answered(transaction, unlocked.seals, challenge_id))

    def withdraw(self, challenge_id: str) -> None:
        """The question needs no answer any more."""
        self._write(lambda transaction: transaction.run("delete_challenge", challenge_id=challenge_id))

    def enrol(self, site: str, *, within: float, why: str) -> int:
        """Give each session of a site that has no turn its first one, at random within so many seconds; how many they were."""

        def spread() -> int:
            return round(random.random() * within * 1000)  # noqa: S311  (spreads the work, no secret)

        name, count = names.site_name(site), 0
        while True:
            found = self._write(lambda transaction: turns.enrol(transaction, name, spread=spread, limit=_ENROL_AT_ONCE, why=why))
            count += found
            if found < _ENROL_AT_ONCE:
                return count

    def claim_turns(self, *, limit: int, life: float) -> list[tuple[Turn, Session]]:
        """Take up to `limit` turns that are due, the longest due first; nobody else gets them within `life` seconds."""
        taken, found = self._write_sealed(lambda transaction, unlocked: _claimed(transaction, unlocked, limit=limit, life=life))
        return [(turn, found[turn.session_id]) for turn in taken if turn.session_id in found]

    def end_turns(self, ended: Iterable[Ended]) -> None:
        """Put down what came of turns, all in one transaction."""
        every = list(ended)
        self._write(lambda transaction: turns.end(transaction, every))

    def next_turn(self) -> datetime | None:
        """When the next turn is due that nobody has; None when there is none."""
        return self._read(turns.soonest)

    def turn(self, session_id: str) -> Turn | None:
        """The next turn of a session; None when it has none."""
        return self._read(lambda transaction: turns.find(transaction, session_id))


def _claimed(transaction: Transaction, unlocked: Unlocked, *, limit: int, life: float) -> tuple[list[Turn], dict[str, Session]]:
    """Turns, and the sessions of those that can be read."""
    taken, rows = turns.claim(transaction, limit=limit, life=round(life * 1000))
    return taken, {session.session_id: session for row in rows if (session := sessions.opened_leniently(row, unlocked.seals)) is not None}
