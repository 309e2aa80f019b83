"""What an operation came to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an operation came to.

    Args:
        result: as the operation declares it.
        workflow_id: of the workflow that is done now; empty when it was none.
        bundle: where its debug bundle is (see `Kept.url`); empty when there is none.
    """

    result: BaseModel
    workflow_id: str = ""
    bundle: str = ""

    def facts(self) -> dict[str, Any]:
        """The result as JSON values; of a workflow with its id, and with the place of the bundle, null when there is none."""
        beside: dict[str, Any] = {}
        if self.workflow_id:
            beside["appointment_session_id"] = self.workflow_id
        if self.workflow_id or self.bundle:
            beside["debug_bundle_url"] = self.bundle or None
        return {name: _with_null(value) for name, value in self.result.model_dump(mode="json").items()} | beside


def _with_null(value: Any) -> Any:
    """A JSON value, with null for the numbers that JSON has no form for: NaN and the infinities."""
    if isinstance(value, dict):
        return {name: _with_null(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_with_null(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
