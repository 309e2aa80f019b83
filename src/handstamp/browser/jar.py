"""The cookie jar of a live context: filled while the first page starts, and looked at from then on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING, Any

from handstamp.browser.cdp import CdpError
from handstamp.browser.cookies import from_cdp, to_cdp
from handstamp.errors import BrowserError
from handstamp.state import Loss

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence

    from handstamp.browser.cdp import Connection, Message
    from handstamp.browser.mirror import Mirror
    from handstamp.state import Cookie, StorageState

_log = logging.getLogger(__name__)
LOOK_EVERY = 0.5  # seconds between two looks at the cookie jar; a look costs about a millisecond
COOKIES_AT_ONCE = 25  # the browser does nothing else meanwhile
FILL_WITHIN = 0.02  # seconds from the making of a context; a driver that opens a page at once is quicker
LOOK_AFTER = 0.1  # seconds after a navigation, which has the browser's hands full


class Jar:
    """The cookies of one live context. Belongs to the engine's loop.

    Args:
        connection: to the browser.
        mirror: takes what is seen.
        context: gives the `browserContextId`, once it is made.
        lose: called with what cannot be given back.
        start: lets something run beside.

    Attributes:
        full: set when what is given back is in.
    """

    def __init__(
        self,
        connection: Connection,
        mirror: Mirror,
        *,
        context: Callable[[], str | None],
        lose: Callable[[Loss], None],
        start: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self.full = asyncio.Event()
        self._connection = connection
        self._mirror = mirror
        self._context = context
        self._lose = lose
        self._start = start
        self._to_give: StorageState | None = None
        self._seen: list[Message] | None = None
        self._given: list[Message] = []
        self._look_now = asyncio.Event()

    # -- filling ------------------------------------------------------------------------------------------------

    def fill_soon(self, state: StorageState) -> None:
        """Put the cookies of a state in with the first page, when the driver asks for the jar, or after `FILL_WITHIN`: see `fill`.

        They cost Chromium some 70 µs each. So they go in while it starts the first page's process.
        """
        self._to_give = state
        asyncio.get_running_loop().call_later(FILL_WITHIN, self.fill)

    def fill(self) -> None:
        """Put them in now, if that has not been done.

        Nobody gets at the jar before it is full: documents are not asked of a server (see `LiveContext`), and the driver's own
        commands to it wait (see `when_full`).
        """
        if self._to_give is not None:
            state, self._to_give = self._to_give, None
            self._start(self._fill(state))

    def when_full(self) -> Awaitable[Any] | None:
        """What a command to the jar has to wait for; None when the jar is full."""
        if self.full.is_set():
            return None
        self.fill()
        return self.full.wait()

    async def _fill(self, state: StorageState) -> None:
        try:
            await self.put([cookie for cookie in state.cookies() if not cookie.expired(time.time())])
            self._seen = self._given = await self._raw()  # what the browser makes of them is no change of the site's
        except BrowserError as error:
            _log.debug("the browser ended before it had its cookies: %s", error)
        finally:
            self.full.set()

    async def put(self, cookies: Sequence[Cookie]) -> None:
        """Put these in; one that Chromium refuses is a loss."""
        for at in range(0, len(cookies), COOKIES_AT_ONCE):
            some = cookies[at : at + COOKIES_AT_ONCE]
            try:
                await self._set(some)
            except CdpError:
                for cookie in some:  # one that Chromium refuses must not keep the others out
                    await self._put_one(cookie)

    async def _put_one(self, cookie: Cookie) -> None:
        try:
            await self._set([cookie])
        except CdpError:
            self._lose(Loss("cookie", f"{cookie.name} of {cookie.domain}", "Chromium does not accept it"))

    async def _set(self, cookies: Sequence[Cookie]) -> None:
        await self._connection.send("Storage.setCookies", {"cookies": [to_cdp(cookie) for cookie in cookies], "browserContextId": self._context()})

    async def start_from(self, given: Collection[Cookie], *, now: float) -> None:
        """The jar was not empty: what it holds besides those that it was given is a change, to be saved."""
        ours = {cookie.key for cookie in given}
        held = await self.cookies()
        self._mirror.start_from(cookie for cookie in held if cookie.key in ours)
        self._mirror.look_at(held, now=now)

    # -- looking ------------------------------------------------------------------------------------------------

    async def cookies(self) -> list[Cookie]:
        """What it holds now."""
        return [from_cdp(cookie) for cookie in await self._raw()]

    async def _raw(self) -> list[Message]:
        answer = await self._connection.send("Storage.getCookies", {"browserContextId": self._context()})
        cookies: list[Message] = answer["cookies"]
        return cookies

    async def look(self) -> None:
        """Look at it now: what has changed goes into the mirror."""
        await self.full.wait()
        cookies = await self._raw()
        if cookies != self._seen:  # mostly it is as it was, and that is told ten times as fast
            if self._given:
                self._mirror.start_from(map(from_cdp, self._given))
                self._given = []
            self._mirror.look_at([from_cdp(cookie) for cookie in cookies], now=time.time())
            self._seen = cookies

    def look_soon(self) -> None:
        """A page has gone somewhere, which mostly changes the jar."""
        self._look_now.set()

    async def watch(self) -> None:
        """Look at it now and then, as long as the browser lives."""
        with contextlib.suppress(BrowserError):
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY):
                        await self._look_now.wait()
                    await asyncio.sleep(LOOK_AFTER)
                self._look_now.clear()
                await self.look()
