"""The relay: gives each driver (Playwright, …) its own way into a browser on a pipe, which has no port of its own.

A driver connects to a loopback WebSocket with an unguessable path. It gets a browser session of its own
(`Target.attachToBrowserTarget`); its message ids are renumbered, and events go to the driver that owns their session.
Since every command passes here, we learn whose context is whose without guessing: before a driver hears of the context
that it has asked for, the context has been filled; before a context that it gives up is gone, its state has been read.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from handstamp.browser.line import Line
from handstamp.errors import BrowserError, BrowserGone

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from websockets.http11 import Request

    from handstamp.browser.cdp import Connection, Message

_encode = json.JSONEncoder(separators=(",", ":")).encode
_PATH_BYTES = 32
_NOT_WANTED: dict[str, Any] = {"error": {"code": -32000, "message": "whoever wanted this context does not wait for it any more"}}
_JAR = frozenset({"Storage.getCookies", "Storage.setCookies", "Storage.clearCookies"})
_NAVIGATIONS = frozenset({"Page.navigate", "Page.reload", "Page.navigateToHistoryEntry"})
_TO_TAKE_IN = 0.05  # seconds in which a driver has surely taken in what it was told


class CloseCode(IntEnum):
    """Why a line is hung up (RFC 6455 §7.4.1)."""

    GOING_AWAY = 1001
    POLICY_VIOLATION = 1008


class Expected:
    """One context that a driver is about to be asked for, and what for. For one use.

    Attributes:
        made: called with its `browserContextId` before the driver hears of it.
        context: that id, once `made` has come to its end.
        withdrawn: whether nobody waits for it any more, see `Relay.withdraw`.
    """

    def __init__(self) -> None:
        self.made: Callable[[str], Awaitable[None]] = _nothing
        self.context: str | None = None
        self.withdrawn = False


async def _nothing(_context: str) -> None:
    pass


class Driver:
    """One driver's way in.

    Attributes:
        expected: for the next context that it makes. One that nobody expects is none of ours.
        barred: whether it makes no contexts any more: one that was asked for in vain may still come, and must not be taken for
            another. Those that it has stay.
        pages: that it knows, target id by session.
    """

    def __init__(self) -> None:
        self.path = "/" + secrets.token_urlsafe(_PATH_BYTES)
        self.expected: Expected | None = None
        self.barred = False
        self.contexts: set[str] = set()
        self.pages: dict[str, str] = {}
        self.session: str | None = None
        self.line: Line | None = None

    def tell(self, message: Message) -> None:
        """Send it a message, in order."""
        if message.get("sessionId") == self.session:
            message = {key: value for key, value in message.items() if key != "sessionId"}
        if self.line is not None:
            self.line.send(_encode(message))


class Relay:
    """Serves drivers of one browser connection. All calls belong on the connection's loop.

    Args:
        connection: to the browser, as its only root client.
        before_dispose: awaited with a context's id before a driver's wish to dispose of it is passed on, and when the
            driver goes away.
        hides: whether a target is none of the drivers' business.
        navigates: called with a target's id when a driver sends it somewhere.
        before_jar: called with a context's id; what a driver's command to its cookies has to wait for, None for nothing.
        makes: called with a target's id before a driver hears that it has made it.

    Attributes:
        lends: `browserContextId` of a context that drivers get where they ask for a new one that is expected: the browser's own,
            in which it keeps its files. It cannot be disposed of; a driver that does has let go of it. None for new ones.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        before_dispose: Callable[[str], Awaitable[None]],
        hides: Callable[[str], bool] = lambda _target: False,
        navigates: Callable[[str], None] = lambda _target: None,
        before_jar: Callable[[str], Awaitable[Any] | None] = lambda _context: None,
        makes: Callable[[str], None] = lambda _target: None,
    ) -> None:
        self._before_jar = before_jar
        self.lends: str | None = None
        self._hides = hides
        self._makes = makes
        self._navigates = navigates
        self._targets: dict[str, str] = {}
        self._connection = connection
        self._before_dispose = before_dispose
        self._drivers: dict[str, Driver] = {}
        self._owners: dict[str, Driver] = {}
        self._server: asyncio.Server | None = None
        self._lines: dict[Line, Driver | None] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._told = False  # of pages that were taken

    async def start(self) -> None:
        """Listen on a free loopback port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Line(admits=self._admits, opened=self._opened, ended=self._ended), "127.0.0.1", 0)
        self._spawn(self._hang_up_with_the_browser())

    def driver(self) -> tuple[Driver, str]:
        """A new way in, and its URL, which is a secret: whoever has it drives the browser.

        Raises:
            BrowserGone: the browser has ended, or is not there yet.
        """
        if self._server is None or not self._server.is_serving():
            raise BrowserGone("the browser ended before anybody could drive it; the session is in the vault, open it again")
        driver = Driver()
        self._drivers[driver.path] = driver
        port = next(iter(self._server.sockets)).getsockname()[1]
        return driver, f"ws://127.0.0.1:{port}{driver.path}"

    def retire(self, driver: Driver) -> None:
        """Let nobody in by this way any more."""
        self._drivers.pop(driver.path, None)

    def withdraw(self, driver: Driver, expected: Expected) -> None:
        """Whoever wanted this context does not wait for it any more: it is disposed of, now or as soon as it is there.

        Nobody can tell whether the driver has asked for it yet. So it makes no contexts from now on.
        """
        driver.barred = expected.withdrawn = True
        driver.expected = None
        if expected.context in driver.contexts:
            self._spawn(self._discard(driver, expected.context or ""))

    def take(self, message: Message) -> bool:
        """Deliver an event to the driver that owns its session; False when it is nobody's."""
        owner = self._owners.get(message.get("sessionId", ""))
        if owner is None:
            return False
        if message["method"] == "Target.attachedToTarget":
            session, target = message["params"]["sessionId"], message["params"]["targetInfo"]
            self._owners[session] = owner
            self._targets[session] = target["targetId"]
            if message["sessionId"] == owner.session and target["type"] == "page":
                owner.pages[session] = target["targetId"]
        elif message["method"] == "Target.detachedFromTarget":
            session = message["params"].get("sessionId", "")
            self._owners.pop(session, None)
            self._targets.pop(session, None)
            owner.pages.pop(session, None)
        owner.tell(message)
        return True

    def take_pages(self) -> None:
        """Tell drivers that their pages are closed: before they hear that commands have failed, and before their lines are cut.

        Over a line that is cut Playwright closes its contexts first and then their pages, and whoever waits for a new page of a
        context that is closed waits for ever.
        """
        for driver in list(self._drivers.values()):
            for session, target in driver.pages.items():
                driver.tell({"method": "Target.detachedFromTarget", "params": {"sessionId": session, "targetId": target}})
            self._told |= bool(driver.pages)
            driver.pages.clear()

    async def _taken_in(self) -> None:
        if self._told:
            await asyncio.sleep(_TO_TAKE_IN)

    async def close(self) -> None:
        """Send all drivers away."""
        if self._server is not None:
            self._server.close()
            self.take_pages()
            await self._taken_in()
            for line in list(self._lines):
                line.close(CloseCode.GOING_AWAY)
                await line.gone.wait()
            await asyncio.gather(*self._leaving)
        for task in list(self._tasks):
            task.cancel()

    def _admits(self, request: Request) -> bool:
        return request.path in self._drivers and "Origin" not in request.headers and not self._connection.closed.is_set()

    def _opened(self, line: Line) -> None:
        driver = self._drivers[line.path]
        if driver.line is not None:
            self._lines[line] = None
            line.close(CloseCode.POLICY_VIOLATION)
            return
        driver.line = line
        self._lines[line] = driver
        self._spawn(self._serve(line, driver))

    async def _serve(self, line: Line, driver: Driver) -> None:
        try:
            driver.session = (await self._connection.send("Target.attachToBrowserTarget"))["sessionId"]
        except BrowserError:  # it ended as the driver came, or it hangs
            line.close(CloseCode.GOING_AWAY)
            return
        self._owners[driver.session] = driver
        line.listen(lambda text: self._pass_on(driver, json.loads(text)))

    def _ended(self, line: Line) -> None:
        driver = self._lines.pop(line)
        if driver is not None:
            task = asyncio.get_running_loop().create_task(self._leave(driver))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def _hang_up_with_the_browser(self) -> None:
        """A driver that waits for an event of a dead browser would wait for ever; one whose line is cut knows."""
        await self._connection.closed.wait()
        await self._taken_in()
        for line in list(self._lines):
            line.close(CloseCode.GOING_AWAY)

    async def _leave(self, driver: Driver) -> None:
        for context in list(driver.contexts):
            await self._before_dispose(context)
        self.retire(driver)
        if driver.session is not None and not self._connection.closed.is_set():
            self._connection.post("Target.detachFromTarget", {"sessionId": driver.session})
        self._owners = {session: owner for session, owner in self._owners.items() if owner is not driver}

    def _pass_on(self, driver: Driver, message: Message) -> None:
        number = message["id"]
        method = message.get("method")
        message.setdefault("sessionId", driver.session)

        def answer(reply: Message) -> None:
            reply.pop("gone", None)
            if method == "Target.createTarget" and "result" in reply:
                self._makes(reply["result"]["targetId"])
            if method == "Target.getTargets" and "result" in reply:
                reply["result"]["targetInfos"] = [target for target in reply["result"]["targetInfos"] if not self._hides(target["targetId"])]
            # Playwright ends itself over an answer to a page's command that does not say of which session it is.
            driver.tell({"sessionId": message["sessionId"], **reply, "id": number})

        if method == "Target.createBrowserContext" and driver.barred:
            answer(dict(_NOT_WANTED))
        elif method == "Target.createBrowserContext" and self.lends is not None and driver.expected:
            self._spawn(self._made(driver, {"result": {"browserContextId": self.lends}}, answer))
        elif method == "Target.createBrowserContext":
            self._connection.forward(message, lambda reply: self._spawn(self._made(driver, reply, answer)))
        elif method == "Target.disposeBrowserContext":
            self._spawn(self._dispose(driver, message, answer))
        else:
            if method in _NAVIGATIONS:
                self._navigates(self._targets.get(message["sessionId"], ""))
            full = self._before_jar(message.get("params", {}).get("browserContextId", "")) if method in _JAR else None
            if full is None:
                self._connection.forward(message, answer)
            else:
                self._spawn(self._after(full, message, answer))

    async def _made(self, driver: Driver, reply: Message, answer: Callable[[Message], None]) -> None:
        context = reply.get("result", {}).get("browserContextId")
        if context:
            driver.contexts.add(context)
            expected, driver.expected = driver.expected, None
            if expected is not None:
                await expected.made(context)
                expected.context = context
            if expected.withdrawn if expected is not None else driver.barred:
                await self._discard(driver, context)
                reply = _NOT_WANTED
        answer(dict(reply))

    async def _discard(self, driver: Driver, context: str) -> None:
        message = {"method": "Target.disposeBrowserContext", "params": {"browserContextId": context}}
        await self._dispose(driver, message, lambda _reply: None)

    async def _after(self, full: Awaitable[Any], message: Message, answer: Callable[[Message], None]) -> None:
        await full
        self._connection.forward(message, answer)

    async def _dispose(self, driver: Driver, message: Message, answer: Callable[[Message], None]) -> None:
        context = message.get("params", {}).get("browserContextId", "")
        await self._before_dispose(context)
        driver.contexts.discard(context)
        if context == self.lends:
            answer({"result": {}})
        else:
            self._connection.forward(message, answer)

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
