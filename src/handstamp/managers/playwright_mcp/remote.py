"""A Playwright context and its pages in another process: the names of Playwright's async API that the managers use, and no more.

What gives no answer goes along with the next question, since the server lets half a second pass after each call.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Step = list[Any]  # the name of a step in server.js, and what is given to it


class RemoteContext:
    """A `BrowserContext` there.

    Args:
        send: has steps done, and gives the answer of `server.js`.
    """

    def __init__(self, send: Callable[[list[Step]], Awaitable[dict[str, Any]]]) -> None:
        self._send = send
        self._waiting: list[Step] = []
        self._pages: dict[str, RemotePage] = {}
        self._current = ""

    @property
    def current(self) -> RemotePage:
        """The page of the server's current tab."""
        return self._pages[self._current]

    @property
    def pages(self) -> list[RemotePage]:
        """Its pages, as of the last answer."""
        return list(self._pages.values())

    async def cookies(self) -> list[dict[str, Any]]:
        """As Playwright's."""
        cookies: list[dict[str, Any]] = await self.ask(["cookies"])
        return cookies

    async def add_cookies(self, cookies: list[dict[str, Any]]) -> None:
        """As Playwright's."""
        await self.ask(["addCookies", cookies])

    async def storage_state(self) -> dict[str, Any]:
        """As Playwright's."""
        state: dict[str, Any] = await self.ask(["storageState"])
        return state

    async def new_page(self) -> RemotePage:
        """As Playwright's; it is made when something is asked of it."""
        name = f"own-{uuid.uuid4().hex[:12]}"
        self.later(["newPage", name])
        return RemotePage(self, name)

    async def ask(self, *steps: Step) -> Any:
        """What the last of some steps gives.

        Raises:
            Error: of Playwright: what it said there.
        """
        todo, self._waiting = [*self._waiting, *steps], []
        answer = await self._send(todo)
        known = self._pages
        self._pages = {}
        for name, url, size in answer["pages"]:
            page = self._pages[name] = known.get(name) or RemotePage(self, name)
            page.url, page.viewport_size = url, size
        self._current = answer["current"]
        if "error" in answer:
            from playwright.async_api import Error  # noqa: PLC0415  (a tenth of a second)

            raise Error(answer["error"])
        return answer["value"]

    def later(self, step: Step) -> None:
        """Have a step done with the next question."""
        self._waiting.append(step)

    def drop(self, name: str) -> None:
        """Have a page closed with the next question, and let nobody take it for an open one until then."""
        self._pages.pop(name, None)
        self.later(["close", name])

    async def settle(self) -> None:
        """Have done what still waits."""
        if self._waiting:
            await self.ask()


class RemotePage:
    """A `Page` there.

    Args:
        context: where it is.
        name: by which the server's side knows it.

    Attributes:
        url: as of the last answer.
        viewport_size: the same.
    """

    def __init__(self, context: RemoteContext, name: str) -> None:
        self.context = context
        self.url = "about:blank"
        self.viewport_size: dict[str, int] | None = None
        self._name = name

    async def evaluate(self, expression: str, arg: RemoteHandle | None = None) -> Any:
        """As Playwright's; of what may be given to a function, a handle."""
        return await self.context.ask(["evaluate", self._name, expression, arg.name if arg else None])

    async def evaluate_handle(self, expression: str) -> RemoteHandle:
        """As Playwright's."""
        handle = RemoteHandle(self.context)
        self.context.later(["hold", self._name, expression, handle.name])
        return handle

    async def goto(self, url: str) -> None:
        """As Playwright's, but without a response."""
        await self.context.ask(["goto", self._name, url])

    async def title(self) -> str:
        """As Playwright's."""
        return str(await self.evaluate("document.title"))

    async def content(self) -> str:
        """The document's HTML."""
        return str(await self.evaluate("document.documentElement.outerHTML"))

    async def route(self, pattern: str, handler: Callable[[Any], None]) -> None:
        """Give every request of this page the one answer that a handler gives.

        Args:
            pattern: ``**/*``.
            handler: as Playwright's; it is asked once, and calls `fulfill`.
        """
        del pattern
        answer = _Answer()
        handler(answer)
        self.context.later(["answerAll", self._name, answer.given])

    async def close(self) -> None:
        """As Playwright's: it is none of the context's pages from now on."""
        self.context.drop(self._name)


class RemoteHandle:
    """A `JSHandle` there.

    Args:
        context: where it is.
    """

    def __init__(self, context: RemoteContext) -> None:
        self.name = uuid.uuid4().hex[:12]
        self._context = context

    async def dispose(self) -> None:
        """As Playwright's."""
        self._context.later(["release", self.name])


class _Answer:
    """A `Route` that notes how it was answered."""

    given: dict[str, str]

    def fulfill(self, *, content_type: str, body: str) -> None:
        self.given = {"contentType": content_type, "body": body}
