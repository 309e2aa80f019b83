"""A context of a browser that somebody else started: it may hold cookies already, and have pages open, when we come."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import TYPE_CHECKING

from handstamp.browser.cookies import by_key
from handstamp.browser.idb import dump, over_cdp
from handstamp.browser.live import LiveContext
from handstamp.browser.restore import WORLD, Areas
from handstamp.browser.storage_key import origin_of_url, scope_of, storage_key_of
from handstamp.errors import BrowserError
from handstamp.state import Loss, PartId, PartKind, StorageState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from handstamp.browser.cdp import Connection, Message
    from handstamp.state import Clock, Cookie

READ_WITHIN = 4.0  # seconds for one page that was open before us; one that shows a dialog does not answer
_WEB = ("http://", "https://")
# In an isolated world of a document that is at work: what is there stays. Gives the names of what found no room.
_PUT = """((area, items) => {
  const storage = globalThis[area];
  return items.filter(([key, value]) => {
    if (storage.getItem(key) !== null) return false;
    try { storage.setItem(key, value); } catch { return true; }
    return false;
  }).length;
})"""


def cookies_to_give(state: StorageState, jar: list[Cookie], *, since: int | None, now: float) -> list[Cookie]:
    """The saved cookies that go into a jar which may hold others already.

    A cookie that is missing is given. Where the jar has another value, nobody tells which is newer, so evidence decides. This
    browser held the profile before: what was saved since then is newer, the rest is older than what the jar has. It did not:
    the saved one is what the user asked for, unless the jar's ends later, as one does that the site has renewed since.

    Args:
        state: the saved one.
        jar: the cookies of the browser's context.
        since: when this browser last held the profile, in milliseconds since the epoch as stamps count; None when it never did.
        now: seconds since the epoch.
    """
    there = by_key(jar)
    given = []
    for part in state.of_kind(PartKind.COOKIES):
        for key, entry in part.entries.items():
            cookie: Cookie | None = entry.value
            if cookie is None or cookie.expired(now):
                continue
            other = there.get(key)
            if other is None or (other.value != cookie.value and (entry.stamp.time > since if since is not None else not _renewed(other, cookie))):
                given.append(cookie)
    return given


def _renewed(other: Cookie, saved: Cookie) -> bool:
    return other.expires is not None and saved.expires is not None and other.expires > saved.expires + 1


class GuestContext(LiveContext):
    """See `LiveContext`. What the browser has and the vault has not is taken for a change, and saved.

    Args:
        connection: to the browser.
        state: what to restore.
        clock: stamps changes.
        save: see `LiveContext`.
        since: see `cookies_to_give`.
        gives: False to look only: nothing is put into the browser.
    """

    def __init__(
        self,
        connection: Connection,
        state: StorageState,
        clock: Clock,
        save: Callable[[StorageState], None] | None,
        *,
        since: int | None = None,
        gives: bool = True,
    ) -> None:
        super().__init__(connection, state, clock, save)
        self._saved = state
        self._since = since
        self._gives = gives
        self._reading: set[asyncio.Task[None]] = set()
        self._read: set[str] = set()
        if not gives:
            self._serving.areas = Areas.of(StorageState())

    async def fill(self, context: str) -> None:
        """Put the missing cookies into the context and begin to watch it."""
        self.id = context
        given = cookies_to_give(self._saved, await self.jar(), since=self._since, now=time.time())
        if self._gives:
            await self._jar.put(given)
            await self._databases.restore_files()
        await self._jar.start_from(given, now=time.time())
        self._jar.full.set()
        self._watch()

    def arm(self, session: str, *, target: str, parent: str | None = None, opener: str | None = None) -> None:
        """See `LiveContext.arm`. Tabs have the name of their target, so that who comes again finds them again."""
        super().arm(session, target=target, parent=parent, opener=opener)
        if parent is None:
            self._documents[session].tab = target[:12].lower()

    # -- documents that were open before us -----------------------------------------------------------------------

    def meet(self, session: str) -> None:
        """A page or frame that is open already has been armed: read what it has, and give it what it lacks."""
        task = asyncio.get_running_loop().create_task(self._meet(session))
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def settled(self) -> None:
        """Wait until all documents that were open are read."""
        while self._reading:
            await asyncio.wait(set(self._reading))

    async def _meet(self, session: str) -> None:
        target = self._documents[session].target
        try:
            async with asyncio.timeout(READ_WITHIN):
                tree = (await self._connection.send("Page.getFrameTree", session=session))["frameTree"]
                for frame in _frames(tree):
                    with contextlib.suppress(BrowserError):  # a frame that goes away meanwhile
                        await self._meet_frame(session, frame)
        except TimeoutError:
            why = f"the page was open and did not answer within {READ_WITHIN:g} s (does it show a dialog?), so its storage is neither read nor filled"
            self.lose(Loss("page", await self._where(target), why))
        except BrowserError:
            return  # it has gone away meanwhile

    async def _where(self, target: str) -> str:
        """Origin of a page that does not answer; the browser does."""
        with contextlib.suppress(BrowserError):
            return origin_of_url((await self._connection.send("Target.getTargetInfo", {"targetId": target}))["targetInfo"]["url"])
        return "a page"

    async def _meet_frame(self, session: str, frame: Message) -> None:
        answer = await self._connection.send("Storage.getStorageKey", {"frameId": frame["id"]}, session=session)
        scope = scope_of(answer["storageKey"])
        if scope is None or session not in self._documents:
            return
        if scope not in self._read:
            self._read.add(scope)
            await self._meet_local(session, frame["id"], scope)
        if scope not in self._documents[session].names:
            await self._meet_session(session, frame["id"], scope)
        self._databases.committed(session, frame)

    async def _meet_local(self, session: str, frame: str, scope: str) -> None:
        part_id = PartId(PartKind.LOCAL, scope)
        there = await self._stored(session, scope, local=True)
        saved = {key[0]: value for key, value in self.mirror.values(part_id).items()}
        for name, value in there.items():
            self.mirror.set(part_id, (name,), value)
        if self._gives and scope not in self._serving.served:
            await self._put(session, frame, scope, "localStorage", {name: value for name, value in saved.items() if name not in there})
            await self._fill_databases(session, frame, scope)
        self._serving.give(scope)

    async def _meet_session(self, session: str, frame: str, scope: str) -> None:
        part_id = PartId(PartKind.SESSION, scope)
        there = await self._stored(session, scope, local=False)
        document = self._documents[session]
        offered = document.tabs.get(scope)
        if not there:
            if offered is not None and self._gives:  # by its events the page gets the tab's name
                await self._put(session, frame, scope, "sessionStorage", self._tab_items(part_id).get(offered, {}))
            return
        name = next((tab for tab, items in self._tab_items(part_id).items() if tab == document.tab or items == there), document.tab)
        document.names[scope] = name
        document.tabs.pop(scope, None)
        self._tabs.claim(scope, name)
        for key, value in there.items():
            self.mirror.set(part_id, (name, key), value)

    def _tab_items(self, part_id: PartId) -> dict[str, dict[str, str]]:
        """Saved sessionStorage by tab, of tabs that no page has."""
        tabs: dict[str, dict[str, str]] = {}
        for (tab, key), value in self.mirror.values(part_id).items():
            if (part_id.scope, tab) not in self._tabs.claimed:
                tabs.setdefault(tab, {})[key] = value
        return tabs

    async def _stored(self, session: str, scope: str, *, local: bool) -> dict[str, str]:
        identifier = {"storageKey": storage_key_of(scope), "isLocalStorage": local}
        answer = await self._connection.send("DOMStorage.getDOMStorageItems", {"storageId": identifier}, session=session)
        return dict(answer["entries"])

    async def _put(self, session: str, frame: str, scope: str, area: str, items: dict[str, str]) -> None:
        if not items:
            return
        world = await over_cdp(self._connection, session=session, frame=frame, scope=scope, name=WORLD)
        if refused := await world.evaluate(f"{_PUT}({json.dumps(area)}, {json.dumps(list(items.items()))})"):
            self.lose(Loss("quota", f"{scope}, {area}", f"{refused} items were not given back: there is no room for them"))

    async def _fill_databases(self, session: str, frame: str, scope: str) -> None:
        parts = [part for part in self._saved.of_kind(PartKind.IDB) if part.id.scope == scope]
        dumps = [made for part in parts if (made := dump(part.id.name, part.live())) is not None]
        if dumps:
            world = await over_cdp(self._connection, session=session, frame=frame, scope=scope, name=WORLD)
            await world.fill(dumps)


def _frames(tree: Message) -> Iterator[Message]:
    """Frames of a page that can have storage."""
    if tree["frame"].get("securityOrigin", "").startswith(_WEB):
        yield tree["frame"]
    for child in tree.get("childFrames", ()):
        yield from _frames(child)
