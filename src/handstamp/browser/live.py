"""A live context: a browser context of ours, filled from a saved state, mirrored, and saved behind."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from functools import cached_property
from typing import TYPE_CHECKING, Any

from handstamp.browser.activity import ActivityLog
from handstamp.browser.cdp import CdpError
from handstamp.browser.cookies import from_cdp, to_cdp
from handstamp.browser.databases import Databases
from handstamp.browser.incoming import Incoming
from handstamp.browser.items import Items
from handstamp.browser.mirror import Mirror
from handstamp.browser.restore import WORLD, Areas, apply_script
from handstamp.browser.saving import Saving
from handstamp.browser.storage_key import origin_of_url
from handstamp.browser.tabs import Document, Handed, Tabs
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
LOOK_EVERY = 0.5  # seconds between two looks at the cookie jar; a look costs about a millisecond
COOKIES_AT_ONCE = 25  # the browser does nothing else meanwhile
FILL_WITHIN = 0.02  # seconds from the making of a context; a driver that opens a page at once is quicker
LOOK_AFTER = 0.1  # seconds after a navigation, which has the browser's hands full
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
            thread; the page stays where it is. None lets pages go everywhere. Frames in pages are not asked about.
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
        self._served: set[str] = set()
        self._tabs = Tabs(self.mirror, saved=lambda: self._areas.tabs, documents=self._documents, changed=self._refresh_all)
        self._items = Items(connection, self.mirror, self._tabs, served=self._give)
        self._databases = Databases(
            connection,
            self.mirror,
            awaits=self._awaits,
            served=self._give,
            databases_served=self._give_databases,
            lose=self.lose,
            helper=self._helper if helpers else None,
            blank=self._blank if helpers else None,
        )
        self._helpers = helpers
        self._seen_jar: list[Message] | None = None
        self._given_jar: list[Message] = []
        self._to_fill = False
        self._filled = asyncio.Event()
        self._look_now = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @cached_property
    def _areas(self) -> Areas:
        return Areas.of(self._state, guest=self._helpers is None)

    @cached_property
    def _late(self) -> set[str]:
        """Origins of `_areas.late` of which something is still to be given back."""
        return set(self._areas.late)

    # -- filling ------------------------------------------------------------------------------------------------

    async def fill(self, context: str) -> None:
        """Fill the new context and begin to watch it. Storage follows as documents appear.

        Cookies cost Chromium some 70 µs each. So they go in while it starts the first page's process: see `fill_jar`.
        """
        self.id = context
        self._to_fill = True
        asyncio.get_running_loop().call_later(FILL_WITHIN, self.fill_jar)
        asyncio.get_running_loop().call_soon(lambda: self._late)  # made while the driver takes its next step
        await self._databases.restore_files()
        self._start(self._watch_cookies())
        self._start(self._databases.read_behind())
        self._start(self._save_behind())

    def fill_jar(self) -> None:
        """Put the cookies in now, if that has not been done: with the first page, when the driver asks for the jar, or soon.

        Nobody gets at the jar before it is full: documents are not asked of a server (see `_let_go_later`), and the driver's own
        commands to it wait (see `when_filled`).
        """
        if self._to_fill:
            self._to_fill = False
            self._start(self._fill_jar())

    def when_filled(self) -> Awaitable[Any] | None:
        """What a command to the jar has to wait for; None when the jar is full."""
        if self._filled.is_set():
            return None
        self.fill_jar()
        return self._filled.wait()

    async def _fill_jar(self) -> None:
        try:
            await self._put_cookies([cookie for cookie in self._state.cookies() if not cookie.expired(time.time())])
            self._seen_jar = self._given_jar = await self._raw_jar()  # what the browser makes of them is no change of the site's
        except BrowserError as error:
            _log.debug("the browser ended before it had its cookies: %s", error)
        finally:
            self._filled.set()

    async def _put_cookies(self, cookies: list[Cookie]) -> None:
        for at in range(0, len(cookies), COOKIES_AT_ONCE):
            some = cookies[at : at + COOKIES_AT_ONCE]
            try:
                await self._set(some)
            except CdpError:
                for cookie in some:  # one that Chromium refuses must not keep the others out
                    await self._put_cookie(cookie)

    async def _put_cookie(self, cookie: Cookie) -> None:
        try:
            await self._set([cookie])
        except CdpError:
            self.lose(Loss("cookie", f"{cookie.name} of {cookie.domain}", "Chromium does not accept it"))

    async def _set(self, cookies: list[Cookie]) -> None:
        await self._connection.send("Storage.setCookies", {"cookies": [to_cdp(cookie) for cookie in cookies], "browserContextId": self.id})

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
        if self._areas.data:
            post("Page.addScriptToEvaluateOnNewDocument", {"source": self._areas.data, "worldName": WORLD}, session=session)
            self._refresh(document)
        post("Fetch.enable", {"patterns": [{"urlPattern": "*", "resourceType": "Document"}]}, session=session)
        post("Target.setAutoAttach", {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True, "filter": FRAMES}, session=session)
        post("Runtime.runIfWaitingForDebugger", session=session)
        self.fill_jar()

    def _refresh(self, document: Document) -> None:
        """Replace the apply script of a document by one that knows what has been served since. Sent at once, in order with what follows."""
        if not self._areas.data:
            return  # nothing that it could apply
        if document.refreshing:
            document.stale = True
            return
        document.refreshing, document.stale = True, False
        params = {"source": apply_script(self._served, document.tabs), "worldName": WORLD}
        message = {"method": "Page.addScriptToEvaluateOnNewDocument", "params": params, "sessionId": document.session}
        self._connection.forward(message, lambda reply: self._refreshed(document, reply))

    def _refreshed(self, document: Document, reply: Message) -> None:
        document.refreshing = False
        if "error" in reply:
            return  # the target is gone
        if document.apply is not None:
            self._connection.post("Page.removeScriptToEvaluateOnNewDocument", {"identifier": document.apply}, session=document.session)
        document.apply = reply["result"]["identifier"]
        if document.stale:
            self._refresh(document)

    def driven(self, target: str) -> None:
        """A driver sends this page somewhere: what the page did before, it has done a while ago."""
        for document in self._documents.values():
            if document.target == target:
                document.driven = True

    def _hand_over(self, document: Document, params: Message) -> None:
        """A document has been asked for. If its origin has a large state, give it its data, then let the request go.

        While a document request is paused, commands to the page's renderer are held back; they reach the renderer that the
        document comes to live in before its first script. So nothing may be awaited here.

        A page that writes and goes away at once takes the news with it: Chromium tells of a change when its storage service
        has taken it, if the document still lives. So a page that leaves by itself is held for that long.
        """
        if self._is_refused(document, params):
            document.driven = False  # it stays, and may write more before it leaves
            self._connection.post("Fetch.failRequest", {"requestId": params["requestId"], "errorReason": "Aborted"}, session=document.session)
            return
        origin = origin_of_url(params["request"]["url"])
        self._take_back(document, origin)  # what was handed for a document that never came knows too little by now
        if origin in self._late:
            source = self._areas.handed(origin, apply_script(self._served, document.tabs))
            message = {"method": "Page.addScriptToEvaluateOnNewDocument", "params": {"source": source, "worldName": WORLD}, "sessionId": document.session}
            handed = Handed()
            document.handed.setdefault(origin, []).append(handed)
            self._connection.forward(message, lambda reply: self._handed_over(document, handed, reply))
        at_once = "redirectedRequestId" in params or (document.driven and params["frameId"] == document.target)
        if at_once and self._filled.is_set():
            self._let_go(document.session, params["requestId"])
        else:
            self._start(self._let_go_later(document.session, params["requestId"], 0.0 if at_once else SETTLE))

    def _is_refused(self, document: Document, params: Message) -> bool:
        of_page = document.is_page and params["frameId"] == document.target
        return of_page and self.refuses is not None and self.refuses(params["request"]["url"])

    async def _let_go_later(self, session: str, request: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._filled.wait()
        self._let_go(session, request)

    def _let_go(self, session: str, request: str) -> None:
        self._connection.post("Fetch.continueRequest", {"requestId": request}, session=session)

    def _handed_over(self, document: Document, handed: Handed, reply: Message) -> None:
        """The browser tells of the script, sometimes only after the document: then it goes at once."""
        handed.identifier = reply.get("result", {}).get("identifier")
        if not handed.wanted:
            self._remove(document, handed)

    def _take_back(self, document: Document, origin: str) -> None:
        """What stands in this page for documents of `origin` is needed no more."""
        for handed in document.handed.pop(origin, ()):
            handed.wanted = False
            self._remove(document, handed)

    def _remove(self, document: Document, handed: Handed) -> None:
        if handed.identifier is not None:
            self._connection.post("Page.removeScriptToEvaluateOnNewDocument", {"identifier": handed.identifier}, session=document.session)

    def drop(self, session: str) -> None:
        """A target of this context is gone."""
        document = self._documents.pop(session, None)
        self._databases.ended(session)
        if document is not None:
            self._items.forget(document, {scope for scope, _ in self._databases.homes()})

    def owns(self, session: str) -> bool:
        """Whether this session is one of our documents."""
        return session in self._documents

    # -- mirroring ----------------------------------------------------------------------------------------------

    def hear(self, session: str, method: str, params: Message) -> None:
        """An event of one of our documents."""
        document = self._documents[session]
        self.activity.hear(document.target, method, params)
        if method.startswith("DOMStorage."):
            self._items.hear(document, method, params)
        elif method == "Fetch.requestPaused":
            self._hand_over(document, params)
        elif method in {"Page.frameNavigated", "Page.loadEventFired"}:
            self._look_now.set()
            if method == "Page.frameNavigated":
                document.driven &= params["frame"]["id"] != document.target
                self._take_back(document, params["frame"].get("securityOrigin", ""))  # its first script was after ours
                self._databases.committed(session, params["frame"])
        elif method == "Page.frameDetached":
            self._databases.left(params["frameId"])
        elif method.startswith("Storage."):
            self._databases.hear(method, params)

    def _awaits(self, scope: str) -> bool:
        """Whether a document of this scope would still be given something that is given once."""
        return (scope in self._areas.local and scope not in self._served) or (scope in self._areas.databases and _idb(scope) not in self._served)

    def _give(self, scope: str) -> None:
        if scope in self._areas.local:
            self._serve(scope, scope)

    def _give_databases(self, scope: str) -> None:
        if scope in self._areas.databases:
            self._serve(scope, _idb(scope))

    def _serve(self, scope: str, what: str) -> None:
        """What belongs to this scope once in a context has been given back: never do it again."""
        if what not in self._served:
            self._served.add(what)
            if scope in self._areas.once and not self._awaits(scope):
                self._late.discard(scope)
            self._refresh_all()

    def _refresh_all(self) -> None:
        for document in self._documents.values():
            self._refresh(document)

    # -- cookies ------------------------------------------------------------------------------------------------

    async def jar(self) -> list[Cookie]:
        """The cookies that the context holds now."""
        return [from_cdp(cookie) for cookie in await self._raw_jar()]

    async def _raw_jar(self) -> list[Message]:
        answer = await self._connection.send("Storage.getCookies", {"browserContextId": self.id})
        cookies: list[Message] = answer["cookies"]
        return cookies

    async def take_in(self, state: StorageState) -> None:
        """Bring in what others have saved meanwhile: cookies, and localStorage of the documents that are open."""
        await self.look()  # what changed here before is known, so that the later of two changes stays
        await Incoming(self._connection, self.mirror, self.id).take_in(state, self.homes())

    def homes(self) -> list[tuple[str, str]]:
        """Scope and session of every document that is open."""
        return self._databases.homes()

    async def look(self) -> None:
        """Look at the cookie jar now."""
        await self._filled.wait()
        cookies = await self._raw_jar()
        if cookies != self._seen_jar:  # mostly it is as it was, and that is told ten times as fast
            if self._given_jar:
                self.mirror.start_from(map(from_cdp, self._given_jar))
                self._given_jar = []
            self.mirror.look_at([from_cdp(cookie) for cookie in cookies], now=time.time())
            self._seen_jar = cookies

    async def _watch_cookies(self) -> None:
        with contextlib.suppress(BrowserError):
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY):
                        await self._look_now.wait()
                    await asyncio.sleep(LOOK_AFTER)
                self._look_now.clear()
                await self.look()

    # -- saving -------------------------------------------------------------------------------------------------

    @property
    def failed(self) -> HandstampError | None:
        """Why saving has ended for good (a lost lease, something forgotten meanwhile), else None."""
        return self._saving.failed

    async def _save_behind(self) -> None:
        await self._saving.behind()

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


def _idb(scope: str) -> str:
    """Name of a scope's databases among what has been served."""
    return "idb:" + scope


FRAMES = [{"type": "iframe", "exclude": False}, {"exclude": True}]
