"""IndexedDB and files (OPFS) of one live context, kept up in its mirror.

Databases are given back by the scripts at a document's start (`restore.py`), files before the context is handed out, since a
page's own reading of files does not wait behind ours. What pages do with databases is told by CDP
(`Storage.trackIndexedDBForStorageKey`), without the content; of files nobody tells anything, so they are looked at now and then.
The content is read in a document of the origin, by the library in `idb/`; where the page has gone on to another origin, in a
helper page, if the origin uses storage at all (`Storage.getUsageAndQuota`). Caches and service workers are not read: a site makes
them again when it is opened. That an origin has some is told as a loss.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

from handstamp.browser.captures import Captures
from handstamp.browser.cdp import CdpError
from handstamp.browser.idb import file_entries, not_restored, over_cdp
from handstamp.browser.places import Place
from handstamp.browser.reading import GATHER, Reader
from handstamp.browser.restore import WORLD
from handstamp.browser.storage_key import origin_of, scope_of, scope_under, storage_key_of
from handstamp.browser.usage import Usage
from handstamp.errors import BrowserError
from handstamp.state import Loss, PartKind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping

    from handstamp.browser.cdp import Connection, Message
    from handstamp.browser.mirror import Mirror
    from handstamp.browser.reading import Helper
    from handstamp.browser.usage import Blank
    from handstamp.state import Key, PartId

FILES_EVERY = 5.0  # seconds between two looks at files of origins that a page is at
READ_WITHIN = 9.0  # seconds for the last look at all places, while they go on answering
SETTLED_WITHIN = 1.0  # seconds for documents to say whether they have been served
_ASK_KEY, _ASK_KEY_AGAIN = 40, 0.05  # times, and seconds between them
_WEB = ("http://", "https://")


class Databases:
    """The databases of one live context. Belongs to the engine's loop.

    Args:
        connection: to the browser.
        mirror: takes what is read.
        awaits: whether a scope has a saved state that no document has been given yet.
        served: called with a scope when a document of it has been given what is saved, but for its databases.
        databases_served: the same for those.
        lose: called with what cannot be kept.
        helper: makes a document of a scope; None where none may be made.
        blank: makes an empty page, gives its session; None likewise.
    """

    def __init__(
        self,
        connection: Connection,
        mirror: Mirror,
        *,
        awaits: Callable[[str], bool],
        served: Callable[[str], None],
        databases_served: Callable[[str], None],
        lose: Callable[[Loss], None],
        helper: Helper | None = None,
        blank: Blank | None = None,
    ) -> None:
        self._helper = helper
        self._captures = Captures(mirror, lose)
        usage = Usage(connection, open_now=self._sessions, blank=blank)
        self._reader = Reader(connection, self._captures, usage, lose=lose, helper=helper)
        self._awaits = awaits
        self._connection = connection
        self._mirror = mirror
        self._served = served
        self._databases_served = databases_served
        self._lose = lose
        self._places: dict[str, Place] = {}
        self._where: dict[str, str] = {}
        self._unsettled: dict[str, str] = {}  # frame -> the scope that it should have
        self._work = asyncio.Event()
        self._behind: asyncio.Task[Any] | None = None
        self.tasks: set[asyncio.Task[None]] = set()

    # -- documents ----------------------------------------------------------------------------------------------

    def committed(self, session: str, frame: Message) -> None:
        """A document has come to be in a frame (CDP `Page.frameNavigated`)."""
        self.left(frame["id"])
        origin = frame.get("securityOrigin", "")
        if not origin.startswith(_WEB):
            return
        if "parentId" not in frame:
            self._settle(session, frame["id"], origin)
            return
        around = self._where.get(frame["parentId"]) or self._unsettled.get(frame["parentId"])
        if around is not None:
            self._unsettled[frame["id"]] = scope_under(around, origin)
        self._start(self._settle_framed(session, frame["id"], origin))

    async def _settle_framed(self, session: str, frame: str, origin: str) -> None:
        """Find out which storage a frame has; if it goes away before, what it should have had is looked at later."""
        try:
            scope = await self._ask_key(session, frame, origin)
            if scope is not None:
                self._settle(session, frame, scope)
            elif (scope := self._unsettled.get(frame)) is not None:
                place = self._places.setdefault(scope, Place(scope))
                place.touch()
                place.files_due = True
                self._work.set()
        finally:
            self._unsettled.pop(frame, None)

    async def _ask_key(self, session: str, frame: str, origin: str) -> str | None:
        """The scope of a framed document. That depends on what it is in, so the browser is asked; None when the document is gone.

        The browser may not know the document yet, since the renderer tells of it first.
        """
        for _ in range(_ASK_KEY):
            try:
                answer = await self._connection.send("Storage.getStorageKey", {"frameId": frame}, session=session)
            except CdpError as refusal:
                if refusal.session_gone:
                    return None
                await asyncio.sleep(_ASK_KEY_AGAIN)
                continue
            except BrowserError:
                return None
            scope = scope_of(answer["storageKey"])
            if scope is not None and origin_of(scope) == origin:
                return scope
            await asyncio.sleep(_ASK_KEY_AGAIN)  # it still answers for the document before
        return None

    def _settle(self, session: str, frame: str, scope: str) -> None:
        place = self._places.setdefault(scope, Place(scope))
        place.homes[frame] = session
        self._where[frame] = scope
        place.files_due = True
        if place.tracker is None:
            self._track(place, session)
        if self._awaits(scope):
            self._start(self._confirm(place, session, frame))
        self._work.set()

    def _track(self, place: Place, session: str) -> None:
        """From now on this session hears of the place's databases, whatever page changes them; what was before is to be read."""
        place.tracker = session
        self._connection.post("Storage.trackIndexedDBForStorageKey", {"storageKey": storage_key_of(place.scope)}, session=session)
        place.touch()

    async def _confirm(self, place: Place, session: str, frame: str) -> None:
        """See whether a document has really been given its state.

        One without scripts may run none of ours either, and one that is left before its databases are filled leaves nothing behind.
        """
        try:
            world = await over_cdp(self._connection, session=session, frame=frame, scope=place.scope, name=WORLD)
            refused = await world.applied()
            if refused is None:
                return
            for scope, tab, over in refused:
                area = "localStorage" if tab is None else "sessionStorage"
                self._lose(Loss("quota", f"{scope}, {area}", f"{over} items were not given back: there is no room for them"))
            self._served(place.scope)
            for name, how in (await world.ended()).items():
                if how.outcome == "restored":
                    self._captures.restored(place, name, how)
                for loss in not_restored(place.scope, name, how):
                    self._lose(loss)
            self._databases_served(place.scope)
        except BrowserError:
            place.offered = True

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def left(self, frame: str) -> None:
        """The document of a frame is gone."""
        if scope := self._where.pop(frame, None):
            place = self._places[scope]
            place.homes.pop(frame, None)
            place.files_due = True  # what it did last, nobody has looked at
            self._work.set()

    def ended(self, session: str) -> None:
        """A target is gone, with all its frames."""
        for place in self._places.values():
            for frame in [frame for frame, home in place.homes.items() if home == session]:
                self.left(frame)
            if place.tracker == session:
                place.tracker = None
                if place.homes:
                    self._track(place, next(iter(place.homes.values())))
                    self._work.set()

    def has(self, part_id: PartId, values: Mapping[Key, Any]) -> None:
        """The browser came with these, in files of its own: what of them is missing later was deleted in it."""
        place = self._places.setdefault(part_id.scope, Place(part_id.scope))
        if part_id.kind is PartKind.OPFS:
            place.files = values
        elif part_id.kind is PartKind.IDB:
            place.seen[part_id.name] = values

    def _sessions(self) -> Iterator[str]:
        """Of documents that are there now."""
        return (session for place in self._places.values() for session in place.homes.values())

    def homes(self) -> list[tuple[str, str]]:
        """Scope and session of every document that is there now."""
        return [(place.scope, session) for place in self._places.values() for session in place.homes.values()]

    # -- changes ------------------------------------------------------------------------------------------------

    def hear(self, method: str, params: Message) -> None:
        """An event of CDP's Storage domain."""
        scope = scope_of(params.get("storageKey", ""))
        place = self._places.get(scope or "")
        if place is None:
            return
        if method == "Storage.indexedDBListUpdated":
            place.listed = True  # also said after every write
        elif method == "Storage.indexedDBContentUpdated":
            place.touch(params["databaseName"], params["objectStoreName"])
        self._work.set()

    async def read_behind(self) -> None:
        """Read what has changed, until the last look."""
        self._behind = asyncio.current_task()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FILES_EVERY):
                    await self._work.wait()
            await asyncio.sleep(GATHER)
            self._work.clear()
            now = time.monotonic()
            for place in sorted(self._places.values(), key=lambda place: not place.homes):  # where a page is at, it takes milliseconds
                place.files_due |= bool(place.homes)
                if place.due and place.rest_until > now:
                    asyncio.get_running_loop().call_later(place.rest_until - now, self._work.set)
                else:
                    await self._reader.read(place)
                    self._forget_if_empty(place)

    def _forget_if_empty(self, place: Place) -> None:
        """Of an origin that stores nothing, and that nobody is at, there is nothing to remember."""
        if place.homes or place.due or place.seen or place.files or self._awaits(place.scope) or place.offered or place.reading.locked():
            return
        if place.tracker is not None:
            params = {"storageKey": storage_key_of(place.scope)}
            self._connection.post("Storage.untrackIndexedDBForStorageKey", params, session=place.tracker)
        self._places.pop(place.scope, None)

    async def read_all(self, mute: Collection[str] = (), *, ending: bool = False) -> None:
        """Read what may have changed, as far as that goes within `READ_WITHIN`; the rest is a loss.

        Args:
            mute: sessions of documents that do not answer.
            ending: whether this is the last time, so that nobody reads behind any more.
        """
        if ending and self._behind is not None:
            self._behind.cancel()  # it may wait for a page that does not answer
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=SETTLED_WITHIN)
        places = [place for place in self._places.values() if not (place.homes and place.home(mute) is None)]
        for place in places:
            place.files_due |= bool(place.homes)
            if place.homes and place.seen:
                place.touch()
        work = [asyncio.ensure_future(self._reader.read(place, last=True, mute=mute)) for place in places if place.homes]
        work.append(asyncio.ensure_future(self._reader.read_away([place for place in places if not place.homes])))
        done, late = await asyncio.wait(work, timeout=READ_WITHIN)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        for place in places if late else ():
            self._reader.unread(place)
        for task in done:
            task.result()

    def only_at(self, mute: Collection[str]) -> list[str]:
        """Scopes whose documents are all in these sessions."""
        return [place.scope for place in self._places.values() if place.homes and place.home(mute) is None]

    # -- files --------------------------------------------------------------------------------------------------

    async def restore_files(self) -> None:
        """Give files back, in helper pages, before anybody gets the context."""
        for part_id in self._mirror.part_ids(PartKind.OPFS):
            values = self._mirror.values(part_id)
            if not values:
                continue
            if self._helper is None:
                self._lose(Loss("opfs", part_id.scope, "its files were not given back: no page of ours may be made in somebody else's browser"))
                continue
            try:
                async with self._helper(part_id.scope) as world:
                    done = await world.fill_files(file_entries(values))
                    place = self._places.setdefault(part_id.scope, Place(part_id.scope))
                    place.files = {key: value for key, value in values.items() if key[0] not in dict(done.failed)}
            except BrowserError as error:
                self._lose(Loss("opfs", part_id.scope, f"its files were not given back: {error}"))
                continue
            for path, why in done.failed:
                self._lose(Loss("opfs", f"{part_id.scope}, {path}", f"the file was not given back: {why}"))
