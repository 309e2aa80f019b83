"""Reading what pages have changed: in a document that is at the place now, else in a helper page, if the place is used at all."""

from __future__ import annotations

import contextlib
import logging
import time
from typing import TYPE_CHECKING

from handstamp.browser.idb import over_cdp
from handstamp.browser.idb.scripts import capture_call, capture_files_call
from handstamp.browser.idb.world import EVALUATE_WITHIN
from handstamp.browser.restore import WORLD
from handstamp.browser.usage import not_read
from handstamp.errors import BrowserError
from handstamp.state import Loss

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from contextlib import AbstractAsyncContextManager

    from handstamp.browser.captures import Captures
    from handstamp.browser.cdp import Connection
    from handstamp.browser.idb import World
    from handstamp.browser.places import Place
    from handstamp.browser.usage import Usage

    Helper = Callable[[str], AbstractAsyncContextManager[World]]

_log = logging.getLogger(__name__)
GATHER = 0.3  # seconds that changes gather before they are read together
SILENCE = 3.0  # seconds that a page gets for each piece of its last answer
REST = 5  # a reading that took long is followed by a rest of so many times its length


class Reader:
    """Reads places of one live context. Belongs to the engine's loop.

    Args:
        connection: to the browser.
        captures: takes what is read.
        usage: tells what places use that no document is at.
        lose: called with what cannot be kept.
        helper: makes a document of a scope; None where none may be made.
    """

    def __init__(self, connection: Connection, captures: Captures, usage: Usage, *, lose: Callable[[Loss], None], helper: Helper | None) -> None:
        self._connection = connection
        self._captures = captures
        self._usage = usage
        self._lose = lose
        self._helper = helper

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
                    self.unread(place)

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
            self._captures.compare(place, (await world.databases(capture_call([]))).versions)
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
            self._captures.take(place, captured, everything=wanted is None)
        if place.files_due:
            place.files_due = False  # first: who leaves while they are read sets it again
            try:
                self._captures.take_files(place, await world.files(capture_files_call(place.signs)))
            except BaseException:
                place.files_due = True
                raise
        took = time.monotonic() - started
        place.rest_until = time.monotonic() + (REST * took if took > GATHER else 0.0)

    async def read_away(self, places: list[Place]) -> None:
        """Read those that no document is at, one after the other: each takes a page of ours."""
        async with contextlib.AsyncExitStack() as stack:
            asked: str | None = None
            for place in places:
                if place.due and asked is None:
                    with contextlib.suppress(BrowserError):
                        asked = await stack.enter_async_context(self._usage.someone_to_ask())
                await self.read(place, last=True, asked=asked)

    def unread(self, place: Place) -> None:
        """What of a place was to be read and was not, is lost."""
        for what, unread in (("database", place.dirty or place.listed), ("opfs", place.files_due and place.files)):
            if unread:
                self._lose(Loss(what, place.scope, "what its pages changed last could not be read"))
