"""Our CDP client: commands with answers, events in order, over a pipe or a WebSocket. Flat sessions only.

Messages are JSON objects; on a pipe each ends with a zero byte (Chromium's `--remote-debugging-pipe`).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import os
from typing import TYPE_CHECKING, Any, Protocol

from handstamp.errors import BrowserError, BrowserGone, BrowserTimeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.asyncio.client import ClientConnection

Message = dict[str, Any]
_log = logging.getLogger(__name__)
_encode = json.JSONEncoder(separators=(",", ":")).encode
_NO_SUCH_SESSION = -32001  # Chromium's code
ANSWER_TIMEOUT = 30.0  # seconds; a command that takes longer means a browser that hangs


class CdpError(BrowserError):
    """The browser refused a command; the message names it, never its parameters.

    Attributes:
        session_gone: whether it was for a page or frame that is not there any more.
    """

    code = "browser-refused"
    session_gone = False


class Transport(Protocol):
    """Carries messages. `receive` and `closed` are set by the connection before `start`."""

    receive: Callable[[bytes | str], None]
    closed: Callable[[], None]

    async def start(self) -> None:
        """Begin to deliver."""

    def write(self, data: bytes) -> None:
        """Send one message, in order, without waiting."""

    async def close(self) -> None:
        """Deliver no more."""


class Connection:
    """One CDP connection. All calls belong on the loop that `start` ran on; events are delivered in order, before the next is read.

    Args:
        transport: carries the messages.

    Attributes:
        on_event: called with each event.
        on_lost: called once when the connection has ended, before commands that wait hear of it.
        closed: set when it has ended.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._numbers = itertools.count(1)
        self._waiting: dict[int, tuple[str | None, Callable[[Message], None]]] = {}
        self.on_event: Callable[[Message], None] = lambda _message: None
        self.on_lost: Callable[[], None] = lambda: None
        self.closed = asyncio.Event()

    async def start(self) -> None:
        """Begin to read."""
        self._transport.receive = self._receive
        self._transport.closed = self._lost
        await self._transport.start()

    async def send(self, method: str, params: Message | None = None, *, session: str | None = None, timeout: float = ANSWER_TIMEOUT) -> Message:
        """The command's result.

        Args:
            method: ``Domain.name``.
            params: as CDP documents them.
            session: flat session id; None for the browser itself.
            timeout: seconds.

        Raises:
            CdpError: the browser refused it.
            BrowserGone: the connection ended.
            BrowserTimeout: no answer in time.
        """
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        message = {"method": method, "params": params or {}, **({"sessionId": session} if session else {})}
        number = self.forward(message, lambda reply: _settle(future, method, reply))
        try:
            async with asyncio.timeout(timeout):  # not `wait_for`: before Python 3.12 that swallows a cancellation which meets the answer
                return await future
        except TimeoutError:
            self._waiting.pop(number, None)
            raise BrowserTimeout(f"the browser did not answer {method} within {timeout:g} s") from None

    def post(self, method: str, params: Message | None = None, *, session: str | None = None) -> None:
        """Send a command whose answer nobody waits for; order is kept. A refusal is logged at DEBUG (a target may be gone by then)."""

        def look(reply: Message) -> None:
            if "error" in reply:
                _log.debug("%s refused: %s", method, reply["error"].get("message"))

        self.forward({"method": method, "params": params or {}, **({"sessionId": session} if session else {})}, look)

    def forward(self, message: Message, reply: Callable[[Message], None]) -> int:
        """Send a whole message under a number of ours; `reply` gets the answer with that number still in it."""
        number = next(self._numbers)
        if self.closed.is_set():
            reply({"id": number, "error": {"code": -32000, "message": "the browser is gone"}, "gone": True})
            return number
        self._waiting[number] = (message.get("sessionId"), reply)
        self._transport.write(_encode({**message, "id": number}).encode())
        return number

    async def close(self) -> None:
        """End the connection; waiting commands get `BrowserGone`."""
        await self._transport.close()
        self._lost()

    def _receive(self, data: bytes | str) -> None:
        message = json.loads(data)
        number = message.get("id")
        if number is None:
            if message.get("method") == "Target.detachedFromTarget":
                self._end(message["params"].get("sessionId"))
            self.on_event(message)
        elif waiting := self._waiting.pop(number, None):
            waiting[1](message)

    def _end(self, session: str | None) -> None:
        """A session has ended: what its target has not answered by now, Chromium leaves without an answer."""
        for number in [number for number, (where, _) in self._waiting.items() if where is not None and where == session]:
            self._waiting.pop(number)[1]({"id": number, "error": {"code": _NO_SUCH_SESSION, "message": "its page or frame is gone"}})

    def _lost(self) -> None:
        if self.closed.is_set():
            return
        self.closed.set()
        self.on_lost()
        waiting, self._waiting = self._waiting, {}
        for number, (_, reply) in waiting.items():
            reply({"id": number, "error": {"code": -32000, "message": "the browser is gone"}, "gone": True})


def _settle(future: asyncio.Future[Message], method: str, reply: Message) -> None:
    if future.done():
        return
    if "error" not in reply:
        future.set_result(reply.get("result", {}))
    elif reply.get("gone"):
        future.set_exception(BrowserGone(f"the browser ended before it answered {method}; the session is in the vault, open it again"))
    else:
        refusal = CdpError(f"the browser refused {method}: {reply['error'].get('message')}")
        refusal.session_gone = reply["error"].get("code") == _NO_SUCH_SESSION
        future.set_exception(refusal)


class PipeTransport(asyncio.Protocol):
    """Messages over two file descriptors, each ended by a zero byte.

    Args:
        reads: descriptor to read from; closed with the transport.
        writes: descriptor to write to; closed with the transport.
    """

    receive: Callable[[bytes | str], None]
    closed: Callable[[], None]

    def __init__(self, reads: int, writes: int) -> None:
        self._files = (reads, writes)
        self._pieces: list[bytes] = []
        self._reader: asyncio.BaseTransport | None = None
        self._writer: asyncio.WriteTransport | None = None

    async def start(self) -> None:
        """Hand both ends to the loop."""
        loop = asyncio.get_running_loop()
        reads, writes = self._files
        self._writer, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(writes, "wb", buffering=0))
        self._reader, _ = await loop.connect_read_pipe(lambda: self, os.fdopen(reads, "rb", buffering=0))

    def write(self, data: bytes) -> None:
        """Send one message; what the pipe cannot take yet is buffered, and what comes after its end is dropped."""
        if self._writer and not self._writer.is_closing():
            self._writer.write(data + b"\0")

    def data_received(self, data: bytes) -> None:
        """Called by the loop: cut at the zero bytes; a large message comes in many pieces."""
        first, *rest = data.split(b"\0")
        self._pieces.append(first)
        for piece in rest:
            message, self._pieces = b"".join(self._pieces), [piece]
            self.receive(message)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Called by the loop: the browser closed its end, or we did."""
        self.closed()

    async def close(self) -> None:
        """Close both ends; a browser of ours ends by that."""
        for end in (self._writer, self._reader):
            if end is not None:
                end.close()
        await asyncio.sleep(0)


class WebSocketTransport:
    """Messages over a browser's own debugging WebSocket, on this machine or another.

    Args:
        socket: connected, with ``max_size=None`` and ``compression=None``.
    """

    receive: Callable[[bytes | str], None]
    closed: Callable[[], None]

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._outbox: asyncio.Queue[bytes] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to read and write."""
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._write())]

    def write(self, data: bytes) -> None:
        """Send one message in order."""
        self._outbox.put_nowait(data)

    async def _read(self) -> None:
        import websockets  # noqa: PLC0415  (40 ms)

        with contextlib.suppress(websockets.ConnectionClosed):
            async for data in self._socket:
                self.receive(data)
        self.closed()

    async def _write(self) -> None:
        import websockets  # noqa: PLC0415

        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await self._socket.send((await self._outbox.get()).decode())

    async def close(self) -> None:
        """Close the socket; the browser goes on."""
        for task in self._tasks:
            task.cancel()
        await self._socket.close()
