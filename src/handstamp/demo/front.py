"""What stands before a site's application: counts each request, waits, breaks some, and writes the access log."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from handstamp.demo.world import Interpals, Portside

_logger = logging.getLogger(__name__)

OTHER_PATH = "(other)"
STATIC_PATH = "/static"


def is_hit(number: int, share: float) -> bool:
    """Whether the `number`-th request (from 1) is among the `share` that breaks: evenly spread, exact in the long run."""
    return math.floor(number * share + 1e-9) > math.floor((number - 1) * share + 1e-9)


def counted_as(path: str, known: Collection[str]) -> str:
    """The name under which requests to this path are counted: its route's. Strangers' paths share one."""
    if path in known:
        return path
    if path.startswith(f"{STATIC_PATH}/"):
        return STATIC_PATH
    return next((pattern for pattern in known if "{" in pattern and _fits(path, pattern)), OTHER_PATH)


def _fits(path: str, pattern: str) -> bool:
    """Whether `path` is one of those that `/containers/{number}` stands for."""
    parts, wanted = path.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(part == want or (want.startswith("{") and part) for part, want in zip(parts, wanted, strict=True))


class Front:
    """An ASGI application around a site's own. Files under ``/static`` are never broken or slowed.

    Args:
        app: the site.
        name: the site's name in the log.
        site: gives the site's state now (it changes with a reset).
        known: the paths of the site's routes, for counting.
        broken: makes the answer with the knob's error status.
    """

    def __init__(self, app: ASGIApp, *, name: str, site: Callable[[], Portside | Interpals], known: Collection[str], broken: Callable[[int], Response]) -> None:
        self._app = app
        self._name = name
        self._site = site
        self._known = known
        self._broken = broken
        self._number = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        site, started = self._site(), time.monotonic()
        path = counted_as(scope["path"], self._known)
        line = f"{scope['method']} {path}"
        site.tally.request(line)
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        await self._serve(site, path, scope, receive, sending)
        username = scope.get("state", {}).get("username")
        if username is not None:
            site.tally.request_of(username, line)
        _logger.info("%s %s %d %.0f ms", self._name, line, status, (time.monotonic() - started) * 1000)

    async def _serve(self, site: Portside | Interpals, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        knobs, app = site.knobs, self._app
        if path != STATIC_PATH:
            self._number += 1
            if knobs.slow_ms:
                await asyncio.sleep(knobs.slow_ms / 1000)
            if is_hit(self._number, knobs.error_share):
                app = self._broken(knobs.error_status)
        await app(scope, receive, send)
