"""What happens to every request before and after the application: who, how often, how large, how slow; then a line in the log.

    host and origin → token → rate → drain → body → application → headers, log, metrics

In this order, so that a stranger costs little: nothing of a body is read before its sender has shown a token.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from handstamp.errors import HandstampError, Stopping, Unauthorized
from handstamp.server.answers import JSON_TYPE, SECURITY_HEADERS, failure
from handstamp.server.body import Gone, Line, check_length, read_body
from handstamp.server.gate import refused
from handstamp.server.hosts import check_host, check_origin
from handstamp.server.logs import LOGGER
from handstamp.server.rates import Rates
from handstamp.server.refusals import TooMany, Unexpected
from handstamp.server.replies import CALLER, CODE

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from handstamp.server.gate import Caller, Gate
    from handstamp.server.metrics import Metrics
    from handstamp.server.settings import ServerSettings

_log = logging.getLogger(LOGGER)
OPEN_PATHS = frozenset({"/health", "/docs", "/openapi.json"})
"""What needs no token. They tell what the server can do, and nothing of sessions."""
STOPPING = "the server is about to end and begins nothing new; ask again in a moment, or ask another one"
WHILE_STOPPING = frozenset({"/metrics"})
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(slots=True)
class Visit:
    """A request, for the log."""

    request_id: str
    method: str
    began: float = field(default_factory=time.perf_counter)
    caller: str = "-"
    status: int = 0
    client_gone: bool = False


class Intake:
    """Whether the server takes new work."""

    def __init__(self) -> None:
        self.open = True


class Front:
    """The application with all of this before it.

    Args:
        app: the application.
        gate: knows tokens.
        names: by which the server may be called.
        settings: limits.
        metrics: count requests.
        intake: whether new work is taken.
    """

    def __init__(self, app: ASGIApp, *, gate: Gate, names: frozenset[str], settings: ServerSettings, metrics: Metrics, intake: Intake) -> None:
        self._app = app
        self._gate = gate
        self._names = names
        self._settings = settings
        self._metrics = metrics
        self._intake = intake
        self._known = Rates(settings.requests_per_minute)
        self._unknown = Rates(settings.requests_per_minute_without_token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, as ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        visit = Visit(_request_id(headers), str(scope["method"])[:16])

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                visit.status = message["status"]
                _complete(MutableHeaders(raw=message.setdefault("headers", [])), visit)
            await send(message)

        try:
            await self._serve(scope, headers, receive, sending, visit)
        except Gone:
            visit.client_gone = True
        except HandstampError as error:
            await _refuse(scope, sending, error)
        except asyncio.CancelledError:
            if self._intake.open or visit.status:
                raise
            # The process ends, and has cut this off; left to uvicorn, its caller would get a text.
            await _refuse(scope, sending, Stopping(STOPPING))
        except Exception as error:  # noqa: BLE001  (what goes wrong in one request ends no other)
            _log.exception("request failed", extra={"facts": {"request_id": visit.request_id}}, exc_info=error)
            if not visit.status:
                await _refuse(scope, sending, Unexpected("the server has failed; its log says where"))
        finally:
            self._note(scope, visit)

    async def _serve(self, scope: Scope, headers: Headers, receive: Receive, send: Send, visit: Visit) -> None:
        check_host(headers.get("host"), self._names)
        check_origin(headers.get("origin"), headers.get("host"))
        caller = await self._caller(scope, headers)
        visit.caller = "-" if caller is None else caller.name
        if caller is None and scope["path"] not in OPEN_PATHS:
            raise refused()
        if not self._intake.open and scope["path"] not in WHILE_STOPPING:
            raise Stopping(STOPPING)
        check_length(headers, self._settings.body_limit)
        body = await read_body(receive, limit=self._settings.body_limit, seconds=self._settings.body_seconds)
        scope[CALLER] = caller
        line = Line(receive, body)
        try:
            await self._app(scope, line.receive, send)
        finally:
            visit.client_gone = line.client_is_gone
            line.close()

    async def _caller(self, scope: Scope, headers: Headers) -> Caller | None:
        """Who it is; counted. A token that works is counted by its name alone: what others at its address do is not held against it."""
        address = str((scope.get("client") or ("-",))[0])
        try:
            caller = await self._gate.caller(headers.get("authorization"), address)
        except Unauthorized:
            _count(self._unknown, address)
            raise
        if caller is None:
            _count(self._unknown, address)
        else:
            _count(self._known, caller.name)
        return caller

    def _note(self, scope: Scope, visit: Visit) -> None:
        seconds = time.perf_counter() - visit.began
        path = str(getattr(scope.get("route"), "path", "-"))
        self._metrics.request(visit.method, path, visit.status, seconds)
        facts = {
            "request_id": visit.request_id,
            "method": visit.method,
            "path": path,
            "status": visit.status,
            "ms": round(seconds * 1000, 1),
            "token": visit.caller,
        }
        if CODE in scope:
            facts["code"] = scope[CODE]
        if visit.client_gone:
            facts["client_gone"] = True
        _log.info("request", extra={"facts": facts})


def _count(rates: Rates, who: str) -> None:
    if seconds := rates.take(who, time.monotonic()):
        raise TooMany("too many requests; ask again after Retry-After", retry_after=seconds)


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _GIVEN_ID.fullmatch(given) else secrets.token_hex(8)


def _complete(headers: MutableHeaders, visit: Visit) -> None:
    headers["X-Request-ID"] = visit.request_id
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)


async def _refuse(scope: Scope, send: Send, error: HandstampError) -> None:
    answer = failure(error, now=datetime.now(UTC))
    body = answer.body
    scope[CODE] = error.code
    headers = {**answer.headers, "Content-Type": JSON_TYPE, "Content-Length": str(len(body))}
    if isinstance(error, Stopping):
        headers["Connection"] = "close"
    raw = [(name.lower().encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
