"""A live context: a browser context of ours, filled from a saved state, mirrored, and saved behind."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from typing import TYPE_CHECKING, Any

from handstamp.browser.activity import ActivityLog
from handstamp.browser.databases import Databases
from handstamp.browser.incoming import Incoming
from handstamp.browser.items import Items
from handstamp.browser.jar import Jar
from handstamp.browser.mirror import Mirror
from handstamp.browser.saving import Saving
from handstamp.browser.serving import Serving
from handstamp.browser.storage_key import origin_of_url
from handstamp.browser.tabs import Document, Tabs
from handstamp.browser.waking import silent
from handstamp.errors import BrowserError
from handstamp.state import Loss, StorageState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from handstamp.browser.cdp import Connection, Message
    from handstamp.browser.helper import HelperPages
    from handstamp.browser.idb import World
    from handstamp.errors import HandstampError
    from handstamp.state import Clock, Cookie

_log = logging.getLogger(__name__)
_WEB = ("http://", "https://")
_LEAD_BACK, _LEAD_BACK_AGAIN = 40, 0.05  # times, and seconds between them
SETTLE = 0.01  # seconds until the storage service has surely taken what a page wrote


class LiveContext:
    """One open context. Belongs to the engine's loop.

    Args:
        connection: to the browser.
        state: what to restore.
        clock: stamps changes.
        save: keeps changes, see `Saving`.
        helpers: makes helper pages; None in a browser of others, who would see them.

    Attributes:
        id: the `browserContextId`, once it is made.
        losses: what could not be restored.
        activity: what was done in its pages.
        refuses: whether a page is kept from going to a URL. It is asked of every hop before anything is sent there, on the engine's
            thread; the page stays where it is. None lets pages go everywhere. Frames in pages are not asked about. What a page has
            fetched ahead of a click (speculation rules) is sent as its scripts' requests are, and the page goes back when it shows it.
    """

    def __init__(
        self, connection: Connection, state: StorageState, clock: Clock, save: Callable[[StorageState], None] | None, *, helpers: HelperPages | None = None
    ) -> None:
        self.id: str | None = None
        self.losses: list[Loss] = []
        self.activity = ActivityLog()
        self.refuses: Callable[[str], bool] | None = None
        self.gone = asyncio.Event()
        self.mirror = Mirror(state, clock)
        self._connection = connection
        self._state = state
        self._saving = Saving(self.mirror, save)
        self._ending: asyncio.Future[None] | None = None
        self._documents: dict[str, Document] = {}
        self._jar = Jar(connection, self.mirror, context=lambda: self.id, lose=self.lose, start=self._start)
        self._serving = Serving(connection, self._documents, state, guest=helpers is None)
        self._tabs = Tabs(self.mirror, saved=lambda: self._serving.areas.tabs, documents=self._documents, changed=self._serving.refresh)
        self._items = Items(connection, self.mirror, self._tabs, served=self._serving.give)
        self._databases = Databases(
            connection,
            self.mirror,
            awaits=self._serving.awaits,
            served=self._serving.give,
            databases_served=self._serving.give_databases,
            lose=self.lose,
            helper=self._helper if helpers else None,
            blank=self._blank if helpers else None,
        )
        self._helpers = helpers
        self._tasks: set[asyncio.Task[None]] = set()

    # -- filling ------------------------------------------------------------------------------------------------

    async def fill(self, context: str) -> None:
        """Fill the new context and begin to watch it. Storage follows as documents appear, cookies a little earlier: see `Jar.fill_soon`."""
        self.id = context
        self._jar.fill_soon(self._state)
        asyncio.get_running_loop().call_soon(lambda: self._serving.late)  # made while the driver takes its next step
        await self._databases.restore_files()
        self._watch()

    def _watch(self) -> None:
        """From now on what changes is seen, and saved."""
        self._start(self._jar.watch())
        self._start(self._databases.read_behind())
        self._start(self._saving.behind())

    def when_filled(self) -> Awaitable[Any] | None:
        """What a command to the jar has to wait for; None when the jar is full."""
        return self._jar.when_full()

    def _helper(self, scope: str) -> AbstractAsyncContextManager[World]:
        """The storage library in a document of `scope` that we make ourselves."""
        if self._helpers is None:
            raise BrowserError("this browser is somebody else's: no page of ours is made in it")
        return self._helpers.world(self.id or "", scope)

    def _blank(self) -> AbstractAsyncContextManager[str]:
        """The session of an empty page that we make ourselves."""
        if self._helpers is None:
            raise BrowserError("this browser is somebody else's: no page of ours is made in it")
        return self._helpers.session(self.id or "")

    def lose(self, loss: Loss) -> None:
        """Something cannot be kept or given back: said once."""
        if loss not in self.losses:
            self.losses.append(loss)
            _log.warning("lost: %s at %s: %s", loss.what, loss.where, loss.why)

    # -- documents ----------------------------------------------------------------------------------------------

    def arm(self, session: str, *, target: str, parent: str | None = None, opener: str | None = None) -> None:
        """A page or frame of this context has been attached, and waits: give it its scripts and let it run.

        Nothing is awaited before it runs; commands of one session are carried out in order.

        Args:
            session: of the new target.
            target: its id.
            parent: session of the page that the frame is in; None for a page.
            opener: target id of the page that opened it, whose sessionStorage it inherits; None when it inherits none.
        """
        page = self._documents.get(parent or "")
        if page is not None:
            document = page.framed(session, target)
        else:
            heir_of = next((other for other in self._documents.values() if other.target == opener), None)
            document = Document(session, target, uuid.uuid4().hex[:12], heir_of)
            if heir_of is None:
                document.tabs.update(self._tabs.offer())
        self._documents[session] = document
        post = self._connection.post
        post("Page.enable", session=session)
        post("DOMStorage.enable", session=session)
        self._serving.arm(document)
        post("Fetch.enable", {"patterns": [{"urlPattern": "*", "resourceType": "Document"}]}, session=session)
        post("Target.setAutoAttach", {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True, "filter": FRAMES}, session=session)
        post("Runtime.runIfWaitingForDebugger", session=session)
        self._jar.fill()

    async def pages(self) -> int:
        """How many pages there are now, also those that their driver does not show yet."""
        return sum(document.is_page for document in self._documents.values())

    def driven(self, target: str) -> None:
        """A driver sends this page somewhere: what the page did before, it has done a while ago."""
        for document in self._documents.values():
            if document.target == target:
                document.driven = True

    def _asked_for(self, document: Document, params: Message) -> None:
        """A document has been asked for. If it may come, and its page has what it needs for it, let the request go.

        A page that writes and goes away at once takes the news with it: Chromium tells of a change when its storage service
        has taken it, if the document still lives. So a page that leaves by itself is held for that long.
        """
        if self._is_refused(document, params["frameId"], params["request"]["url"]):
            document.driven = False  # it stays, and may write more before it leaves
            self._connection.post("Fetch.failRequest", {"requestId": params["requestId"], "errorReason": "Aborted"}, session=document.session)
            return
        self._serving.hand_over(document, origin_of_url(params["request"]["url"]))
        at_once = "redirectedRequestId" in params or (document.driven and params["frameId"] == document.target)
        if at_once and self._jar.full.is_set():
            self._let_go(document.session, params["requestId"])
        else:
            self._start(self._let_go_later(document.session, params["requestId"], 0.0 if at_once else SETTLE))

    def _is_refused(self, document: Document, frame: str, url: str) -> bool:
        of_page = document.is_page and frame == document.target
        return of_page and self.refuses is not None and self.refuses(url)

    async def _lead_back(self, document: Document) -> None:
        """A page is where it may not be: a document that was fetched ahead comes without having been asked for."""
        for _ in range(_LEAD_BACK):
            if document.session not in self._documents:
                return  # it has gone
            with contextlib.suppress(BrowserError):  # the document is told of a moment before the page counts as being there
                await self._go_back(document)
                return
            await asyncio.sleep(_LEAD_BACK_AGAIN)

    async def _go_back(self, document: Document) -> None:
        history = await self._connection.send("Page.getNavigationHistory", session=document.session)
        before = history["entries"][: history["currentIndex"]][-1:]
        if before and not self._is_refused(document, document.target, before[0]["url"]):
            await self._connection.send("Page.navigateToHistoryEntry", {"entryId": before[0]["id"]}, session=document.session)
        else:
            await self._connection.send("Page.navigate", {"url": "about:blank"}, session=document.session)

    async def _let_go_later(self, session: str, request: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._jar.full.wait()
        self._let_go(session, request)

    def _let_go(self, session: str, request: str) -> None:
        self._connection.post("Fetch.continueRequest", {"requestId": request}, session=session)

    def drop(self, session: str) -> None:
        """A target of this context is gone."""
        document = self._documents.pop(session, None)
        self._databases.ended(session)
        if document is not None:
            self._items.forget(document, {scope for scope, _ in self._databases.homes()})

    # -- mirroring ----------------------------------------------------------------------------------------------

    def hear(self, session: str, method: str, params: Message) -> None:
        """An event of one of our documents."""
        document = self._documents[session]
        self.activity.hear(document.target, method, params)
        if method.startswith("DOMStorage."):
            self._items.hear(document, method, params)
        elif method == "Fetch.requestPaused":
            self._asked_for(document, params)
        elif method in {"Page.frameNavigated", "Page.loadEventFired"}:
            self._jar.look_soon()
            if method == "Page.frameNavigated":
                document.driven &= params["frame"]["id"] != document.target
                self._serving.take_back(document, params["frame"].get("securityOrigin", ""))  # its first script was after ours
                self._databases.committed(session, params["frame"])
                if params["frame"]["url"].startswith(_WEB) and self._is_refused(document, params["frame"]["id"], params["frame"]["url"]):
                    self._start(self._lead_back(document))
        elif method == "Page.frameDetached":
            self._databases.left(params["frameId"])
        elif method.startswith("Storage."):
            self._databases.hear(method, params)

    # -- cookies ------------------------------------------------------------------------------------------------

    async def jar(self) -> list[Cookie]:
        """The cookies that the context holds now."""
        return await self._jar.cookies()

    async def take_in(self, state: StorageState) -> None:
        """Bring in what others have saved meanwhile: cookies, and localStorage of the documents that are open."""
        await self.look()  # what changed here before is known, so that the later of two changes stays
        await Incoming(self._connection, self.mirror, self.id).take_in(state, self.homes())

    def homes(self) -> list[tuple[str, str]]:
        """Scope and session of every document that is open."""
        return self._databases.homes()

    async def look(self) -> None:
        """Look at the cookie jar now."""
        await self._jar.look()

    # -- saving -------------------------------------------------------------------------------------------------

    @property
    def failed(self) -> HandstampError | None:
        """Why saving has ended for good (a lost lease, something forgotten meanwhile), else None."""
        return self._saving.failed

    async def save(self) -> None:
        """Save what is known and not saved yet, see `Saving.now`."""
        await self._saving.now()

    async def finish(self) -> None:
        """Save what is known, take a look at everything, and save what that has found."""
        if not self.gone.is_set():
            await self._finish(ending=False)

    async def _finish(self, *, ending: bool) -> None:
        await self.save()
        try:
            if self._saving.on or not ending:  # at the end nobody else asks for what it would find
                await self._look_at_all(ending=ending)
        except Exception:  # noqa: BLE001  (whatever it is, what is known is saved)
            _log.exception("the last look at a session ended by a fault of handstamp; what was known before is saved")
        finally:
            await self.save()

    async def capture(self) -> StorageState:
        """The whole state as of now: what pages and jar hold this moment, and what was given back or read of everything else.

        Of a browser that is gone it is what was known last.
        """
        await self._look_at_all(ending=False)
        return self.mirror.state()

    async def _look_at_all(self, *, ending: bool) -> None:
        """Look at jar, pages and what they store. A page that does not answer is waited for some seconds, and is then a loss.

        Args:
            ending: whether the pages are about to be closed.
        """
        ours = self._helpers is not None
        look = asyncio.ensure_future(self._look_at_jar())
        mute = await silent(self._connection, self._documents, may_end=ending and ours)
        for scope in self._databases.only_at(mute):
            self.lose(Loss("page", scope, "it did not answer, so what it stored last may not be known"))
        homes = self._databases.homes()
        there = [(scope, self._documents[session]) for scope, session in homes if session in self._documents and session not in mute]
        await asyncio.gather(self._databases.read_all(mute, ending=ending), self._items.read(there), look)

    async def _look_at_jar(self) -> None:
        with contextlib.suppress(BrowserError):
            await self.look()

    async def end(self) -> None:
        """The context goes: look at it for the last time, save, and watch no more. Whoever calls waits until that is done, once."""
        if self._ending is None:
            self._ending = asyncio.ensure_future(self._end())
        await asyncio.shield(self._ending)

    async def _end(self) -> None:
        try:
            await self._finish(ending=True)
        finally:
            self.gone.set()
            tasks = [*self._tasks, *self._databases.tasks]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("watching a session ended by a fault of handstamp; what it changes from now on is saved at its end only", exc_info=error)


FRAMES = [{"type": "iframe", "exclude": False}, {"exclude": True}]
