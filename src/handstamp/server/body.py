"""A request's body, read as a whole before anybody works on it: within so many bytes and so many seconds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from handstamp.server.refusals import TooLarge, TooSlow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Message, Receive


class Gone(Exception):
    """The client went away before its request was here."""


def check_length(headers: Mapping[str, str], limit: int) -> None:
    """Refuse by what the head announces, before anything of the body is read.

    Raises:
        TooLarge: it announces more than the server takes.
    """
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > limit:
        raise _too_large(limit)


async def read_body(receive: Receive, *, limit: int, seconds: float) -> bytes:
    """The body.

    Args:
        receive: ASGI's.
        limit: bytes.
        seconds: until all of it has to be here.

    Raises:
        TooLarge: it is larger.
        TooSlow: it is not here in time.
        Gone: the client is not there any more.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                body += message.get("body", b"")
                if len(body) > limit:
                    raise _too_large(limit)
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise TooSlow(f"the request's body was not here after {seconds:g} s; send it faster") from None


class Line:
    """What the application receives: the body that was read, then when the client goes away. Also for those who ask whether it has.

    Args:
        receive: ASGI's.
        body: that was read from it.
    """

    def __init__(self, receive: Receive, body: bytes) -> None:
        self._body: bytes | None = body
        self._end = asyncio.create_task(_until_gone(receive))

    async def receive(self) -> Message:
        """The next message, as ASGI has it."""
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await asyncio.shield(self._end)
        return {"type": "http.disconnect"}

    @property
    def client_is_gone(self) -> bool:
        """Whether the client went away meanwhile."""
        return self._end.done()

    def close(self) -> None:
        """Nobody asks any more."""
        self._end.cancel()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the request's body is larger than {limit} bytes, which is all that this server takes (body_limit)")
