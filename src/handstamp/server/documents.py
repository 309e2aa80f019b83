"""What answers hold, for OpenAPI; `docs/how-to/server.md` tells what the fields mean."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  (pydantic reads the annotations)
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, create_model

from handstamp.errors import HandstampError, LoginFailed, RecipeInvalid
from handstamp.server import refusals
from handstamp.server.answers import status_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.config import JsonDict

    from handstamp.sites.operation import Operation


_EXAMPLE: JsonDict = {"success": False, "error": "Invalid or expired session_id", "code": "session-not-found"}


class Failure(BaseModel):
    """An error: a sentence for people, a code for programs, and the facts that it has."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [_EXAMPLE]})

    success: Literal[False]
    error: str
    code: str


class Document(BaseModel):
    """What every answer has."""

    success: Literal[True]


class OpenedSession(Document):
    """A session that is there now."""

    session_id: str
    is_new: bool
    username: str
    created_at: datetime
    expires_at: None
    message: str


class ClosedSession(Document):
    """One that is closed."""

    session_id: str
    forgotten: bool
    message: str


class ServedSession(BaseModel):
    """How a session stands."""

    session_id: str
    username: str | None
    site: str
    keep_alive: bool
    created_at: datetime | None
    last_used: datetime | None
    age_seconds: float
    last_refresh: datetime | None
    health: Literal["valid", "expired", "challenged", "blocked", "unknown"]
    state: Literal["live", "hibernated"]
    in_use: bool


class Sessions(Document):
    """All of them."""

    active_sessions: list[ServedSession]
    count: int


class Checked(Document):
    """What a look at a session found."""

    session_id: str
    health: Literal["valid", "expired", "challenged", "blocked", "unknown"]
    message: str


class Hibernated(Document):
    """Whether a session's window was closed; it was not when it had none, or is in use."""

    session_id: str
    hibernated: bool


class Windows(BaseModel):
    """The pool's windows."""

    active_count: int
    max_sessions: int
    session_capacity: str


class Health(Document):
    """How the server is. Without a token the first two fields and the time."""

    status: Literal["healthy"]
    service: str
    timestamp: datetime
    version: str | None = None
    sessions: Windows | None = None
    active_sessions: int | None = None
    persistent_sessions: int | None = None


def document_of(operation: Operation) -> type[BaseModel]:
    """The model of an operation's answer: its result, and which session it was.

    Raises:
        RecipeInvalid: its result has a field that every answer has.
    """
    beside: dict[str, Any] = {"success": (Literal[True], ...), "session_id": (str, ...), "is_new_session": (bool, ...), "debug_bundle_url": (str | None, None)}
    if operation.is_workflow:
        beside["appointment_session_id"] = (str, ...)
    if clash := sorted(beside.keys() & operation.gives.model_fields.keys()):
        raise RecipeInvalid(f"the result of the operation '{operation.name}' has a field '{clash[0]}', which every answer has; give it another name")
    return create_model(f"{operation.name}_result", __base__=operation.gives, __doc__=f"What {operation.name} gives.", **beside)


def failures(*more: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of an endpoint, for OpenAPI.

    Args:
        more: statuses besides those that every endpoint may answer with.
    """
    everywhere = (400, 401, 403, 405, 408, 413, 429, 500, 503)
    return {status: {"model": Failure, "description": _codes(status)} for status in sorted({*everywhere, *more})}


def _codes(status: int) -> str:
    codes = sorted({error.code for error in known_errors() if status_of(error) == status} | ({LoginFailed.code} if status in {502, 503} else set()))
    return f"`code` is one of: {', '.join(codes)}"


def known_errors() -> Iterator[type[HandstampError]]:
    """Every class of error that an answer can tell of."""
    todo: list[type[HandstampError]] = [HandstampError]
    while todo:
        error = todo.pop()
        todo.extend(error.__subclasses__())
        if error.__module__ in {HandstampError.__module__, refusals.__name__} and "code" in vars(error):
            yield error
