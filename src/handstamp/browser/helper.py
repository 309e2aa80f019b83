"""Helper pages: documents of an origin that we need and no page shows now, to read or fill what only a document can reach.

A helper page is in the context whose storage it serves, since storage belongs to a context. Neither driver nor site gets to
know of it: it is created while new pages of its context are held back from everybody, and its driver sessions are ended
before the driver hears of them; it asks no server, since its one request is answered here, past any service worker.
"""

from __future__ import annotations

import asyncio
import base64
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from handstamp.browser.idb import World, over_cdp
from handstamp.browser.restore import WORLD
from handstamp.browser.storage_key import origin_of, partition_of
from handstamp.errors import BrowserError, BrowserTimeout

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from handstamp.browser.cdp import Connection, Message

READY_WITHIN = 10.0  # seconds
_REMEMBERED = 256  # helper pages that have ended and may still be spoken of
_EMPTY = "<!doctype html><title></title>"


class HelperPages:
    """Makes helper pages of one browser, and keeps them from everybody else.

    Args:
        connection: to the browser.
        deliver: passes on an event that was held back and is not about a helper page.
    """

    def __init__(self, connection: Connection, deliver: Callable[[Message], None]) -> None:
        self._connection = connection
        self._deliver = deliver
        self._making: dict[str, int] = {}
        self._held: list[Message] = []
        self._helpers: dict[str, _Helper] = {}
        self._ended: deque[str] = deque()
        self._sessions: dict[str, _Helper] = {}
        self._dismissed: set[str] = set()

    def hides(self, target: str) -> bool:
        """Whether this target is a helper page."""
        return target in self._helpers

    def screen(self, message: Message) -> bool:
        """Look at an event first; True when it is about a helper page, or must wait until that is known."""
        if helper := self._sessions.get(message.get("sessionId", "")):
            self._own_event(helper, message)
            return True
        method, params = message["method"], message.get("params", {})
        if method == "Target.attachedToTarget":
            return self._attached(message, params["targetInfo"])
        if method == "Target.detachedFromTarget":
            known = params.get("sessionId", "") in self._dismissed
            self._dismissed.discard(params.get("sessionId", ""))
            return known
        if method.startswith("Target.target"):
            return (params.get("targetInfo") or params).get("targetId", "") in self._helpers
        return False

    def _attached(self, message: Message, target: Message) -> bool:
        if target["targetId"] in self._helpers:
            self._belongs(self._helpers[target["targetId"]], message)
            return True
        if target["type"] == "page" and target.get("browserContextId", "") in self._making and not target.get("openerId"):
            self._held.append(message)
            return True
        return False

    def _belongs(self, helper: _Helper, message: Message) -> None:
        """Our own session of a helper page is the way to it; a driver's is ended before the driver hears of it."""
        session, parent = message["params"]["sessionId"], message.get("sessionId")
        if parent is None:
            self._sessions[session] = helper
            helper.attached(session)
            return
        self._dismissed.add(session)
        self._connection.post("Runtime.runIfWaitingForDebugger", session=session)
        self._connection.post("Target.detachFromTarget", {"sessionId": session}, session=parent)

    def _own_event(self, helper: _Helper, message: Message) -> None:
        if message["method"] == "Target.attachedToTarget":  # its out-of-process frame
            self._sessions[message["params"]["sessionId"]] = helper
        helper.hear(message)

    @asynccontextmanager
    async def world(self, context: str, scope: str) -> AsyncIterator[World]:
        """The storage library in a document of `scope`, in a helper page that ends with the block.

        Args:
            context: `browserContextId`; empty for the default context.
            scope: first-party, or under another top-level site.

        Raises:
            BrowserError: the browser does not make the page, or its document.
            BrowserTimeout: it does not come to be in time.
        """
        async with self._page(context, scope) as helper:
            session, frame = await helper.ready()
            yield await over_cdp(self._connection, session=session, frame=frame, scope=scope, name=WORLD)

    @asynccontextmanager
    async def session(self, context: str) -> AsyncIterator[str]:
        """The session of an empty helper page, for questions about a context that only its pages answer.

        Args:
            context: see `world`.

        Raises:
            BrowserError, BrowserTimeout: see `world`.
        """
        async with self._page(context, "") as helper:
            yield await helper.session()

    @asynccontextmanager
    async def _page(self, context: str, scope: str) -> AsyncIterator[_Helper]:
        helper = await self._make(context, scope)
        try:
            yield helper
        finally:
            self._connection.post("Target.closeTarget", {"targetId": helper.target})
            self._ended.append(helper.target)
            if len(self._ended) > _REMEMBERED:
                self._helpers.pop(self._ended.popleft(), None)
            for session in [session for session, owner in self._sessions.items() if owner is helper]:
                del self._sessions[session]

    def made_by_driver(self, target: str) -> None:
        """A driver is about to hear that it has made this page: what was held back of it goes first."""
        mine = [message for message in self._held if message["params"]["targetInfo"]["targetId"] == target]
        self._held = [message for message in self._held if message not in mine]
        for message in mine:
            self._deliver(message)

    async def _make(self, context: str, scope: str) -> _Helper:
        """The browser's answer is looked at at once: the very next message may be about a page that a driver has made."""
        made: asyncio.Future[_Helper | None] = asyncio.get_running_loop().create_future()

        def answered(reply: Message) -> None:
            helper = self._made(context, scope, reply.get("result", {}).get("targetId"))
            if not made.done():
                made.set_result(helper)
            elif helper is not None:  # who wanted it waits no more
                self._connection.post("Target.closeTarget", {"targetId": helper.target})

        self._making[context] = self._making.get(context, 0) + 1
        params = {"url": "about:blank", **({"browserContextId": context} if context else {})}
        self._connection.forward({"method": "Target.createTarget", "params": params}, answered)
        helper = await made
        if helper is None:
            raise BrowserError(f"the browser makes no page in which the storage of {scope or 'its context'} could be reached")
        return helper

    def _made(self, context: str, scope: str, target: str | None) -> _Helper | None:
        """The page is there, or not; what was held back until it was known goes on."""
        self._making[context] -= 1
        if not self._making[context]:
            del self._making[context]
        helper = None
        if target is not None:
            helper = self._helpers[target] = _Helper(self._connection, target, scope)
        self._release()
        return helper

    def _release(self) -> None:
        held, self._held = self._held, []
        for message in held:
            if not self.screen(message):
                self._deliver(message)


class _Helper:
    """One helper page on its way to a document."""

    def __init__(self, connection: Connection, target: str, scope: str) -> None:
        self.target = target
        self._connection = connection
        self._origin = origin_of(scope)
        partition = partition_of(scope)
        self._top = partition[1:] if partition[:1] == "0" else self._origin
        self._framed = bool(partition)
        self._session: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._document: asyncio.Future[tuple[str, str]] = asyncio.get_running_loop().create_future()

    def attached(self, session: str) -> None:
        """Our session of the page is there; it waits. Set the stage, and let it run."""
        post = self._connection.post
        post("Network.enable", session=session)
        post("Network.setBypassServiceWorker", {"bypass": True}, session=session)
        post("Fetch.enable", {"patterns": [{"urlPattern": "*"}]}, session=session)
        frames = [{"type": "iframe", "exclude": False}, {"exclude": True}]
        post("Target.setAutoAttach", {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True, "filter": frames}, session=session)
        post("Runtime.runIfWaitingForDebugger", session=session)
        if not self._session.done():
            self._session.set_result(session)

    def hear(self, message: Message) -> None:
        """An event of one of its sessions."""
        method, params, session = message["method"], message.get("params", {}), message.get("sessionId", "")
        if method == "Fetch.requestPaused":
            self._answer(params, session)
        elif method == "Target.attachedToTarget":
            child = params["sessionId"]
            for command in ("Page.enable", "Runtime.runIfWaitingForDebugger"):
                self._connection.post(command, session=child)
        elif method == "Page.frameNavigated":
            frame = params["frame"]
            if frame.get("securityOrigin") == self._origin and frame.get("parentId") and not self._document.done():
                self._document.set_result((session, frame["id"]))

    def _answer(self, params: Message, session: str) -> None:
        inner = f"<iframe src='{self._origin}/'></iframe>" if self._framed and params["request"]["url"] == self._top + "/" else ""
        body = base64.b64encode((_EMPTY + inner).encode()).decode()
        headers = [{"name": "Content-Type", "value": "text/html"}]
        self._connection.post(
            "Fetch.fulfillRequest", {"requestId": params["requestId"], "responseCode": 200, "responseHeaders": headers, "body": body}, session=session
        )

    async def session(self) -> str:
        """Our session of it."""
        try:
            async with asyncio.timeout(READY_WITHIN):
                return await self._session
        except TimeoutError:
            raise BrowserTimeout(f"no page came to be within {READY_WITHIN:g} s, so what the context stores is not known") from None

    async def ready(self) -> tuple[str, str]:
        """Go to the document; its session and frame."""
        try:
            async with asyncio.timeout(READY_WITHIN):
                session = await self._session
                await self._connection.send("Page.enable", session=session)  # answered: what is sent after a navigation has begun waits for its end
                went = await self._connection.send("Page.navigate", {"url": self._top + "/"}, session=session)
                return await self._document if self._framed else (session, went["frameId"])
        except TimeoutError:
            raise BrowserTimeout(f"no document of {self._origin} came to be within {READY_WITHIN:g} s, so its storage is not read now") from None
