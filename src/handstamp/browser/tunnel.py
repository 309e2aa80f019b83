"""A way into a Chromium that has no port, only its driver's pipe: a page of ours in it carries messages between CDP and us.

The driver's own CDP session makes the page, in a browser context by itself which no driver looks at, and gives it the binding
of `Target.exposeDevToolsProtocol`. The page comes from a loopback server of ours under an unguessable path and hands on what
it hears: on one side the binding, on the other a WebSocket. Measured: open in 0.15 s, 0.8 ms a command, 10 MB a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from handstamp.errors import BrowserTimeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.asyncio.server import Server, ServerConnection
    from websockets.http11 import Request, Response

BINDING = "handstampTunnel"
OPEN_WITHIN = 5.0  # seconds; a browser on another machine cannot reach us at all
_PAGE = """<!doctype html><title></title><link rel=icon href="data:,"><script>
const open = () => {
  const browser = globalThis.%s;
  if (!browser) return setTimeout(open, 5);
  const socket = new WebSocket(location.href.replace('http', 'ws'));
  browser.onmessage = (message) => socket.send(message);
  socket.onmessage = (message) => browser.send(message.data);
  socket.onclose = () => close();
};
open();
</script>"""


class Tunnel:
    """Our end. A `cdp.Transport`, once the page has come. All calls belong on the engine's loop.

    The binding speaks to a browser session that knows targets only, so all commands go to a full one that it attaches.
    """

    receive: Callable[[bytes | str], None]
    closed: Callable[[], None]

    def __init__(self) -> None:
        self._path = "/" + secrets.token_urlsafe(32)
        self._server: Server | None = None
        self._socket: asyncio.Future[ServerConnection] = asyncio.get_running_loop().create_future()
        self._outbox: asyncio.Queue[str] = asyncio.Queue()
        self._root: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._tasks: list[asyncio.Task[None]] = []

    async def listen(self) -> str:
        """Wait for the page at this URL, which is a secret."""
        from websockets.asyncio.server import serve  # noqa: PLC0415  (40 ms)

        self._server = await serve(
            self._serve, "127.0.0.1", 0, process_request=self._admit, max_size=None, compression=None, ping_interval=None, logger=_quiet()
        )
        port = next(iter(self._server.sockets)).getsockname()[1]
        return f"http://127.0.0.1:{port}{self._path}"

    async def start(self) -> None:
        """Wait until the page has come, and begin to deliver.

        Raises:
            BrowserTimeout: it does not come: the browser cannot reach this machine's loopback.
        """
        try:
            socket = await asyncio.wait_for(self._socket, OPEN_WITHIN)
            self._tasks = [asyncio.create_task(self._read(socket)), asyncio.create_task(self._write(socket))]
            self._outbox.put_nowait(json.dumps({"id": 0, "method": "Target.attachToBrowserTarget"}))
            await asyncio.wait_for(asyncio.shield(self._root), OPEN_WITHIN)
        except TimeoutError:
            await self.close()
            raise BrowserTimeout(f"the browser did not open a way for handstamp within {OPEN_WITHIN:g} s; is it on another machine?") from None

    def write(self, data: bytes) -> None:
        """Send one message, in order."""
        message = json.loads(data)
        message.setdefault("sessionId", self._root.result())
        self._outbox.put_nowait(json.dumps(message, separators=(",", ":")))

    async def close(self) -> None:
        """Close both ends; the page goes by that."""
        for task in self._tasks:
            task.cancel()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.path != self._path or self._socket.done():
            return connection.respond(HTTPStatus.NOT_FOUND, "")
        if "Upgrade" in request.headers:
            return None
        page = connection.respond(HTTPStatus.OK, _PAGE % BINDING)
        del page.headers["Content-Type"]
        page.headers["Content-Type"] = "text/html; charset=utf-8"
        return page

    async def _serve(self, socket: ServerConnection) -> None:
        self._socket.set_result(socket)
        await socket.wait_closed()

    async def _read(self, socket: ServerConnection) -> None:
        import websockets  # noqa: PLC0415

        with contextlib.suppress(websockets.ConnectionClosed):
            async for text in socket:
                message: dict[str, Any] = json.loads(text)
                if not self._root.done():
                    self._attached(message)
                elif message.get("sessionId") == self._root.result():
                    del message["sessionId"]
                    self.receive(json.dumps(message))
                elif "sessionId" in message:
                    self.receive(text)
        self.closed()

    def _attached(self, message: dict[str, Any]) -> None:
        if message.get("id") == 0:
            self._root.set_result(message["result"]["sessionId"])

    async def _write(self, socket: ServerConnection) -> None:
        import websockets  # noqa: PLC0415

        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await socket.send(await self._outbox.get())


def _quiet() -> logging.Logger:
    """The server's own log names request paths, and ours are secrets."""
    logger = logging.getLogger(__name__ + ".websockets")
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    return logger
