"""A driver's line: the server's end of a WebSocket, on the loop itself, with no task or queue between.

Each step of a driver is some messages there and back, one after the other, so what a message costs is felt: here a third of
what it costs over `websockets.asyncio`, of which this uses the protocol without its I/O.
"""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.frames import Frame
    from websockets.http11 import Request


class Line(asyncio.Protocol):
    """One connection. Belongs to the loop that serves it.

    Args:
        admits: whether this request may open it.
        opened: called when it is open.
        ended: called when it is gone, if it was open.

    Attributes:
        path: that it was opened by.
        gone: set when it is.
    """

    def __init__(self, *, admits: Callable[[Request], bool], opened: Callable[[Line], None], ended: Callable[[Line], None]) -> None:
        from websockets.server import ServerProtocol  # noqa: PLC0415  (40 ms)

        self.path = ""
        self.gone = asyncio.Event()
        self._admits = admits
        self._opened = opened
        self._ended = ended
        self._protocol = ServerProtocol(max_size=None, logger=_quiet())
        self._transport: asyncio.Transport | None = None
        self._hears: Callable[[bytes], None] | None = None
        self._early: list[bytes] = []
        self._pieces: list[bytes] = []
        self._flushing = False

    def listen(self, hears: Callable[[bytes], None]) -> None:
        """From now on `hears` gets every message, first those that came before."""
        self._hears = hears
        early, self._early = self._early, []
        for message in early:
            hears(message)

    def send(self, message: str) -> None:
        """Send a message in order; those of one turn of the loop go out together. Does nothing once the line is closing."""
        from websockets.protocol import State  # noqa: PLC0415

        if self._protocol.state is State.OPEN:
            self._protocol.send_text(message.encode())
            self._flush_soon()

    def close(self, code: int) -> None:
        """Say goodbye and hang up."""
        from websockets.protocol import State  # noqa: PLC0415

        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code)
        self._flush()
        if self._transport is not None:
            self._transport.close()

    # -- called by the loop ---------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody is there."""
        self._transport = transport  # type: ignore[assignment]  # of a TCP server it is one that reads and writes

    def data_received(self, data: bytes) -> None:
        """Bytes, of which the protocol makes frames."""
        self._protocol.receive_data(data)
        self._take_events()

    def eof_received(self) -> None:
        """The other end sends no more."""
        self._protocol.receive_eof()
        self._take_events()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """It is gone."""
        self.gone.set()
        if self.path:
            self._ended(self)

    # -- frames ---------------------------------------------------------------------------------------------------

    def _take_events(self) -> None:
        from websockets.frames import Frame, Opcode  # noqa: PLC0415

        for event in self._protocol.events_received():
            if not isinstance(event, Frame):
                self._greet(event)  # type: ignore[arg-type]  # to a server the only other event is the request
            elif event.opcode in {Opcode.TEXT, Opcode.CONT}:
                self._take_piece(event)
        self._flush_soon()

    def _greet(self, request: Request) -> None:
        admitted = self._admits(request)
        response = self._protocol.accept(request) if admitted else self._protocol.reject(HTTPStatus.NOT_FOUND, "")
        self._protocol.send_response(response)
        if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            self.path = request.path
            self._opened(self)

    def _take_piece(self, frame: Frame) -> None:
        self._pieces.append(bytes(frame.data))
        if frame.fin:
            message, self._pieces = b"".join(self._pieces), []
            if self._hears is None:
                self._early.append(message)
            else:
                self._hears(message)

    def _flush_soon(self) -> None:
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if self._transport is None or self._transport.is_closing():
            return
        pieces = self._protocol.data_to_send()
        if data := b"".join(pieces):
            self._transport.write(data)
        if pieces and not pieces[-1]:  # the protocol's word for: close
            self._transport.close()


def _quiet() -> logging.Logger:
    """The protocol's own log names request paths, and ours are secrets."""
    logger = logging.getLogger(__name__ + ".websockets")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    return logger
