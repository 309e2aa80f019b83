"""Where a workflow stands, and what follows from that. Decisions over values; `workflow` keeps them.

What is kept as `Waiting.phase`, for an operation of n phases:

    0 … n-1    it waits for what that phase needs, or was refused in it
    n          the last phase has begun, and may not be done twice: nobody has said yet what came of it
    n + 1      it is done

A workflow whose last phase may be repeated never stands at n: it waits in its last phase until that is done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.errors import OperationError, OperationFailed, WorkflowEnded
from handstamp.operations.fields import read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handstamp.sites.operation import Operation
    from handstamp.vault import JSON, Waiting


def begun(operation: Operation) -> int:
    """The stage in which it is not known whether the site has done it."""
    return len(operation.phases)


def done(operation: Operation) -> int:
    """The stage after all phases."""
    return len(operation.phases) + 1


def is_once_only(operation: Operation, number: int) -> bool:
    """Whether the phase of this number (from 0) may not be done twice."""
    return number == len(operation.phases) - 1 and not operation.repeatable


def refusal(operation: Operation, waiting: Waiting | None, *, workflow_id: str, session_id: str) -> OperationError | None:
    """Why a workflow does not go on; None when it does."""
    if waiting is not None and (waiting.session_id, waiting.operation, waiting.phase) == (session_id, operation.name, begun(operation)):
        return unknown_end(operation, workflow_id)
    why, again = _why_ended(operation, waiting, session_id)
    if not why:
        return None
    told = f"workflow {workflow_id} {why}" + (f"; begin {operation.name} again without it" if again else "")
    return WorkflowEnded(told, operation=operation.name, repeatable=again)


def _why_ended(operation: Operation, waiting: Waiting | None, session_id: str) -> tuple[str, bool]:
    """Why it has ended, empty when it has not; and whether it may be begun again, so that nobody books twice."""
    if waiting is None:
        return "does not wait: it is over, or there never was one", True
    if waiting.session_id != session_id:
        return "is another session's; go on with it there", False
    if waiting.operation != operation.name:
        return f"is one of {waiting.operation}; go on with it by that name", False
    if waiting.phase >= done(operation):
        said = f"is done: {operation.name} has ended well"
        return (said, True) if operation.repeatable else (f"{said}. Begun again it would be done twice", False)
    return (f"had its time until {waiting.ends_at:%Y-%m-%d %H:%M:%S}Z", True) if waiting.ended else ("", True)


def unknown_end(operation: Operation, workflow_id: str) -> OperationFailed:
    """The last phase began, and whoever ran it was cut off in it, or is still at it."""
    message = (
        f"the last phase of {operation.name} has begun and was not seen to end: it is not known whether the site has done it. "
        f"It is not tried again; look at the site, then begin anew"
    )
    return OperationFailed(message, operation=operation.name, repeatable=False, appointment_session_id=workflow_id, phase=len(operation.phases))


def first_phase(operation: Operation, waiting: Waiting, known: Mapping[str, JSON], *, has_page: bool) -> int:
    """The phase (from 0) with which a workflow goes on.

    That is where it stopped, on the page that was left there; or the first one, when that page is gone, or something was
    corrected that an earlier phase has used.

    Args:
        operation: the workflow.
        waiting: as it is kept.
        known: all fields, with what is new.
        has_page: whether its page is still open.
    """
    earlier = operation.phases[: waiting.phase]
    return waiting.phase if has_page and all(read(phase, known) == read(phase, waiting.given) for phase in earlier) else 0
