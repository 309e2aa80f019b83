"""Playwright beside the engine: contexts that Playwright drives and the engine fills, mirrors and saves.

Playwright's objects belong to the loop or thread that made them, so there is one `AsyncDrivers` for each event loop and one
`SyncDrivers` for each thread. Both start Playwright with the first context, share its connection to each browser, and stop it
with the last: a sync Playwright that goes on would leave an event loop running in the caller's thread.

Playwright is a process of its own, and may die (crash, out of memory) while browsers go on. Whoever opens a context next
replaces it; the contexts that were open by the old one have ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from handstamp.browser.openings import Connected, Openings, expect, has_died, has_died_sync, letting_go, tell_of_the_end, way_in, way_to
from handstamp.browser.playwright_errors import past_a_stray_answer, reaching

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from playwright import async_api, sync_api

    from handstamp.browser.chromium import Chromium
    from handstamp.browser.engine import Engine
    from handstamp.browser.live import LiveContext
    from handstamp.browser.saving import Save
    from handstamp.state import StorageState

_log = logging.getLogger(__name__)
CONNECT_SECONDS = 30.0
"""For a browser to let Playwright in; one that hangs never does."""
_STOP_SECONDS = 5.0  # for one that has died to be cleared away
_DIED = "Playwright's own process has ended; another is started, and sessions that were open by it are opened again from the vault"


class AsyncDrivers:
    """Contexts for one event loop.

    Args:
        engine: runs the browsers.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._playwright: async_api.Playwright | None = None
        self._openings: Openings[async_api.Browser] = Openings(engine)
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
    async def ready(self, chromium: Chromium) -> AsyncIterator[Callable[[], bool]]:
        """Within the block Playwright runs and is connected to this browser, so that a context costs no start.

        Yields:
            Whether that is still so. If it is not, leave, and enter again.
        """
        connected = await self._enter(chromium)
        try:
            yield lambda: connected.serves
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
            with reaching():
                browser = await way_to(playwright, url, CONNECT_SECONDS, no_defaults=True)()
            yield browser
        finally:
            async with self._lock:
                if browser is not None:
                    with letting_go():
                        await browser.close()
                self._users -= 1
                await self._stop_if_unused()

    async def _open(
        self, chromium: Chromium, state: StorageState, save: Save | None, options: Mapping[str, Any]
    ) -> tuple[Connected[async_api.Browser], async_api.BrowserContext, LiveContext]:
        died = False
        while True:
            connected = await self._enter(chromium)
            made = None
            try:
                made = await self._made(chromium, connected, state, save, options)
            except Exception:
                if died or not await has_died(connected.playwright):
                    raise
                died = True
            finally:
                if made is None:
                    await self._leave(chromium, connected)
            if made is not None:
                return connected, *made

    async def _made(
        self, chromium: Chromium, connected: Connected[async_api.Browser], state: StorageState, save: Save | None, options: Mapping[str, Any]
    ) -> tuple[async_api.BrowserContext, LiveContext] | None:
        """A context by this connection; None when it was spoiled while we waited for our turn."""
        async with connected.making:
            if not connected.serves:
                return None
            with self._openings.one(chromium, connected) as expected:
                live = await self._engine.call(expect(chromium, connected.driver, expected, state, save))
                return await connected.browser.new_context(**options), live

    async def _close(self, context: async_api.BrowserContext, live: LiveContext) -> None:
        try:
            await self._engine.call(live.save())  # first of all: a driver that hangs must not keep us from it
        finally:
            try:
                with letting_go():
                    await context.close()
            finally:
                await self._engine.call(live.end())

    async def _enter(self, chromium: Chromium) -> Connected[async_api.Browser]:
        async with self._lock:
            self._users += 1
            try:
                connected = self._openings.of(chromium) or await self._connected(chromium)
            except BaseException:
                self._users -= 1
                await self._stop_if_unused()
                raise
            connected.users += 1
            return connected

    async def _connected(self, chromium: Chromium) -> Connected[async_api.Browser]:
        playwright = await self._started()
        driver, url = await self._engine.call(way_in(chromium))
        with reaching():
            browser = await way_to(playwright, url, CONNECT_SECONDS, is_local=True)()
        connected = self._openings.connected[chromium] = Connected(browser, driver, playwright)
        connected.watch = asyncio.ensure_future(self._watch(connected))
        return connected

    async def _watch(self, connected: Connected[async_api.Browser]) -> None:
        """When Playwright dies under this connection, whoever waits for something in its pages hears of it."""
        if connected.driver.line is None:
            return
        await self._engine.call(connected.driver.line.gone.wait())
        if await has_died(connected.playwright):
            tell_of_the_end(connected.browser)

    async def _leave(self, chromium: Chromium, connected: Connected[async_api.Browser]) -> None:
        async with self._lock:
            connected.users -= 1
            self._users -= 1
            if connected.users == 0:
                self._openings.drop(chromium, connected)
                if connected.watch is not None:
                    connected.watch.cancel()
                with letting_go():
                    await connected.browser.close()
            await self._stop_if_unused()

    async def _started(self) -> async_api.Playwright:
        if self._playwright is not None and await has_died(self._playwright):
            _log.warning(_DIED)
            dead, self._playwright = self._playwright, None
            with contextlib.suppress(Exception):  # whatever it says or does not say, it is over
                async with asyncio.timeout(_STOP_SECONDS):
                    await dead.stop()
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
        self._openings: Openings[sync_api.Browser] = Openings(engine)
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
    ) -> tuple[Connected[sync_api.Browser], sync_api.BrowserContext, LiveContext]:
        died = False
        while True:
            connected = self._enter(chromium)
            made = None
            try:
                made = self._made(chromium, connected, state, save, options)
            except Exception:
                if died or not has_died_sync(connected.playwright):
                    raise
                died = True
            finally:
                if made is None:
                    self._leave(chromium, connected)
            if made is not None:
                return connected, *made

    def _made(
        self, chromium: Chromium, connected: Connected[sync_api.Browser], state: StorageState, save: Save | None, options: Mapping[str, Any]
    ) -> tuple[sync_api.BrowserContext, LiveContext]:
        with self._openings.one(chromium, connected) as expected:
            live = self._engine.run(expect(chromium, connected.driver, expected, state, save))
            return past_a_stray_answer(partial(connected.browser.new_context, **options)), live

    def _close(self, context: sync_api.BrowserContext, live: LiveContext) -> None:
        try:
            self._engine.run(live.save())
        finally:
            try:
                with letting_go():
                    context.close()
            finally:
                self._engine.run(live.end())

    @contextmanager
    def connected(self, url: str) -> Iterator[sync_api.Browser]:
        """See `AsyncDrivers.connected`."""
        self._users += 1
        browser = None
        try:
            playwright = self._started()
            with reaching():
                browser = way_to(playwright, url, CONNECT_SECONDS, no_defaults=True)()
            yield browser
        finally:
            if browser is not None:
                with letting_go():
                    browser.close()
            self._users -= 1
            self._stop_if_unused()

    def _enter(self, chromium: Chromium) -> Connected[sync_api.Browser]:
        self._users += 1
        try:
            connected = self._openings.of(chromium) or self._connected(chromium)
        except BaseException:
            self._users -= 1
            self._stop_if_unused()
            raise
        connected.users += 1
        return connected

    def _connected(self, chromium: Chromium) -> Connected[sync_api.Browser]:
        playwright = self._started()
        driver, url = self._engine.run(way_in(chromium))
        with reaching():
            browser = past_a_stray_answer(way_to(playwright, url, CONNECT_SECONDS, is_local=True))
        connected = self._openings.connected[chromium] = Connected(browser, driver, playwright)
        return connected

    def _leave(self, chromium: Chromium, connected: Connected[sync_api.Browser]) -> None:
        connected.users -= 1
        self._users -= 1
        if connected.users == 0:
            self._openings.drop(chromium, connected)
            with letting_go():
                connected.browser.close()
        self._stop_if_unused()

    def _started(self) -> sync_api.Playwright:
        if self._playwright is not None and has_died_sync(self._playwright):
            _log.warning(_DIED)
            dead, self._playwright = self._playwright, None
            with contextlib.suppress(Exception):
                dead.stop()  # before there is another: its loop is in the way
        if self._playwright is None:
            from playwright.sync_api import sync_playwright  # noqa: PLC0415  (a tenth of a second)

            self._playwright = sync_playwright().start()
        return self._playwright

    def _stop_if_unused(self) -> None:
        if self._users == 0 and self._playwright is not None:
            playwright, self._playwright = self._playwright, None
            playwright.stop()
