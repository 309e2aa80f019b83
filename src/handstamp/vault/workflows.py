"""Operations in phases that wait for input: what was given so far, sealed, and until when they wait."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from handstamp.errors import SealBroken
from handstamp.vault.identity import Identity, Purpose
from handstamp.vault.model import instant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from handstamp.vault.model import JSON
    from handstamp.vault.seal import Seals
    from handstamp.vault.store import Transaction

_KEEP_MILLISECONDS = 3_600_000  # for messages: "its time was over at …"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A workflow that waits.

    Args:
        workflow_id: unguessable.
        session_id: whose.
        operation: its name.
        phase: the one that is next, from 0.
        given: the fields that were given so far.
        ends_at: until when it waits; UTC, the database's clock.
        ended: whether that is over.
        revision: counts its writes.
    """

    workflow_id: str
    session_id: str
    operation: str
    phase: int
    given: Mapping[str, JSON] = field(repr=False)
    ends_at: datetime
    ended: bool = False
    revision: int = 1


def new_id() -> str:
    """An id that nobody guesses."""
    return secrets.token_hex(16)


def put(transaction: Transaction, seals: Seals, waiting: Waiting, *, seconds: float) -> bool:
    """Keep it for so long, in place of its last revision; False when somebody else has gone on with it."""
    now = transaction.now()
    transaction.run("delete_late_workflows", before=now - _KEEP_MILLISECONDS)
    sealed = seals.seal(Purpose.WORKFLOW, identity(waiting.workflow_id, waiting.revision), json.dumps(dict(waiting.given)).encode())
    done = transaction.run(
        "put_workflow",
        workflow_id=waiting.workflow_id,
        session_id=waiting.session_id,
        operation=waiting.operation,
        phase=waiting.phase,
        revision=waiting.revision,
        ends_at=now + round(seconds * 1000),
        given_sealed=sealed,
    )
    return bool(done)


def find(transaction: Transaction, seals: Seals, workflow_id: str) -> Waiting | None:
    """The one of this id, also when its time is over; None when there is none."""
    rows = transaction.rows("workflow", workflow_id=workflow_id)
    if not rows:
        return None
    _, session_id, operation, phase, revision, ends_at, sealed = rows[0]
    try:
        given = json.loads(seals.open(Purpose.WORKFLOW, identity(workflow_id, revision), sealed))
    except SealBroken:
        raise SealBroken(f"workflow {workflow_id} does not open: it was changed, or another key sealed it. Begin again without it") from None
    return Waiting(workflow_id, session_id, operation, phase, given, instant(ends_at), ended=ends_at <= transaction.now(), revision=revision)


def identity(workflow_id: str, revision: int) -> Identity:
    """What the given fields are sealed as."""
    return Identity(bytes.fromhex(workflow_id), revision)
