"""Playwright beside the engine: contexts that Playwright drives and the engine fills, mirrors and saves.

Playwright's objects belong to the loop or thread that made them, so there is one `AsyncDrivers` for each event loop and one
`SyncDrivers` for each thread. Both start Playwright with the first context, share its connection to each browser, and stop it
with the last: a sync Playwright that goes on would leave an event loop running in the caller's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import re
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from handstamp.browser.relay import Expected
from handstamp.errors import BrowserError, BrowserGone, BrowserTimeout, ConfigError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from playwright import async_api, sync_api

    from handstamp.browser.chromium import Chromium
    from handstamp.browser.engine import Engine
    from handstamp.browser.live import LiveContext
    from handstamp.browser.relay import Driver
    from handstamp.state import StorageState

    Save = Callable[[StorageState], None]

B = TypeVar("B")
T = TypeVar("T")

CONNECT_SECONDS = 30.0
"""For a browser to let Playwright in; one that hangs never does."""

_WAY_IN = re.compile(r"wss?://\S+")
_STRAY = "Cannot find command to respond"


@dataclass
class _Connected(Generic[B]):
    """Playwright's connection to one browser, and who uses it.

    Attributes:
        making: held by who makes a context: the relay gives the next new context of this driver to what is expected.
        spoiled: whether an opening by it was broken off, so that it serves no other.
    """

    browser: B
    driver: Driver
    users: int = 0
    making: asyncio.Lock = field(default_factory=asyncio.Lock)
    spoiled: bool = False


class _Openings(Generic[B]):
    """The connections of one loop or thread that serve new openings.

    Args:
        engine: runs the browsers.

    Attributes:
        connected: one for each browser.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.connected: dict[Chromium, _Connected[B]] = {}

    def of(self, chromium: Chromium) -> _Connected[B] | None:
        """The one to this browser, if there is one."""
        return self.connected.get(chromium)

    def drop(self, chromium: Chromium, connected: _Connected[B]) -> None:
        """It serves no opening any more."""
        connected.spoiled = True
        if self.connected.get(chromium) is connected:
            del self.connected[chromium]

    @contextmanager
    def one(self, chromium: Chromium, connected: _Connected[B]) -> Iterator[Expected]:
        """The making of one context. If it is broken off, what was expected is withdrawn, and the connection spoiled for others.

        Playwright may have asked for the context by then, or be about to: what it gets must be nobody else's, with the state of
        whoever comes next. The contexts that the connection has go on.
        """
        expected = Expected()
        try:
            yield expected
        except BaseException as error:
            self.drop(chromium, connected)
            self._engine.soon(partial(chromium.withdraw, connected.driver, expected))
            if isinstance(error, Exception) and (refusal := refused(error)) is not error:
                raise refusal from error
            raise


class AsyncDrivers:
    """Contexts for one event loop.

    Args:
        engine: runs the browsers.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._playwright: async_api.Playwright | None = None
        self._openings: _Openings[async_api.Browser] = _Openings(engine)
        self._users = 0
        self._lock = asyncio.Lock()

    def belongs_to(self, engine: Engine) -> bool:
        """Whether it serves this engine (there is a new one after a fork)."""
        return self._engine is engine

    @asynccontextmanager
    async def context(
        self, chromium: Chromium, state: StorageState, save: Save | None, options: Mapping[str, Any]
    ) -> AsyncIterator[tuple[async_api.BrowserContext, LiveContext]]:
        """A Playwright context that holds `state`; closed and saved at the end.

        Args:
            chromium: where.
            state: what to restore.
            save: see `LiveContext`.
            options: of Playwright's `Browser.new_context`.

        Raises:
            ConfigError: Playwright refuses the options.
            BrowserGone: the browser has ended.
            BrowserTimeout: it hangs.
        """
        connected, context, live = await self._open(chromium, state, save, options)
        try:
            yield context, live
        finally:
            self._engine.check()
            try:
                await self._close(context, live)
            finally:
                await self._leave(chromium, connected)

    @asynccontextmanager
    async def ready(self, chromium: Chromium) -> AsyncIterator[None]:
        """Within the block Playwright runs and is connected to this browser, so that a context costs no start."""
        connected = await self._enter(chromium)
        try:
            yield
        finally:
            await self._leave(chromium, connected)

    @asynccontextmanager
    async def connected(self, url: str) -> AsyncIterator[async_api.Browser]:
        """Playwright beside whoever drives a browser that has a port; at the end it lets go, and the browser goes on.

        Args:
            url: where the browser listens. Its default context keeps its settings, where this Playwright can leave them alone.
        """
        self._users += 1
        browser = None
        try:
            async with self._lock:
                playwright = await self._started()
            connect = playwright.chromium.connect_over_cdp
            with _reaching():
                browser = await connect(url, timeout=CONNECT_SECONDS * 1000, **_as_far_as_known(connect, no_defaults=True))
            yield browser
        finally:
            async with self._lock:
                if browser is not None:
                    with contextlib.suppress(*_playwright_errors()):
                        await browser.close()
                self._users -= 1
                await self._stop_if_unused()

    async def _open(
        self, chromium: Chromium, state: StorageState, save: Save | None, options: Mapping[str, Any]
    ) -> tuple[_Connected[async_api.Browser], async_api.BrowserContext, LiveContext]:
        while True:
            connected = await self._enter(chromium)
            try:
                async with connected.making:
                    if not connected.spoiled:
                        with self._openings.one(chromium, connected) as expected:
                            live = await self._engine.call(_expect(chromium, connected.driver, expected, state, save))
                            return connected, await connected.browser.new_context(**options), live
            except BaseException:
                await self._leave(chromium, connected)
                raise
            await self._leave(chromium, connected)  # it was spoiled while we waited for our turn

    async def _close(self, context: async_api.BrowserContext, live: LiveContext) -> None:
        try:
            await self._engine.call(live.save())  # first of all: a driver that hangs must not keep us from it
        finally:
            try:
                with contextlib.suppress(*_playwright_errors()):
                    await context.close()
            finally:
                await self._engine.call(live.end())

    async def _enter(self, chromium: Chromium) -> _Connected[async_api.Browser]:
        async with self._lock:
            self._users += 1
            try:
                connected = self._openings.of(chromium)
                if connected is None:
                    playwright = await self._started()
                    driver, url = await self._engine.call(_way_in(chromium))
                    connected = self._openings.connected[chromium] = _Connected(await self._connect(playwright, url), driver)
            except BaseException:
                self._users -= 1
                await self._stop_if_unused()
                raise
            connected.users += 1
            return connected

    async def _connect(self, playwright: async_api.Playwright, url: str) -> async_api.Browser:
        connect = playwright.chromium.connect_over_cdp
        with _reaching():
            return await connect(url, timeout=CONNECT_SECONDS * 1000, **_as_far_as_known(connect, is_local=True))

    async def _leave(self, chromium: Chromium, connected: _Connected[async_api.Browser]) -> None:
        async with self._lock:
            connected.users -= 1
            self._users -= 1
            if connected.users == 0:
                self._openings.drop(chromium, connected)
                with contextlib.suppress(*_playwright_errors()):
                    await connected.browser.close()
            await self._stop_if_unused()

    async def _started(self) -> async_api.Playwright:
        if self._playwright is None:
            from playwright.async_api import async_playwright  # noqa: PLC0415  (a tenth of a second)

            self._playwright = await async_playwright().start()
        return self._playwright

    async def _stop_if_unused(self) -> None:
        if self._users == 0 and self._playwright is not None:
            playwright, self._playwright = self._playwright, None
            await playwright.stop()


class SyncDrivers:
    """The same for one thread.

    Args:
        engine: runs the browsers.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._playwright: sync_api.Playwright | None = None
        self._openings: _Openings[sync_api.Browser] = _Openings(engine)
        self._users = 0

    @property
    def running(self) -> bool:
        """Whether a Playwright of ours runs in this thread now."""
        return self._playwright is not None

    def belongs_to(self, engine: Engine) -> bool:
        """Whether it serves this engine (there is a new one after a fork)."""
        return self._engine is engine

    @contextmanager
    def context(
        self, chromium: Chromium, state: StorageState, save: Save | None, options: Mapping[str, Any]
    ) -> Iterator[tuple[sync_api.BrowserContext, LiveContext]]:
        """See `AsyncDrivers.context`."""
        connected, context, live = self._open(chromium, state, save, options)
        try:
            yield context, live
        finally:
            self._engine.check()
            try:
                self._close(context, live)
            finally:
                self._leave(chromium, connected)

    def _open(
        self, chromium: Chromium, state: StorageState, save: Save | None, options: Mapping[str, Any]
    ) -> tuple[_Connected[sync_api.Browser], sync_api.BrowserContext, LiveContext]:
        connected = self._enter(chromium)
        try:
            with self._openings.one(chromium, connected) as expected:
                live = self._engine.run(_expect(chromium, connected.driver, expected, state, save))
                return connected, _past_a_stray_answer(partial(connected.browser.new_context, **options)), live
        except BaseException:
            self._leave(chromium, connected)
            raise

    def _close(self, context: sync_api.BrowserContext, live: LiveContext) -> None:
        try:
            self._engine.run(live.save())
        finally:
            try:
                with contextlib.suppress(*_playwright_errors()):
                    context.close()
            finally:
                self._engine.run(live.end())

    @contextmanager
    def connected(self, url: str) -> Iterator[sync_api.Browser]:
        """See `AsyncDrivers.connected`."""
        self._users += 1
        browser = None
        try:
            connect = self._started().chromium.connect_over_cdp
            with _reaching():
                browser = connect(url, timeout=CONNECT_SECONDS * 1000, **_as_far_as_known(connect, no_defaults=True))
            yield browser
        finally:
            if browser is not None:
                with contextlib.suppress(*_playwright_errors()):
                    browser.close()
            self._users -= 1
            self._stop_if_unused()

    def _enter(self, chromium: Chromium) -> _Connected[sync_api.Browser]:
        self._users += 1
        try:
            connected = self._openings.of(chromium)
            if connected is None:
                playwright = self._started()
                driver, url = self._engine.run(_way_in(chromium))
                connected = self._openings.connected[chromium] = _Connected(self._connect(playwright, url), driver)
        except BaseException:
            self._users -= 1
            self._stop_if_unused()
            raise
        connected.users += 1
        return connected

    def _connect(self, playwright: sync_api.Playwright, url: str) -> sync_api.Browser:
        connect = playwright.chromium.connect_over_cdp
        with _reaching():
            known = _as_far_as_known(connect, is_local=True)
            return _past_a_stray_answer(partial(connect, url, timeout=CONNECT_SECONDS * 1000, **known))

    def _leave(self, chromium: Chromium, connected: _Connected[sync_api.Browser]) -> None:
        connected.users -= 1
        self._users -= 1
        if connected.users == 0:
            self._openings.drop(chromium, connected)
            with contextlib.suppress(*_playwright_errors()):
                connected.browser.close()
        self._stop_if_unused()

    def _started(self) -> sync_api.Playwright:
        if self._playwright is None:
            from playwright.sync_api import sync_playwright  # noqa: PLC0415  (a tenth of a second)

            self._playwright = sync_playwright().start()
        return self._playwright

    def _stop_if_unused(self) -> None:
        if self._users == 0 and self._playwright is not None:
            playwright, self._playwright = self._playwright, None
            playwright.stop()


async def _way_in(chromium: Chromium) -> tuple[Driver, str]:
    return chromium.driver()


async def _expect(chromium: Chromium, driver: Driver, expected: Expected, state: StorageState, save: Save | None) -> LiveContext:
    return chromium.expect(driver, expected, state, save)


def _as_far_as_known(connect: Callable[..., Any], **options: bool) -> dict[str, Any]:
    """Those options of `connect_over_cdp` that this Playwright has learned.

    ``no_defaults``: leave a person's browser as it is (its downloads, colours, focus). ``is_local``: the browser is on this machine,
    so that it reads files to upload by itself; else Playwright sends them to it as text, which takes half a minute for 20 MB.
    """
    known = inspect.signature(connect).parameters
    return {name: value for name, value in options.items() if name in known}


def _playwright_errors() -> tuple[type[Exception], ...]:
    from playwright.async_api import Error  # noqa: PLC0415  (a tenth of a second; both APIs raise the same class)

    return (Error,)


def _past_a_stray_answer(call: Callable[[], T]) -> T:
    """What the call gives; made once more if it only told of the answer to another, which Ctrl-C had cut off while it was sent.

    Playwright does not know the other call then, and says so in the next one, whichever that is, before it sends it.
    """
    try:
        return call()
    except _playwright_errors() as error:
        if _STRAY not in str(error):
            raise
        return call()


@contextmanager
def _reaching() -> Iterator[None]:
    """On the way to a browser Playwright's errors are ours; theirs are dropped, since their log repeats the URL."""
    try:
        yield
    except _playwright_errors() as error:
        raise broken(error) from None


def refused(error: Exception) -> Exception:
    """What Playwright says when it opens no context, with the way out where we know it."""
    if isinstance(error, TypeError):
        return ConfigError(f"Playwright does not take these context_options: {error}")
    if not isinstance(error, _playwright_errors()):
        return error
    if "ffmpeg" in str(error).lower():
        return ConfigError("recording video needs Playwright's ffmpeg: run `playwright install ffmpeg`, or use tracing, which needs nothing")
    if _ended(error) or type(error).__name__ == "TimeoutError":
        return broken(error)
    return ConfigError(f"Playwright does not take these context_options: {_said(error)}")


def broken(error: Exception) -> Exception:
    """What Playwright says when it cannot reach a browser or context any more."""
    if not isinstance(error, _playwright_errors()):
        return error
    if type(error).__name__ == "TimeoutError":
        return BrowserTimeout("the browser did not answer Playwright in time; it may hang: end it, and open the session again")
    if _ended(error):
        return BrowserGone("the browser ended while a context was opened; the session is in the vault, open it again")
    return BrowserError(f"Playwright could not open a context: {_said(error)}")


def _ended(error: Exception) -> bool:
    return any(words in str(error) for words in ("closed", "the browser is gone"))


def _said(error: Exception) -> str:
    """Its first line, without the URL that lets anybody in; what follows is a log of calls."""
    return _WAY_IN.sub("the browser's URL", str(error).partition("\n")[0])
