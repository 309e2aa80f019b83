"""One workflow as the vault keeps it: every step forward is a compare and set, so of two who go on with one, one does."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from handstamp.errors import Conflict, HandstampError
from handstamp.operations import stage
from handstamp.vault import Waiting, new_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handstamp.sites.operation import Operation
    from handstamp.vault import JSON, Vault

_log = logging.getLogger(__name__)


class Workflow:
    """One that this call goes on with.

    Args:
        vault: where it is kept.
        operation: which.
        session_id: whose.
        seconds: how long it waits each time.
        waiting: as it is kept; None for a new one, of which nothing is kept yet.
    """

    def __init__(self, vault: Vault, operation: Operation, session_id: str, seconds: float, waiting: Waiting | None = None) -> None:
        self._vault = vault
        self._operation = operation
        self._session_id = session_id
        self._seconds = seconds
        self.waiting = waiting
        self.id = waiting.workflow_id if waiting else new_id()
        self._revision = waiting.revision if waiting else 0

    @classmethod
    async def recalled(cls, vault: Vault, operation: Operation, session_id: str, seconds: float, workflow_id: str) -> Workflow:
        """The one of this id.

        Raises:
            WorkflowEnded: it does not wait; says why.
            OperationFailed: it is not known whether it is done.
        """
        waiting = await asyncio.to_thread(vault.workflow, workflow_id) if _may_be_one(workflow_id) else None
        refused = stage.refusal(operation, waiting, workflow_id=workflow_id, session_id=session_id)
        if refused is not None:
            raise refused
        return cls(vault, operation, session_id, seconds, waiting)

    async def wait(self, phase: int, given: Mapping[str, JSON]) -> None:
        """Keep that it waits in a phase (from 0), and what was given.

        Raises:
            Conflict: somebody else has gone on with it.
        """
        await self._put(phase, given)

    async def begin_last(self, given: Mapping[str, JSON]) -> None:
        """Keep that its last phase begins, before it does.

        Raises:
            Conflict: somebody else has gone on with it; the phase must not begin.
        """
        await self._put(stage.begun(self._operation), given)

    async def end(self) -> None:
        """Keep that it is done. What it did is done, so nothing that goes wrong here is an error."""
        try:
            await self._put(stage.done(self._operation), {})
        except HandstampError as error:
            _log.warning("that workflow %s of %s is done could not be kept: %s", self.id, self._operation.name, error)

    async def _put(self, phase: int, given: Mapping[str, JSON]) -> None:
        waiting = Waiting(self.id, self._session_id, self._operation.name, phase, given, datetime.now(UTC), revision=self._revision + 1)
        if not await asyncio.to_thread(self._vault.put_workflow, waiting, seconds=self._seconds):
            message = f"somebody else goes on with workflow {self.id} of {self._operation.name} at the same time; wait for what they get"
            raise Conflict(message)
        self._revision += 1


def _may_be_one(workflow_id: str) -> bool:
    return len(workflow_id) == 32 and all(character in "0123456789abcdef" for character in workflow_id)
