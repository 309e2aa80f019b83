"""Every answer in one shape: `success`, and for errors a sentence, a code, and the facts that the error has. Pure."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from handstamp.errors import HandstampError, InputMissing, LoginBudgetSpent, LoginFailed, SessionNotFound, Stopping, Unauthorized

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON_TYPE = "application/json"
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
STOPPING_RETRY_AFTER = 10.0
"""Seconds in which a server that is stopped has its work done, mostly, and the next one begins."""
SPENT_RETRY_AFTER = 3600.0
"""Seconds for clients whose account waits for a person: often enough to see that one came."""
_FACTS = {  # an error's attribute: what it is called in answers
    "operation": "operation",
    "missing": "missing",
    "repeatable": "repeatable",
    "appointment_session_id": "appointment_session_id",
    "phase": "current_phase",
    "bundle": "debug_bundle_url",
    "holder": "holder",
    "since": "since",
    "reason": "reason",
    "health": "health",
    "until": "until",
    "retry_after": "retry_after",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Args:
        status: of HTTP.
        document: its JSON.
        headers: besides those that every answer has.
    """

    status: int
    document: Mapping[str, Any]
    headers: Mapping[str, str]

    @property
    def body(self) -> bytes:
        """The document, in ASCII: text of sites may hold what no encoding has."""
        return encoded(self.document)


def encoded(document: Mapping[str, Any]) -> bytes:
    """A JSON document."""
    return json.dumps(document, separators=(",", ":"), allow_nan=False, default=_plain).encode("ascii")


def failure(error: HandstampError, *, now: datetime, given: Mapping[str, Any] | None = None) -> Answer:
    """The answer that tells of an error.

    Args:
        error: what was raised.
        now: aware.
        given: facts that the caller of an operation wants besides: which session it was.
    """
    document = {"success": False, "error": str(error), "code": error.code, **(given or {}), **_facts(error)}
    if isinstance(error, InputMissing):
        document["message"] = _how_to_go_on(error)
    headers = {}
    if (seconds := retry_after(error, now)) is not None:
        headers["Retry-After"] = str(max(1, math.ceil(seconds)))
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    return Answer(status_of(error), document, headers)


def retry_after(error: HandstampError, now: datetime) -> float | None:
    """Seconds after which to ask again; None where waiting is no help, or nobody knows."""
    seconds = getattr(error, "retry_after", None)
    if seconds is not None:
        return float(seconds)
    if isinstance(error, LoginBudgetSpent) or (isinstance(error, LoginFailed) and error.health == "blocked"):
        return SPENT_RETRY_AFTER if error.until is None else (error.until - now).total_seconds()
    return STOPPING_RETRY_AFTER if isinstance(error, Stopping) else None


def status_of(error: HandstampError | type[HandstampError]) -> int:
    """The status of an error's answers; of a class, that of one of which no more is known."""
    # In the command line a name that is not there is "not found"; here it is a field of the request that is wrong.
    kind = error if isinstance(error, type) else type(error)
    return 400 if issubclass(kind, SessionNotFound) else error.http_status


def _facts(error: HandstampError) -> dict[str, Any]:
    """The facts that an error has. Only those that are known to hold no secret."""
    own = vars(error)
    told = {key: own[name] for name, key in _FACTS.items() if own.get(name) not in (None, "", ())}
    if told.get("current_phase") == 0:
        del told["current_phase"]
    return told


def _how_to_go_on(error: InputMissing) -> str:
    fields = ", ".join(error.missing)
    if not error.appointment_session_id:
        return f"Call again with {fields} besides what was given."
    return f"Call again with appointment_session_id and {fields}; what was given so far is kept for some minutes."


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
