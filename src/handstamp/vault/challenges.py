"""What sites ask during logins that are under way: asked by one process, answered from another, gone after a deadline. Sealed."""

from __future__ import annotations

import base64
import contextlib
import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from handstamp.errors import SealBroken
from handstamp.vault.identity import Identity, Purpose
from handstamp.vault.model import instant

if TYPE_CHECKING:
    from datetime import datetime

    from handstamp.vault.seal import Seals
    from handstamp.vault.store import Row, Transaction, Value

_QUESTION, _ANSWER = 1, 2  # what a record of a challenge is, as the generation of its seal
_KEEP_MILLISECONDS = 3_600_000  # for messages: "was answered", "came too late"


@dataclass(frozen=True, slots=True)
class OpenChallenge:
    """One question that waits for its answer.

    Args:
        challenge_id: short, to type.
        profile: whose login.
        site: where.
        kind: see `handstamp.sites.ChallengeMarker`.
        asked_at: when; UTC, the database's clock.
        deadline: the login gives up then.
        account: the user name that is logging in.
        question: what the page says, or what is wanted.
        image: PNG of what the page shows; empty when there is nothing to see.
        answered: somebody was quicker.
    """

    challenge_id: str
    profile: str
    site: str
    kind: str
    asked_at: datetime
    deadline: datetime
    account: str = ""
    question: str = ""
    image: bytes = field(default=b"", repr=False)
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What a site asks.

    Args:
        profile, site: of the login.
        kind: see `OpenChallenge`.
        account: the user name that is logging in.
        text: what the page says.
        image: PNG of what it shows.
    """

    profile: str
    site: str
    kind: str
    account: str = ""
    text: str = ""
    image: bytes = field(default=b"", repr=False)


def put(transaction: Transaction, seals: Seals, question: Question, *, milliseconds: int) -> str:
    """Ask, for so long; the new id. Clears away what nobody can answer any more."""
    now = transaction.now()
    transaction.run("delete_late_challenges", before=now - _KEEP_MILLISECONDS)
    challenge_id = secrets.token_hex(4)
    facts = {"account": question.account, "text": question.text, "image": base64.b64encode(question.image).decode()}
    sealed = seals.seal(Purpose.CHALLENGE, question_identity(challenge_id), json.dumps(facts).encode())
    values: dict[str, Value] = {"profile": question.profile, "site": question.site, "kind": question.kind, "deadline": now + milliseconds}
    transaction.run("add_challenge", challenge_id=challenge_id, now=now, question_sealed=sealed, **values)
    return challenge_id


def waiting(transaction: Transaction, seals: Seals) -> list[OpenChallenge]:
    """Those that can be answered now, the oldest first. One whose seal does not open (the key has been rotated since) is left out."""
    found = []
    for row in transaction.rows("open_challenges", now=transaction.now()):
        with contextlib.suppress(SealBroken):
            found.append(_opened(row, seals))
    return found


def find(transaction: Transaction, seals: Seals, challenge_id: str) -> OpenChallenge | None:
    """The one of this id, also when it is answered or late."""
    rows = transaction.rows("challenge", challenge_id=challenge_id)
    return _opened(rows[0], seals) if rows else None


def answer(transaction: Transaction, seals: Seals, challenge_id: str, text: str) -> bool:
    """Answer it; False when it is not open any more."""
    sealed = seals.seal(Purpose.CHALLENGE, answer_identity(challenge_id), text.encode("utf-8", "surrogatepass"))
    return bool(transaction.run("answer_challenge", challenge_id=challenge_id, answer_sealed=sealed, now=transaction.now()))


def answered(transaction: Transaction, seals: Seals, challenge_id: str) -> str | None:
    """The answer; None while there is none."""
    rows = transaction.rows("challenge", challenge_id=challenge_id)
    if not rows or rows[0][-1] is None:
        return None
    return seals.open(Purpose.CHALLENGE, answer_identity(challenge_id), rows[0][-1]).decode("utf-8", "surrogatepass")


def _opened(row: Row, seals: Seals) -> OpenChallenge:
    challenge_id, profile, site, kind, asked_at, deadline, sealed, answer_sealed = row
    try:
        facts = json.loads(seals.open(Purpose.CHALLENGE, question_identity(challenge_id), sealed))
    except SealBroken:
        raise SealBroken(f"challenge {challenge_id} does not open: it was changed, or another key sealed it. Log in again") from None
    image = base64.b64decode(facts["image"])
    return OpenChallenge(
        challenge_id, profile, site, kind, instant(asked_at), instant(deadline), facts["account"], facts["text"], image, answer_sealed is not None
    )


def question_identity(challenge_id: str) -> Identity:
    """What a question is sealed as."""
    return _identity(challenge_id, _QUESTION)


def answer_identity(challenge_id: str) -> Identity:
    """What an answer is sealed as."""
    return _identity(challenge_id, _ANSWER)


def _identity(challenge_id: str, what: int) -> Identity:
    return Identity(bytes.fromhex(challenge_id).ljust(16, b"\0"), what)
