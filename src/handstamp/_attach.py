"""What both APIs' `attach` and `signed_in(browser=…)` do where the caller is: find the way in, restore, save, let go.

One flow serves both APIs (see `handstamp.browser.either`): a `Caller` says how its API runs what is the engine's.
"""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from handstamp._signed_in import Opening, Order, begun, engine
from handstamp._target import Kind, Target, checked_api, target_of
from handstamp.browser import EagerContext, EagerDriver, ForeignBrowser, Way, context_id, now, way_into
from handstamp.browser.playwright_errors import broken, refused
from handstamp.errors import BrowserGone, ConfigError, HandstampError
from handstamp.state import Device

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from handstamp.browser import LiveContext
    from handstamp.state import Loss
    from handstamp.vault.model import JSON

_EVENT = "attached"  # of the event log; its data says which browser, and until which stamp that browser knows the profile

# Contexts that no engine reaches have no identity that other processes could know: profile -> until when this one kept them.
_held_eagerly: weakref.WeakKeyDictionary[Any, dict[str, int]] = weakref.WeakKeyDictionary()


class Caller(Protocol):
    """How an API runs things: each method gives a result, or an awaitable of it.

    Attributes:
        waits: whether Playwright's objects of this API are awaited.
    """

    waits: bool

    def on_engine(self, work: Coroutine[Any, Any, Any]) -> Any:
        """What a coroutine on the engine's loop comes to."""

    def blocking(self, call: Callable[[], None]) -> Any:
        """Run a blocking call, one at a time."""

    def playwright_at(self, url: str) -> Any:
        """Begin a Playwright of ours beside the browser at a URL: its `Browser`, and what ends it."""


@dataclass
class Visit:
    """A session in a browser that somebody else started, from coming to leaving.

    Args:
        caller: how its API runs things.
        order: whose session, and which browser.
        target: the same browser, told by its kind.

    Attributes:
        context: the Playwright context that holds the session.
        driver: the Selenium driver that does.
    """

    caller: Caller
    order: Order
    target: Target
    context: Any = field(default=None, repr=False)
    driver: Any = field(default=None, repr=False)
    _opening: Opening | None = None
    _browser: ForeignBrowser | None = None
    _way: Way | None = None
    _eager: EagerContext | EagerDriver | None = None
    _live: LiveContext | EagerContext | EagerDriver | None = None
    _end_playwright: Callable[[], Any] | None = None
    _made: bool = False

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What could not be brought into the browser."""
        return tuple(self._live.losses) if self._live is not None else ()

    # -- coming -------------------------------------------------------------------------------------------------

    async def attach(self) -> None:
        """Bring the session into the context that is there."""
        async with self._undone_on_error():
            await self._hold()
            if self.target.kind is Kind.DRIVER:
                await self._attach_to_driver(self.target.thing)
            elif self.target.kind is Kind.ENDPOINT:
                await self._attach_to_endpoint(self.target.thing)
            else:
                await self._attach_to_playwright()

    async def _attach_to_endpoint(self, url: str) -> None:
        self._browser = await now(self.caller.on_engine(ForeignBrowser.connect(url, engine().clock)))
        browser = await self._playwright_beside(url)
        await self._restore_beside(self._browser, self._browser.identity)
        self.context = browser.contexts[0]

    async def _attach_to_driver(self, driver: Any) -> None:
        self.driver = driver
        if url := debugging_url(driver.capabilities):
            self._browser = await now(self.caller.on_engine(ForeignBrowser.connect(url, engine().clock)))
            await self._restore_beside(self._browser, self._browser.identity)
            return
        opening = await self._make_ready()
        self._live = opening.live = self._eager = eager = EagerDriver(driver, opening.state, engine().clock, opening.save)
        await now(self.caller.blocking(lambda: eager.restore(opening.start_url)))

    async def _attach_to_playwright(self) -> None:
        if self.target.kind is Kind.BROWSER:
            self.context = await only_context(self.target.thing)
        else:
            self.context = self.target.thing
        await self._restore_into(self.context, self.context.browser, look_first=True)

    async def sign_in(self) -> None:
        """Make a context of its own for the session."""
        async with self._undone_on_error():
            await self._hold()
            opening = await self._make_ready()
            if self.target.kind is Kind.ENDPOINT:
                self._browser = await now(self.caller.on_engine(ForeignBrowser.connect(self.target.thing, engine().clock)))
                browser = await self._playwright_beside(self.target.thing)
            else:
                browser = self.target.thing
                if not browser.is_connected():
                    raise BrowserGone("the browser that was given has ended; give one that runs")
                await self._find_way(browser)
            nature = self._browser.nature if self._browser is not None else Device()
            try:
                self.context = await now(browser.new_context(**opening.context_options(nature)))
            except Exception as error:
                raise refused(error) from error
            self._made = True
            await self._restore_into(self.context, None, look_first=False)

    # -- restoring ----------------------------------------------------------------------------------------------

    async def _hold(self) -> None:
        self._opening = await now(self.caller.on_engine(begun(self.order)))
        await now(self.caller.on_engine(self._opening.hold()))

    async def _make_ready(self) -> Opening:
        opening = self._held()
        await now(self.caller.on_engine(opening.make_ready()))
        return opening

    def _held(self) -> Opening:
        if self._opening is None:
            raise RuntimeError("the visit has not begun")
        return self._opening

    async def _playwright_beside(self, url: str) -> Any:
        browser, self._end_playwright = await now(self.caller.playwright_at(url))
        return browser

    async def _find_way(self, browser: Any) -> None:
        if browser is not None and browser.browser_type.name == "chromium":
            self._way = await way_into(browser, self.caller.on_engine, engine().clock)
            self._browser = self._way.browser if self._way is not None else None

    async def _restore_into(self, context: Any, browser: Any, *, look_first: bool) -> None:
        """By the engine if there is a way in, else eagerly.

        Args:
            context: of Playwright.
            browser: its browser, to find the way in; None when that has been done.
            look_first: whether the context may hold a session that the vault does not know.
        """
        await self._find_way(browser)
        if self._browser is not None:
            identity = await context_id(context, self._browser, self.caller.on_engine)
            await self._restore_beside(self._browser, identity, look_first=look_first)
            return
        if look_first and self.order.site is not None:
            await now(self.caller.on_engine(self._held().load()))
            await self._eagerly(context).learn()
        if look_first:
            await self._make_ready()
        self._live = self._held().live = self._eager = eager = self._eagerly(context)
        try:
            await eager.restore()
        except Exception as error:
            if isinstance(error, (TypeError, HandstampError)):
                raise
            raise broken(error) from error

    def _eagerly(self, context: Any) -> EagerContext:
        opening = self._held()
        since = _held_eagerly.get(context, {}).get(self.order.profile)
        return EagerContext(context, opening.state, engine().clock, opening.save, self.caller.blocking, waits=self.caller.waits, since=since)

    async def _restore_beside(self, browser: ForeignBrowser, context: str, *, look_first: bool = True) -> None:
        opening = self._held()
        self._live = opening.live = await now(self.caller.on_engine(_restored(opening, browser, context, look_first=look_first)))

    # -- being there, and leaving -------------------------------------------------------------------------------

    async def save(self) -> None:
        """Look at the browser now, and save what has changed."""
        if isinstance(self._eager, EagerContext):
            await self._eager.look()
        elif isinstance(self._eager, EagerDriver):
            await now(self.caller.blocking(self._eager.restore))
        elif self._browser is not None and self._browser.live is not None:
            await now(self.caller.on_engine(self._browser.live.finish()))

    async def leave(self) -> None:
        """Save, and let go. What is the caller's stays open; a context that was made here is closed.

        Raises:
            LeaseLost, Conflict: see `Opening.close`.
        """
        try:
            await self._finish()
        finally:
            opening, self._opening = self._opening, None
            if opening is not None:
                await now(self.caller.on_engine(opening.close()))

    async def _finish(self) -> None:
        if isinstance(self._eager, EagerContext):
            await self._eager.finish()
            _held_eagerly.setdefault(self.context, {})[self.order.profile] = engine().clock.stamp().time
        elif isinstance(self._eager, EagerDriver):
            await now(self.caller.blocking(self._eager.look))
        elif self._browser is not None and self._browser.live is not None:
            await now(self.caller.on_engine(self._browser.live.end()))  # before its context goes, and the jar with it
        if self._made:
            with contextlib.suppress(Exception):  # the caller may have closed it, or the browser
                await now(self.context.close())
        end, self._end_playwright = self._end_playwright, None
        if end is not None:
            await now(end())
        if self._browser is not None:
            await now(self.caller.on_engine(_left(self._opening, self._browser)))
        if self._way is not None:
            await self._way.close()

    @contextlib.asynccontextmanager
    async def _undone_on_error(self) -> Any:
        try:
            yield
        except BaseException:
            with contextlib.suppress(HandstampError):
                await self.leave()
            raise


async def only_context(browser: Any) -> Any:
    """The one context of a Playwright `Browser` of either API; made if there is none.

    Raises:
        BrowserGone: the browser has ended.
        ConfigError: it has several.
    """
    if not browser.is_connected():
        raise BrowserGone("the browser that was given has ended; give one that runs")
    if len(browser.contexts) > 1:
        raise ConfigError(f"this browser has {len(browser.contexts)} contexts; give the BrowserContext that is meant")
    return browser.contexts[0] if browser.contexts else await now(browser.new_context())


def visit(caller: Caller, target: object, order: Order) -> Visit:
    """A visit to a browser that somebody else started, checked as far as that can be told without it.

    Raises:
        ConfigError: it is no browser, or one of the other API.
    """
    return Visit(caller, order, checked_api(target_of(target), waits=caller.waits))


def debugging_url(capabilities: dict[str, Any]) -> str | None:
    """Where the browser of a Selenium driver listens; None when it does not (Firefox, Safari)."""
    if grid := capabilities.get("se:cdp"):
        return str(grid)
    for options in ("goog:chromeOptions", "ms:edgeOptions"):
        if address := capabilities.get(options, {}).get("debuggerAddress"):
            return f"http://{address}"
    return None


# -- on the engine's loop ---------------------------------------------------------------------------------------


async def _restored(opening: Opening, browser: ForeignBrowser, context: str, *, look_first: bool) -> LiveContext:
    """Restore into a context, after the vault has learned what the browser knows better."""
    since = await asyncio.to_thread(_last_held, opening, browser.identity)
    if look_first:
        state = await asyncio.to_thread(opening.vault.load, opening.order.profile)
        if changes := await browser.look(context, state, since=since):
            await asyncio.to_thread(lambda: opening.vault.save(opening.order.profile, changes, lease=opening.lease))
        await opening.make_ready()
    live = await browser.open(context, opening.state, opening.save, since=since)
    await asyncio.to_thread(_note_held, opening, browser.identity)
    return live


async def _left(opening: Opening | None, browser: ForeignBrowser) -> None:
    held = browser.live is not None and browser.alive
    await browser.close()
    if opening is not None and held:
        await asyncio.to_thread(_note_held, opening, browser.identity)


def _last_held(opening: Opening, identity: str) -> int | None:
    """Until which stamp this browser has known the profile; None when it never held it."""
    events = opening.vault.events(profile=opening.order.profile, kind=_EVENT)
    times = [event.data.get("until") for event in events if event.data.get("browser") == identity]
    return next((time for time in times if isinstance(time, int)), None)


def _note_held(opening: Opening, identity: str) -> None:
    data: dict[str, JSON] = {"browser": identity, "until": engine().clock.stamp().time}
    opening.vault.record_event(_EVENT, profile=opening.order.profile, site=opening.order.site, data=data)
