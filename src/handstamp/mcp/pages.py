"""Open pages, by handle. A handle outlives its window: when the session was hibernated in between, the page is opened again where it was."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from handstamp.errors import BrowserTimeout, Forbidden, OperationFailed, SessionNotFound
from handstamp.mcp.fence import Fence
from handstamp.mcp.permissions import leads_out
from handstamp.sites.playwright_errors import failure_of, is_timeout, page_error, raise_if_gone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from playwright.async_api import Page

    from handstamp.mcp.settings import McpSettings
    from handstamp.pool import LiveSession, Pool
    from handstamp.sites import Site

MOST = 20
"""Pages of one caller."""
_GOTO_SECONDS = 25.0
_SETTLE_SECONDS = 5.0
_BEGIN_SECONDS = 0.3  # until it shows that an action opens a window, or leads elsewhere


@dataclass
class Handle:
    """A page that somebody has opened.

    Args:
        id: unguessable.
        owner: whose it is.
        session_id: of its session.
        site: of the session.
        profile: of the session.
        url: where it was last within its site.
        popups: pages that it has opened, and that have no handle yet.
    """

    id: str
    owner: str
    session_id: str
    site: Site
    profile: str
    url: str = field(repr=False)
    popups: list[Page] = field(default_factory=list, repr=False)

    @property
    def key(self) -> str:
        """Its name among the pages of a live session."""
        return f"mcp-{self.id}"


@dataclass
class Visit:
    """A page while one call uses it.

    Args:
        handle: of it.
        live: its session.
        page: Playwright's.
        fence: around all pages of the session.
        reopened: it had gone, and was opened again at its last address.
        opened: handles of pages that it has opened since the last call.
    """

    handle: Handle
    live: LiveSession
    page: Page
    fence: Fence
    reopened: bool
    opened: list[str] = field(default_factory=list)


class Pages:
    """The open pages of one process.

    Args:
        pool: with their sessions.
        settings: where they may be.
    """

    def __init__(self, pool: Pool, settings: McpSettings) -> None:
        self._pool = pool
        self._settings = settings
        self._handles: dict[str, Handle] = {}
        self._fences: WeakKeyDictionary[LiveSession, Fence] = WeakKeyDictionary()
        self._stopping: set[asyncio.Task[None]] = set()

    def of(self, owner: str) -> list[Handle]:
        """The pages of a caller."""
        return [handle for handle in self._handles.values() if handle.owner == owner]

    def find(self, handle_id: str, owner: str) -> Handle:
        """A caller's page.

        Raises:
            SessionNotFound: they have none of this id.
        """
        handle = self._handles.get(handle_id)
        if handle is None or handle.owner != owner:
            raise SessionNotFound("you have no page of this handle; open_page gives one")
        return handle

    def add(self, owner: str, session_id: str, site: Site, profile: str, url: str) -> Handle:
        """A handle for a page that is about to be opened.

        Raises:
            Forbidden: the caller has too many, or the page may not be there.
        """
        if len(self.of(owner)) >= MOST:
            raise Forbidden(f"you have {MOST} pages open; close some with close_page")
        self.check_place(site, url)
        handle = Handle(secrets.token_hex(6), owner, session_id, site, profile, url)
        self._handles[handle.id] = handle
        return handle

    def forget(self, handle: Handle) -> None:
        """There is no such page any more."""
        self._handles.pop(handle.id, None)

    def check_place(self, site: Site, url: str) -> None:
        """Refuse an address.

        Raises:
            Forbidden: pages of this session may not be there.
        """
        if leads_out(self._settings, site, url):
            raise Forbidden(f"that address is none of {site.name}, where pages of this session stay; its pages are below {site.base_url}")

    @contextlib.asynccontextmanager
    async def visit(self, handle: Handle) -> AsyncIterator[Visit]:
        """The page, its session live and nobody else's within the block.

        Raises:
            BrowserGone: it ended in the middle.
            LoginRequired, PoolFull, …: see `Pool.use`.
        """
        async with self._pool.use(handle.session_id) as live:
            visit = await self._entered(handle, live)
            try:
                with told(visit.page):
                    yield visit
            finally:
                if not visit.page.is_closed() and not leads_out(self._settings, handle.site, visit.page.url):
                    handle.url = visit.page.url  # never one at which it could not be opened again

    async def close(self, handle: Handle) -> None:
        """Close a page; of a session that is hibernated there is none."""
        self.forget(handle)
        live_now = {one.session_id for one in await self._pool.listed() if one.state == "live"}
        if handle.session_id in live_now:
            async with self._pool.use(handle.session_id) as live:
                page = live.pages.pop(handle.key, None)
                if page is not None:
                    with told(page):
                        await page.close()

    async def settle(self, visit: Visit) -> None:
        """Let the page get where an action leads it, and give handles to pages that it has opened."""
        await asyncio.sleep(_BEGIN_SECONDS)
        with contextlib.suppress(page_error()):  # it goes on loading for ever, as some do
            await visit.page.wait_for_load_state("load", timeout=_SETTLE_SECONDS * 1000)
        await self._keep_popups(visit)

    async def goto(self, page: Page, url: str, fence: Fence) -> None:
        """Lead a page to an address.

        Raises:
            BrowserGone: the browser has ended.
            Forbidden: it leads out of the site.
            OperationFailed: nothing came from there.
        """
        try:
            await page.goto(url, wait_until="domcontentloaded", timeout=_GOTO_SECONDS * 1000)
        except page_error() as error:
            raise_if_gone(error, page)
            await _stop_loading(page)
            if "ERR_ABORTED" in str(error) and (places := fence.tried()):  # other errors are not the fence's, though other pages may be at it
                remedy = "if that belongs to the site, whoever runs handstamp names it among the `domains` of its recipe"
                raise Forbidden(f"that address leads on to {', '.join(places)}, outside of the site, where pages do not go; {remedy}") from None
            raise OperationFailed(f"the page did not open ({failure_of(error)[1]})") from None
        except asyncio.CancelledError:
            stopping = asyncio.get_running_loop().create_task(_stop_loading(page))  # who is cancelled waits for nothing more
            self._stopping.add(stopping)
            stopping.add_done_callback(self._stopping.discard)
            raise

    def _fenced(self, handle: Handle, live: LiveSession) -> Fence:
        """The fence around a live session, there before its first page goes anywhere."""
        if live not in self._fences:
            self._fences[live] = Fence(self._settings, handle.site)
            live.fence(self._fences[live].refuses)
        return self._fences[live]

    async def _entered(self, handle: Handle, live: LiveSession) -> Visit:
        fence = self._fenced(handle, live)
        page = live.pages.get(handle.key)
        if page is not None and not page.is_closed():
            return Visit(handle, live, page, fence, reopened=False)
        fresh = await live.context.new_page()
        try:
            with told(fresh):
                await self.goto(fresh, handle.url, fence)
        except BaseException:
            with contextlib.suppress(page_error()):  # the browser is gone, and the page with it
                await fresh.close()
            raise
        self._take(fresh, handle, live)
        return Visit(handle, live, fresh, fence, reopened=True)

    def _take(self, page: Page, handle: Handle, live: LiveSession) -> None:
        """It is this handle's page from now on."""

        def popped_up(popup: Page) -> None:  # Playwright takes no built-in method
            handle.popups.append(popup)

        page.on("popup", popped_up)
        live.pages[handle.key] = page

    async def _keep_popups(self, visit: Visit) -> None:
        """Pages that a page has opened; where there are too many, they are closed."""
        owner = visit.handle
        for popup in owner.popups:
            if popup.is_closed():
                continue
            if len(self.of(owner.owner)) >= MOST:
                await popup.close()
                continue
            url = owner.site.base_url if leads_out(self._settings, owner.site, popup.url) else popup.url
            own = Handle(secrets.token_hex(6), owner.owner, owner.session_id, owner.site, owner.profile, url)
            self._handles[own.id] = own
            self._take(popup, own, visit.live)
            visit.opened.append(own.id)
        owner.popups.clear()


async def _stop_loading(page: Page) -> None:
    """Keep the page where it is. Until a navigation is over, however long that takes, Playwright does nothing else with its page."""
    with contextlib.suppress(page_error(), TimeoutError):  # it is going away
        async with asyncio.timeout(_SETTLE_SECONDS):
            devtools = await page.context.new_cdp_session(page)
            await devtools.send("Page.stopLoading")
            await devtools.detach()


@contextlib.contextmanager
def told(page: Page) -> Iterator[None]:
    """Say what goes wrong at a page in our words; Playwright's own repeat what was typed.

    Raises:
        BrowserGone, BrowserTimeout, OperationFailed: instead.
    """
    try:
        yield
    except TimeoutError:
        raise BrowserTimeout("the page did not answer in time; it may still be loading, or show a dialogue of its own") from None
    except page_error() as error:
        raise_if_gone(error, page)
        if is_timeout(error):
            raise BrowserTimeout("the page did not let that be done in time: something may cover the element, or it is disabled") from None
        raise OperationFailed(f"the page did not let that be done ({type(error).__name__})") from None
