"""What is done at sites: finding operations, running them phase by phase, and what they leave behind (files, evidence).

How one is declared is in `handstamp.sites.operation`. All of this needs the extra ``operations``; the names here are loaded when
they are first asked for, and say so when it is missing. `handstamp.operations.sync_api` has `call` for programs without an event loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handstamp.operations.extra import require

if TYPE_CHECKING:
    from handstamp.operations.calling import call
    from handstamp.operations.files import Files, Kept
    from handstamp.operations.find import every_operation, find_operations
    from handstamp.operations.outcome import Outcome
    from handstamp.operations.performing import perform

_PLACES = {
    "Files": "handstamp.operations.files",
    "Kept": "handstamp.operations.files",
    "Outcome": "handstamp.operations.outcome",
    "call": "handstamp.operations.calling",
    "every_operation": "handstamp.operations.find",
    "find_operations": "handstamp.operations.find",
    "perform": "handstamp.operations.performing",
}

__all__ = ["Files", "Kept", "Outcome", "call", "every_operation", "find_operations", "perform"]


def __getattr__(name: str) -> Any:
    from importlib import import_module  # noqa: PLC0415

    if name not in _PLACES:
        message = f"module 'handstamp.operations' has no attribute {name!r}"
        raise AttributeError(message)
    require()
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
