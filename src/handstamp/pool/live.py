"""A session that is open in a browser context of the pool."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import weakref
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING

from handstamp._signed_in import engine
from handstamp.async_api import opened
from handstamp.browser import LiveContext
from handstamp.errors import BrowserGone, HandstampError
from handstamp.operations.waiting_pages import close_quietly
from handstamp.pool.leftovers import Leftovers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.async_api import BrowserContext, Page

    from handstamp._signed_in import Opening, Order
    from handstamp.browser import Chromium
    from handstamp.sites import Site
    from handstamp.state import Session
    from handstamp.vault import Lease, Served

_log = logging.getLogger(__name__)
_CLOSE_SECONDS = 20.0  # what a context may take to be saved and closed; then its browser is asked whether it hangs
_CLOSE_LONGEST = 100.0  # what it may take besides when it does not: the vault may be busy
_ANSWER_SECONDS = 10.0  # in which a browser that does not hang says something
_TIDY_SECONDS, _PAUSE = 5.0, 0.05  # in which pages are closed, and until those that are left are closed as well
_LAST_SECONDS = 5.0  # for what is done in a window to end, once its browser has


class LiveSession:
    """A session in its window. Used by one caller at a time.

    Attributes:
        session: its facts, as they were when it was opened or checked last.
        site: that it was opened for.
        context: Playwright's, async, on the loop of the pool.
        pages: that stay open between two uses, by whatever name their users gave them.
        checked_at: when it was last known to be valid, by the loop's clock.
        unanswered_at: when its site was last asked and did not say, by the same clock.
        unwanted: to be closed as soon as nobody uses it.
        served: what servers know of it; None while it is being taken on, and when it has ended for them.
    """

    def __init__(self, site: Site, context: BrowserContext, opening: Opening, stack: AsyncExitStack) -> None:
        self.site = site
        self.context = context
        self.session: Session
        self.pages: dict[str, Page] = {}
        self.checked_at = asyncio.get_running_loop().time()
        self.unanswered_at = float("-inf")
        self.unwanted = False
        self.served: Served | None = None
        self._opening = opening
        self._stack = stack
        self._leftovers = Leftovers(context)
        self._dead = False
        self._limits: weakref.WeakSet[asyncio.Timeout] = weakref.WeakSet()

    @classmethod
    async def open(cls, site: Site, order: Order, *, died: Callable[[], None]) -> LiveSession:
        """Open it: lease and state; see `signed_in`. Whoever orders has made sure of the login.

        Args:
            site: of the order.
            order: what is to be opened.
            died: called when the browser or its context ends by itself.
        """
        stack = AsyncExitStack()
        context, opening = await stack.enter_async_context(opened(order))

        def closed(_: BrowserContext) -> None:
            if not live._dead:
                live._dead = True
                live._hurry()
                died()

        context.on("close", closed)
        live = cls(site, context, opening, stack)
        return live

    @property
    def dead(self) -> bool:
        """Whether it is of no more use: its browser or context has ended, or somebody has taken its profile, so that nothing is saved."""
        live = self._opening.live
        return self._dead or self._opening.lost is not None or (isinstance(live, LiveContext) and live.gone.is_set())

    @property
    def lease(self) -> Lease | None:
        """Under which it is open."""
        return self._opening.lease

    @property
    def chromium(self) -> Chromium:
        """The browser that it is in."""
        return self._opening.chromium

    async def answers(self) -> bool:
        """Whether its browser is there, asked of it: of one that has just ended Playwright hears a moment later. Takes a fraction of a millisecond."""
        return not self.dead and await engine().call(self.chromium.answers(_ANSWER_SECONDS))

    def fence(self, refuses: Callable[[str], bool] | None) -> None:
        """Keep pages from now on from going where `refuses` says so of the URL, see `LiveContext`; None lets them go everywhere again."""
        if isinstance(self._opening.live, LiveContext):
            self._opening.live.refuses = refuses

    @contextmanager
    def unfenced(self) -> Iterator[None]:
        """Pages may go everywhere within the block, in which the site's own package drives them."""
        live = self._opening.live
        before = live.refuses if isinstance(live, LiveContext) else None
        self.fence(None)
        try:
            yield
        finally:
            self.fence(before)

    def limit(self, seconds: float) -> asyncio.Timeout:
        """To be entered: what is done under it is cut off after so many seconds, and soon once the browser or its context has ended."""
        limit = asyncio.timeout(min(seconds, _LAST_SECONDS) if self._dead else seconds)
        self._limits.add(limit)
        return limit

    def _hurry(self) -> None:
        """Whatever waits for something in this window waits in vain."""
        soon = asyncio.get_running_loop().time() + _LAST_SECONDS
        for limit in list(self._limits):
            with contextlib.suppress(RuntimeError):  # it is not used yet, or any more
                limit.reschedule(min(soon, limit.when() or soon))

    async def tidy(self) -> None:
        """Close the pages that its last user has left, but those in `pages`, and take back what it set: the next one must not meet it.

        What cannot be taken back goes with the context, as soon as no page in `pages` is needed any more.
        """
        if not (await self._close_pages() and await self._leftovers.clear()) and all(page.is_closed() for page in self.pages.values()):
            self.unwanted = True

    async def _close_pages(self) -> bool:
        """Close all pages but those that stay, also those that were opened meanwhile; whether that has come to its end."""
        until = asyncio.get_running_loop().time() + _TIDY_SECONDS
        while not self.dead and asyncio.get_running_loop().time() < until:
            left = [page for page in self.context.pages if page not in self.pages.values()]
            await asyncio.gather(*(close_quietly(page) for page in left))
            if await self._hidden_pages() <= 0:
                return True
            await asyncio.sleep(_PAUSE)
        return False

    async def _hidden_pages(self) -> int:
        """How many pages there are besides those that stay: Playwright shows a new page a moment later."""
        live = self._opening.live
        there = await engine().call(live.pages()) if isinstance(live, LiveContext) else len(self.context.pages)
        return there - sum(not page.is_closed() for page in self.pages.values())

    async def close(self) -> None:
        """Save it and let go of window and lease. What could not be saved is logged: its session is in the vault as it was before.

        A browser that hangs is ended: all sessions in it are revived from the vault on their next use.
        """
        closing = asyncio.ensure_future(self._close())
        await asyncio.wait([closing], timeout=_CLOSE_SECONDS)
        if not closing.done() and await engine().call(self.chromium.answers(_ANSWER_SECONDS)):
            await asyncio.wait([closing], timeout=_CLOSE_LONGEST)  # others use this browser
        if not closing.done():
            _log.warning("%s, profile '%s': its window does not close, and its browser is ended", self.site.name, self._opening.order.profile)
            self.chromium.kill()
            await asyncio.wait([closing], timeout=_CLOSE_SECONDS)

    async def _close(self) -> None:
        ended, self._dead = self._dead, True
        self._hurry()
        try:
            await self._stack.aclose()
        except BrowserGone:
            if not ended:
                _log.warning("%s, profile '%s': its browser had ended", self.site.name, self._opening.order.profile)
        except HandstampError as error:
            _log.warning("%s, profile '%s': %s", self.site.name, self._opening.order.profile, error)
