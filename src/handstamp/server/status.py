"""Endpoints about the server: is it well, its numbers, the files that operations left, and the pages about all endpoints."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response

from handstamp._version import __version__
from handstamp.server.documents import Health, failures
from handstamp.server.metrics import CONTENT_TYPE
from handstamp.server.refusals import InvalidRequest, NotThere, RangeRefused
from handstamp.server.replies import caller_of, failed, needs, reply

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from handstamp.pool import Pool
    from handstamp.server.metrics import Metrics

SERVICE = "handstamp"
_FileName = Annotated[str, Path(min_length=1, max_length=200, description="As an operation's answer named it.")]
_BINARY = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


def status_routes(pool: Pool, metrics: Metrics) -> APIRouter:
    """The endpoints.

    Args:
        pool: whose facts are told.
        metrics: that are told.
    """
    router = APIRouter(tags=["server"])

    @router.get("/health", responses={200: {"model": Health, "description": "It is well."}, **failures(507)})
    async def health(request: Request) -> Response:
        """Whether the server is well: without a token just that, for load balancers; with one how many sessions it has."""
        caller = caller_of(request)
        told = {"status": "healthy", "service": SERVICE, "timestamp": datetime.now(UTC)}
        if caller is None or "read" not in caller.scopes:
            return reply(told)
        return reply(told | await _numbers(pool))

    @router.get("/metrics", dependencies=[needs("read")], responses={200: {"content": {"text/plain": {}}, "description": "For Prometheus."}, **failures()})
    async def numbers() -> Response:
        """Numbers for Prometheus."""
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    @router.get("/files/{name}", dependencies=[needs("files")], responses={200: {"content": _BINARY, "description": "The file."}, **failures(404, 416)})
    async def file(name: _FileName) -> Response:
        """A file that an operation left; for a day."""
        found = await asyncio.to_thread(pool.files.find, name)
        if found is None:
            raise NotThere("no such file; files can be had for a day")
        return _Download(found, media_type="application/octet-stream", filename=name)

    return router


async def _numbers(pool: Pool) -> dict[str, Any]:
    facts = pool.facts()
    served = await asyncio.to_thread(pool.vault.count_served)
    return {
        "version": __version__,
        "sessions": {"active_count": facts.live, "max_sessions": facts.max_sessions, "session_capacity": f"{facts.live}/{facts.max_sessions}"},
        "active_sessions": facts.live,
        "persistent_sessions": served,
    }


class _Download(FileResponse):
    """A file, or the part of it that was asked for; when there is no such part, an error in our shape."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, as ASGI has it."""
        refusal: Response | None = None

        async def sending(message: Message) -> None:
            nonlocal refusal
            if message["type"] == "http.response.start" and message["status"] >= 400:
                refusal = _refused(Request(scope), message)
            if refusal is None:
                await send(message)

        await super().__call__(scope, receive, sending)
        if refusal is not None:
            await refusal(scope, receive, send)


def _refused(request: Request, start: Message) -> Response:
    length = Headers(raw=start["headers"]).get("content-range")
    if length is None:
        return failed(request, InvalidRequest("Range: say which octets, as in bytes=0-99"))
    answer = failed(request, RangeRefused("the file has no such part; Content-Range says how long it is"))
    answer.headers["Content-Range"] = length
    return answer
