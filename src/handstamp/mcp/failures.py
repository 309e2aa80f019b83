"""What an error is for an agent: its code, its sentence, and who can do something about it. One table for all codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel

from handstamp.errors import OperationError

if TYPE_CHECKING:
    from pydantic import ValidationError

    from handstamp.errors import HandstampError

Next = Literal["correct", "again", "person", "operator"]
"""Call again with something else; call again later with the same; a person has to do something; whoever runs handstamp has to."""

NEXT: dict[str, Next] = {
    "error": "operator",
    "config": "correct",
    "site-unknown": "correct",
    "recipe-invalid": "operator",
    "key-missing": "operator",
    "state": "operator",
    "unreadable-state": "operator",
    "unsupported-version": "operator",
    "vault": "operator",
    "seal-broken": "operator",
    "session-not-found": "correct",
    "conflict": "again",
    "vault-unavailable": "again",
    "vault-full": "operator",
    "lease": "again",
    "lease-held": "again",
    "lease-lost": "again",
    "login": "person",
    "login-required": "person",
    "login-failed": "person",
    "challenge-unsolved": "person",
    "login-budget-spent": "person",
    "browser": "again",
    "browser-gone": "again",
    "browser-timeout": "again",
    "browser-missing": "operator",
    "operation": "correct",
    "input-missing": "correct",
    "input-invalid": "correct",
    "operation-refused": "correct",
    "operation-failed": "again",
    "workflow-ended": "correct",
    "server": "operator",
    "pool-full": "again",
    "stopping": "again",
    "unauthorized": "operator",
    "forbidden": "operator",
}
"""By the codes of `handstamp.errors`; ours besides are `invalid-arguments` and `unexpected`."""


class Failure(BaseModel):
    """An error, for an agent.

    Args:
        code: stable.
        error: a sentence; no secrets, and nothing that a page said but for what a site's package quotes of it.
        next: who can do something.
        retry_after: seconds after which to call again, where that is known.
        repeatable: whether an operation may be called again without doing something twice.
        appointment_session_id: of a workflow that waits for a correction, to call again with.
        source: ``page`` where the sentence may quote what a page said.
    """

    code: str
    error: str
    next: Next
    retry_after: float | None = None
    repeatable: bool | None = None
    appointment_session_id: str | None = None
    source: Literal["page"] | None = None


def failure_of(error: HandstampError) -> Failure:
    """One of our errors, for an agent."""
    if isinstance(error, OperationError):
        later: Next = NEXT[error.code] if error.repeatable or error.code != "operation-failed" else "person"
        workflow_id = error.appointment_session_id or None
        return Failure(code=error.code, error=str(error), next=later, repeatable=error.repeatable, appointment_session_id=workflow_id, source="page")
    return Failure(code=error.code, error=str(error), next=NEXT[error.code], retry_after=getattr(error, "retry_after", None))


def wrong_arguments(error: ValidationError) -> Failure:
    """What a tool cannot take; without the values, which may be anything."""
    problems = [
        f"{'.'.join(map(str, one['loc'])) or 'input'}: {one['msg']}" for one in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    return Failure(code="invalid-arguments", error="; ".join(problems), next="correct")


UNEXPECTED = Failure(code="unexpected", error="handstamp itself has failed; its log says where", next="operator")
