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
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from handstamp.browser.cdp import CdpError
from handstamp.browser.idb import after_restore, changes, file_changes, file_entries, not_restored, over_cdp, part_of_database, part_of_files, seen
from handstamp.browser.idb.parts import RECORD
from handstamp.browser.idb.scripts import capture_call, capture_files_call
from handstamp.browser.idb.world import EVALUATE_WITHIN
from handstamp.browser.restore import WORLD
from handstamp.browser.storage_key import origin_of, scope_of, scope_under, storage_key_of
from handstamp.browser.usage import Usage, not_read
from handstamp.errors import BrowserError
from handstamp.state import Loss, PartKind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
    from contextlib import AbstractAsyncContextManager

    from handstamp.browser.cdp import Connection, Message
    from handstamp.browser.idb import Captured, Database, Restored, World
    from handstamp.browser.mirror import Mirror
    from handstamp.browser.usage import Blank
    from handstamp.state import Key, PartId

    Helper = Callable[[str], AbstractAsyncContextManager[World]]

_log = logging.getLogger(__name__)
GATHER = 0.3  # seconds that changes gather before they are read together
FILES_EVERY = 5.0  # seconds between two looks at files of origins that a page is at
SILENCE = 3.0  # seconds that a page gets for each piece of its last answer
READ_WITHIN = 9.0  # seconds for the last look at all places, while they go on answering
SETTLED_WITHIN = 1.0  # seconds for documents to say whether they have been served
REST = 5  # a reading that took long is followed by a rest of so many times its length
_ASK_KEY, _ASK_KEY_AGAIN = 40, 0.05  # times, and seconds between them
_WEB = ("http://", "https://")


@dataclass
class Place:
    """One storage key of the context.

    Attributes:
        homes: frame id -> session of documents that live there now, the latest last.
        dirty: database -> its stores to read, None for all; the key None stands for all databases. Empty: nothing to read.
        known: frame id and token of the last answer, so that the next from the same document tells differences only.
        seen: database -> what this browser was seen to hold of it.
        versions: of the databases, by name, at the last reading.
        listed: whether the list of databases may have changed.
        tracker: session that hears of its databases.
        files: the same as `seen` for files.
        signs: of files, see `CapturedFiles.signs`.
        files_due: whether a page may have changed files since the last look at them.
        offered: whether a document may have been given its databases, and was left before that was seen.
        rest_until: on the monotonic clock.
    """

    scope: str
    homes: dict[str, str] = field(default_factory=dict)
    dirty: dict[str | None, set[str] | None] = field(default_factory=dict)
    known: tuple[str, str] | None = None
    seen: dict[str, Mapping[Key, Any]] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)
    listed: bool = False
    tracker: str | None = None
    files: Mapping[Key, Any] = field(default_factory=dict)
    signs: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    files_due: bool = False
    offered: bool = False
    rest_until: float = 0.0
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    def touch(self, database: str | None = None, store: str | None = None) -> None:
        """Something here has changed."""
        if database is None or store is None:
            self.dirty[database] = None
        elif (stores := self.dirty.setdefault(database, set())) is not None:
            stores.add(store)

    def home(self, mute: Collection[str] = ()) -> tuple[str, str] | None:
        """Frame and session of the latest document that is here now, but for sessions that are mute."""
        return next(((frame, session) for frame, session in reversed(self.homes.items()) if session not in mute), None)

    @property
    def due(self) -> bool:
        """Whether anything is to be read."""
        return bool(self.dirty) or self.listed or self.files_due

    def wanted(self) -> list[tuple[str, list[str] | None]] | None:
        """What to read, as `World.databases` takes it."""
        if None in self.dirty:
            return None
        return [(database, None if stores is None else sorted(stores)) for database, stores in self.dirty.items() if database is not None]


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
        self._usage = Usage(connection, open_now=self._sessions, blank=blank)
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
                    place.seen.setdefault(name, self._given_back(place, name, how))  # what is deleted of it from here on is missed
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
                    await self.read(place)
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
        work = [asyncio.ensure_future(self.read(place, last=True, mute=mute)) for place in places if place.homes]
        work.append(asyncio.ensure_future(self._read_away([place for place in places if not place.homes])))
        done, late = await asyncio.wait(work, timeout=READ_WITHIN)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        for place in places if late else ():
            self._unread(place)
        for task in done:
            task.result()

    async def _read_away(self, places: list[Place]) -> None:
        """Read those that no document is at, one after the other: each takes a page of ours."""
        async with contextlib.AsyncExitStack() as stack:
            asked: str | None = None
            for place in places:
                if place.due and asked is None:
                    with contextlib.suppress(BrowserError):
                        asked = await stack.enter_async_context(self._usage.someone_to_ask())
                await self.read(place, last=True, asked=asked)

    def only_at(self, mute: Collection[str]) -> list[str]:
        """Scopes whose documents are all in these sessions."""
        return [place.scope for place in self._places.values() if place.homes and place.home(mute) is None]

    def _unread(self, place: Place) -> None:
        """What of a place was to be read and was not, is lost."""
        for what, unread in (("database", place.dirty or place.listed), ("opfs", place.files_due and place.files)):
            if unread:
                self._lose(Loss(what, place.scope, "what its pages changed last could not be read"))

    async def read(self, place: Place, *, last: bool = False, asked: str | None = None, mute: Collection[str] = ()) -> None:
        """Read what is to be read of one place; what cannot be read now stays to be read.

        Args:
            place: of this context.
            last: it is not read again: look at what is dear to look at, too, and wait for no page that does not answer.
            asked: session of a page to ask about a place that has no document; None to find one.
            mute: sessions of documents that do not answer.
        """
        async with place.reading:
            if not place.due:
                return
            try:
                if home := place.home(mute):
                    frame, session = home
                    within = SILENCE if last else EVALUATE_WITHIN
                    world = await over_cdp(self._connection, session=session, frame=frame, scope=place.scope, name=WORLD, timeout=within)
                    await self._read_in(place, world, frame, last=last)
                else:
                    await self._read_elsewhere(place, asked, last=last)
            except BrowserError as error:
                _log.debug("storage of %s not read: %s", place.scope, error)
                place.rest_until = time.monotonic() + GATHER
                if last:
                    self._unread(place)

    async def _read_elsewhere(self, place: Place, asked: str | None, *, last: bool) -> None:
        """Read a place that no document is at now, if it has anything to read."""
        used = await self._usage.kinds(place.scope, asked)
        for loss in not_read(place.scope, used):
            self._lose(loss)
        databases = (place.dirty or place.listed) and (place.seen or "indexeddb" in used)
        files = place.files_due and (place.files or "file_systems" in used)
        if not databases:
            place.dirty, place.listed = {}, False
        place.files_due = bool(files)
        if not databases and not files:
            return
        if self._helper is None:
            why = "its page was left before they were read, and no page of ours may be made in somebody else's browser"
            self._lose(Loss("database" if databases else "opfs", place.scope, why))
            place.dirty, place.listed, place.files_due = {}, False, False
            return
        async with self._helper(place.scope) as world:
            if databases:
                place.touch()
            await self._read_in(place, world, "", last=last)

    async def _read_in(self, place: Place, world: World, frame: str, *, last: bool) -> None:
        started = time.monotonic()
        if place.listed and None not in place.dirty:
            self._compare(place, (await world.databases(capture_call([]))).versions)
        place.listed = False
        if place.dirty:
            wanted, dirty, place.dirty = place.wanted(), place.dirty, {}
            known = place.known[1] if place.known and frame and place.known[0] == frame else None
            try:
                captured = await world.databases(capture_call(wanted, known=known, counters="all" if last else "changed"))
            except BaseException:
                place.dirty = dirty | place.dirty
                raise
            place.known = (frame, captured.token)
            self.take(place, captured, everything=wanted is None)
        if place.files_due:
            place.files_due = False  # first: who leaves while they are read sets it again
            try:
                await self._read_files(place, world)
            except BaseException:
                place.files_due = True
                raise
        took = time.monotonic() - started
        place.rest_until = time.monotonic() + (REST * took if took > GATHER else 0.0)

    def _compare(self, place: Place, versions: Mapping[str, int]) -> None:
        """Databases that are new, or of another version, are to be read; one that is gone is gone."""
        for name, version in versions.items():
            if place.versions.get(name) != version:
                place.touch(name)
        for name in [name for name in place.seen if name not in versions]:
            self._take_one(place, name, None)
            del place.seen[name]
        place.versions = versions

    # -- files --------------------------------------------------------------------------------------------------

    async def _read_files(self, place: Place, world: World) -> None:
        captured = await world.files(capture_files_call(place.signs))
        part_id = part_of_files(place.scope)
        values, gone = file_changes(place.files, captured)
        for key, value in values.items():
            self._mirror.set(part_id, key, value)
        for key in gone:
            self._mirror.set(part_id, key, None)
        place.files = {key: value for key, value in {**place.files, **values}.items() if key not in gone}
        place.signs = captured.signs
        for loss in captured.losses:
            self._lose(loss)

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

    # -- databases ----------------------------------------------------------------------------------------------

    def take(self, place: Place, captured: Captured, *, everything: bool) -> None:
        """What was read goes into the mirror.

        Args:
            place: where it is from.
            captured: the answer.
            everything: whether all databases were asked for.
        """
        place.versions = captured.versions
        for name, restored in captured.restored.items():
            if restored.outcome == "restored":
                place.seen.setdefault(name, self._given_back(place, name, restored))
        lost = {name for name in captured.names if name not in captured.databases}
        for name, database in captured.databases.items():
            self._take_one(place, name, database)
        if everything:
            for name in [name for name in place.seen if name not in captured.names and name not in lost]:
                self._take_one(place, name, None)
                del place.seen[name]
        for loss in captured.losses:
            self._lose(loss)

    def _given_back(self, place: Place, name: str, restored: Restored) -> Mapping[Key, Any]:
        return after_restore(self._mirror.values(part_of_database(place.scope, name)), restored)

    def _held_before(self, place: Place, name: str, database: Database | None) -> Mapping[Key, Any]:
        """What a database held that nobody has seen yet.

        It is what was saved, if a document was given that and left before it could tell, and some of it is still there. Else nothing is
        known, and what is missing was not necessarily deleted.
        """
        if not place.offered or database is None:
            return {}
        saved = self._mirror.values(part_of_database(place.scope, name))
        now, _ = changes({}, database)
        return saved if any(key[0] == RECORD and now.get(key) == value for key, value in saved.items()) else {}

    def _take_one(self, place: Place, name: str, database: Database | None) -> None:
        part_id = part_of_database(place.scope, name)
        before = place.seen[name] if name in place.seen else self._held_before(place, name, database)
        values, gone = changes(before, database)
        for key, value in values.items():
            self._mirror.set(part_id, key, value)
        for key in gone:
            self._mirror.set(part_id, key, None)
        place.seen[name] = seen(before, database)
