"""The eager way: a Playwright context that no engine can reach (Firefox, WebKit, a Chromium without a way in), by Playwright's own calls.

Cookies and storage are given at the start, the storage by a script at the beginning of each document. What changes is looked at
when Playwright tells of a loaded document, and at the end. So it knows less than the engine (see docs/how-to/attach.md):
between two looks it sees nothing, and with the sync API Playwright tells only while the caller is within one of its calls.

The flows (see `either.py`) run where the caller is.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from typing import TYPE_CHECKING, Any

from handstamp.browser.cookies import by_key
from handstamp.browser.driver_cookies import from_playwright, to_playwright
from handstamp.browser.eager_databases import EagerDatabases
from handstamp.browser.eager_storage import Storage
from handstamp.browser.either import at_once, now
from handstamp.browser.guest import cookies_to_give
from handstamp.browser.mirror import Mirror
from handstamp.browser.playwright_errors import playwright_error
from handstamp.browser.storage_key import origin_of_url
from handstamp.errors import HandstampError
from handstamp.state import Loss, PartId, PartKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.state import Clock, Cookie, StorageState

_log = logging.getLogger(__name__)
FATAL = frozenset({"lease-lost", "conflict", "key-missing", "unsupported-version"})
_OF_STORAGE = "length key getItem setItem removeItem clear"
_OF_OBJECTS = "constructor hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString toString valueOf __proto__"
_UNSEEN = frozenset(f"{_OF_STORAGE} {_OF_OBJECTS} __defineGetter__ __defineSetter__ __lookupGetter__ __lookupSetter__".split())
_WEB = ("http://", "https://")
# Items as pairs: an object would hide a key such as __proto__.
_READ = """() => [origin, ...[() => localStorage, () => sessionStorage].map((open) => {
  try {
    const area = open();
    const keys = Array.from({length: Reflect.get(Storage.prototype, 'length', area)}, (_, i) => area.key(i));
    return keys.map((key) => [key, area.getItem(key)]);
  } catch { return null; }
})]"""
_PUT = """([here, local, session]) => {
  if (origin !== here) return;
  for (const [open, items] of [[() => localStorage, local], [() => sessionStorage, session]])
    for (const [key, value] of items) try { if (open().getItem(key) === null) open().setItem(key, value); } catch { }
}"""


class EagerContext:
    """One context, served the eager way. Belongs to the caller's thread, or event loop.

    Args:
        context: a Playwright `BrowserContext` of either API.
        state: what to restore.
        clock: stamps changes.
        save: keeps changes; blocking.
        blocking: runs a blocking call, one at a time: a result or an awaitable of it.
        since: see `cookies_to_give`.

    Attributes:
        losses: what could not be restored.
        failed: see `LiveContext`.
    """

    def __init__(
        self,
        context: Any,
        state: StorageState,
        clock: Clock,
        save: Callable[[StorageState], None],
        blocking: Callable[[Callable[[], None]], Any],
        *,
        waits: bool,
        since: int | None = None,
    ) -> None:
        self.losses: list[Loss] = []
        self.failed: HandstampError | None = None
        self.mirror = Mirror(state, clock)
        self._context = context
        self._state = state
        self._save = save
        self._blocking = blocking
        self._waits = waits
        self._since = since
        self._storage = Storage.of(state)
        self._databases = EagerDatabases(self.mirror, self._lose)
        self._script: Any = None
        self._served: set[str] = set()
        self._held: dict[str, set[str]] = {}
        self._tabs: dict[tuple[Any, str], str] = {}
        self._listening: list[tuple[Any, str, Any]] = []

    # -- giving -------------------------------------------------------------------------------------------------

    async def learn(self) -> None:
        """Look only: what the browser has and the vault has not, as it is before anything is put in."""
        jar = await self._jar()
        overruled = {cookie.key for cookie in cookies_to_give(self._state, jar, since=self._since, now=time.time())}
        self.mirror.start_from(cookie for cookie in jar if cookie.key in overruled)
        await self.look(last=True)

    async def restore(self) -> None:
        """Put in what is saved and missing, and begin to listen."""
        self._name_losses()
        given = cookies_to_give(self._state, await self._jar(), since=self._since, now=time.time())
        await self._give_cookies(given)
        await self._give_script()
        for page in self._context.pages:
            await self._fill(page)
        ours, jar = {cookie.key for cookie in given}, await self._jar()
        self.mirror.start_from(cookie for cookie in jar if cookie.key in ours)
        self._listen(self._context, "page", self._opened)
        for page in self._context.pages:
            self._opened(page)
        await self.look()

    def _name_losses(self) -> None:
        for part in self._state.parts.values():
            if not part.live() or part.id.kind is PartKind.COOKIES:
                continue
            if part.id.kind is PartKind.OPFS:
                self._lose(Loss("opfs", part.id.scope, "files are not given back in a browser that only its driver can reach; what is saved stays saved"))
            elif "^" in part.id.scope:
                self._lose(Loss("partition", part.id.scope, "storage of embedded sites is not kept up in a browser that only its driver can reach"))

    def _lose(self, loss: Loss) -> None:
        if loss not in self.losses:
            self.losses.append(loss)
            _log.warning("lost: %s at %s: %s", loss.what, loss.where, loss.why)

    async def _give_cookies(self, cookies: list[Cookie]) -> None:
        if not cookies:
            return
        try:
            await now(self._context.add_cookies([to_playwright(cookie) for cookie in cookies]))
        except Exception:  # noqa: BLE001  (Playwright's Error, of whichever browser: one that it refuses must not keep the others out)
            for cookie in cookies:
                try:
                    await now(self._context.add_cookies([to_playwright(cookie)]))
                except Exception:  # noqa: BLE001
                    self._lose(Loss("cookie", f"{cookie.name} of {cookie.domain}", "the browser does not accept it"))

    async def _give_script(self) -> None:
        """A script for all documents to come, without what has been given."""
        old, self._script = self._script, None
        if source := self._storage.script(self._served):
            self._script = await now(self._context.add_init_script(source))
        if old is not None:
            await now(old.close())

    async def _fill(self, page: Any) -> None:
        """Give a page that is open already what it lacks."""
        with contextlib.suppress(playwright_error()):
            origin = await now(page.evaluate("origin"))
            await now(page.evaluate(_PUT, [origin, self._storage.local.get(origin, []), self._storage.session.get(origin, [])]))

    # -- listening ----------------------------------------------------------------------------------------------

    def _listen(self, source: Any, event: str, handler: Any) -> None:
        source.on(event, handler)
        self._listening.append((source, event, handler))

    def _opened(self, page: Any) -> None:
        if self._waits:

            async def loaded(page: Any) -> None:
                await self.look(page)
        else:

            def loaded(page: Any) -> None:  # type: ignore[misc]
                with contextlib.suppress(asyncio.CancelledError):  # Playwright was stopped meanwhile
                    at_once(self.look(page))

        self._listen(page, "load", loaded)

    # -- looking ------------------------------------------------------------------------------------------------

    async def look(self, page: Any = None, *, last: bool = False) -> None:
        """Look at the cookies and at this page, or at all that are open, and save what has changed.

        Args:
            page: None for all.
            last: whether to spare no time.
        """
        with contextlib.suppress(playwright_error()):  # a page that goes away meanwhile
            served = len(self._served)
            self.mirror.look_at(await self._jar(), now=time.time())
            for one in [page] if page is not None else list(self._context.pages):
                with contextlib.suppress(playwright_error()):
                    await self._look_at_page(one, last=last)
            if len(self._served) > served:
                await self._give_script()
        await self.save()

    async def _look_at_page(self, page: Any, *, last: bool) -> None:
        origin, local, session = await now(page.evaluate(_READ))
        if not origin.startswith(_WEB):
            return
        if local is not None:
            self._take_local(origin, dict(local))
        if session is not None:
            self._take_session(page, origin, dict(session))
        self._served.add(origin)
        await self._databases.read(page, origin, last=last)

    def _take_local(self, origin: str, items: dict[str, str]) -> None:
        """Only what was seen here before can be seen to be gone."""
        part_id = PartId(PartKind.LOCAL, origin)
        for key in self._held.get(origin, set()) - items.keys():
            self.mirror.set(part_id, (key,), None)
        for key, value in items.items():
            self.mirror.set(part_id, (key,), value)
        self._held[origin] = set(items)

    def _take_session(self, page: Any, origin: str, items: dict[str, str]) -> None:
        part_id = PartId(PartKind.SESSION, origin)
        first = (page, origin) not in self._tabs
        tab = self._tab(page, origin)
        for key in () if first else [key for name, key in self.mirror.values(part_id) if name == tab and key not in items]:
            self.mirror.set(part_id, (tab, key), None)
        for key, value in items.items():
            self.mirror.set(part_id, (tab, key), value)

    def _tab(self, page: Any, origin: str) -> str:
        """The saved tab that the first page of an origin has been given; a later page is a tab of its own."""
        if (page, origin) not in self._tabs:
            given = self._storage.tabs.get(origin)
            free = given is not None and all(where != origin for _, where in self._tabs)
            self._tabs[page, origin] = given if free and given is not None else uuid.uuid4().hex[:12]
        return self._tabs[page, origin]

    async def _jar(self) -> list[Cookie]:
        known = by_key(self.mirror.state().cookies())
        return [from_playwright(item, known) for item in await now(self._context.cookies())]

    async def finish(self) -> None:
        """Take the last look, also at origins that no page shows any more, and save; the context stays as it is."""
        await self.look(last=True)
        with contextlib.suppress(playwright_error()):
            shown = {origin_of_url(page.url) for page in self._context.pages}
            if left := self._held.keys() - shown:
                found = {one["origin"]: one["localStorage"] for one in (await now(self._context.storage_state()))["origins"]}
                for origin in left:
                    self._take_local(origin, self._unseen(origin) | {item["name"]: item["value"] for item in found.get(origin, ())})
        await self.save()
        for source, event, handler in self._listening:
            with contextlib.suppress(Exception):  # gone with its page
                source.remove_listener(event, handler)
        with contextlib.suppress(playwright_error()):
            if self._script is not None:
                await now(self._script.close())

    def _unseen(self, origin: str) -> dict[str, str]:
        """What Playwright's own reading does not see: items that are called as something of the storage object itself."""
        return {key[0]: value for key, value in self.mirror.values(PartId(PartKind.LOCAL, origin)).items() if key[0] in _UNSEEN}

    async def save(self) -> None:
        """See `LiveContext.save`."""
        if self.failed is not None or not self.mirror.dirty:
            return
        changes = self.mirror.take()
        try:
            await now(self._blocking(lambda: self._save(changes)))
        except HandstampError as error:
            self.mirror.give_back(changes)
            if error.code in FATAL:
                self.failed = error
            _log.warning("a change of the session is not saved: %s", error)
