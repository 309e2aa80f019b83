"""HTTP connections with limits that uvicorn's do not have: how long a head or a reader may take, how many there may be.

A connection waits for a head, at most `header_seconds` from its first byte; then it is answered, and waits again, as long as
uvicorn's keep-alive says. A client that has its answer and is still sending gets `LINGER_SECONDS`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from handstamp.server.answers import JSON_TYPE, SECURITY_HEADERS, failure
from handstamp.server.refusals import InvalidRequest, TooBusy, TooSlow

if TYPE_CHECKING:
    import asyncio

    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

    from handstamp.errors import HandstampError
    from handstamp.server.settings import ServerSettings

LINGER_SECONDS = 2.0
"""How long a client whose request was refused may go on sending what is not read: cut off at once, it might not see the answer."""
BUSY_RETRY = 5.0


class Connection(H11Protocol):
    """One connection; `limited` makes the class that uvicorn is given."""

    limits: ServerSettings

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It is open."""
        super().connection_made(transport)
        self._head_timer: asyncio.TimerHandle | None = None
        self._linger_timer: asyncio.TimerHandle | None = None
        self._send_timer: asyncio.TimerHandle | None = None
        if len(self.connections) > self.limits.max_connections:
            self._refuse(TooBusy("this server has all the connections that it takes; ask again", retry_after=BUSY_RETRY))
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        self._stop_timers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something came."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._look_at_head()

    def on_response_complete(self) -> None:
        """An answer is sent."""
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self.conn.their_state is h11.SEND_BODY and self._linger_timer is None:
            self._linger_timer = self.loop.call_later(LINGER_SECONDS, self.transport.abort)
        self._look_at_head()

    def pause_writing(self) -> None:
        """The client does not take what is sent."""
        super().pause_writing()
        self._send_timer = self.loop.call_later(self.limits.send_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """It does again."""
        self._stop_send_timer()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        del msg
        self._refuse(InvalidRequest("this is no HTTP request that can be read"))

    def _look_at_head(self) -> None:
        """Time runs while a part of a head is here, and only then (or before the first): between requests uvicorn's keep-alive counts."""
        if self.conn.their_state is not h11.IDLE:
            self._stop_head_timer()
            return
        self._stop_linger_timer()
        if self.conn.trailing_data[0] and self._head_timer is None:
            self._await_head()

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(self.limits.header_seconds, self._head_is_late)

    def _head_is_late(self) -> None:
        if self.conn.trailing_data[0]:
            self._refuse(TooSlow(f"the request's head was not here after {self.limits.header_seconds:g} s; send it faster"))
        else:
            self.transport.close()

    def _refuse(self, error: HandstampError) -> None:
        """Answer without a request, and close."""
        self._stop_timers()
        self._unset_keepalive_if_required()
        if self.transport.is_closing():
            return
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete or not cycle.response_started:
            self.transport.write(_written(error))
        self.transport.close()

    def _stop_timers(self) -> None:
        self._stop_head_timer()
        self._stop_linger_timer()
        self._stop_send_timer()

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop_linger_timer(self) -> None:
        if self._linger_timer is not None:
            self._linger_timer.cancel()
            self._linger_timer = None

    def _stop_send_timer(self) -> None:
        if self._send_timer is not None:
            self._send_timer.cancel()
            self._send_timer = None


def limited(settings: ServerSettings) -> type[Connection]:
    """The class of connections with these limits: uvicorn makes them itself, and has no place to hand on more."""
    return type("LimitedConnection", (Connection,), {"limits": settings})


def _written(error: HandstampError) -> bytes:
    answer = failure(error, now=datetime.now(UTC))
    body = answer.body
    headers: dict[str, Any] = {**SECURITY_HEADERS, **answer.headers, "Content-Type": JSON_TYPE, "Content-Length": len(body), "Connection": "close"}
    head = [f"HTTP/1.1 {answer.status} {type(error).__name__}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*head, "", ""]).encode("ascii") + body
