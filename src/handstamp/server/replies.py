"""Answers as responses, and who may have them: what all endpoints share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer
from starlette.responses import Response

from handstamp.server.answers import JSON_TYPE, encoded, failure
from handstamp.server.gate import SCOPES, Caller, refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handstamp.errors import HandstampError

CALLER = "handstamp.caller"
CODE = "handstamp.code"
"""Where the front finds the code of an answer that is an error."""
_BEARER = HTTPBearer(auto_error=False, description="A token of this server; the first one is in the file server.token of its home directory.")


def reply(document: Mapping[str, Any]) -> Response:
    """A good answer."""
    return Response(encoded({"success": True, **document}), media_type=JSON_TYPE)


def failed(request: Request, error: HandstampError, given: Mapping[str, Any] | None = None) -> Response:
    """An answer that tells of an error, with the facts `given` besides its own."""
    answer = failure(error, now=datetime.now(UTC), given=given)
    request.scope[CODE] = error.code
    return Response(answer.body, answer.status, dict(answer.headers), JSON_TYPE)


def caller_of(request: Request) -> Caller | None:
    """Who sent it; None without a token."""
    found = request.scope.get(CALLER)
    return found if isinstance(found, Caller) else None


def needs(scope: str) -> Any:
    """What an endpoint depends on that is not for everybody.

    Args:
        scope: that its caller needs.
    """
    if scope not in SCOPES:
        raise ValueError(f"{scope!r} is no scope")

    async def allowed(request: Request, _: Annotated[object, Security(_BEARER)]) -> None:
        caller = caller_of(request)
        if caller is None:
            raise refused()
        caller.needs(scope)

    return Depends(allowed)
