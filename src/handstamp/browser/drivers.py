"""Playwright beside the engine: contexts that Playwright drives and the engine fills, mirrors and saves.

Playwright's objects belong to the loop or thread that made them, so there is one `AsyncDrivers` for each event loop and one
`SyncDrivers` for each thread. Both start Playwright with the first context, share its connection to each browser, and stop it
with the last: a sync Playwright that goes on would leave an event loop running in the caller's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from handstamp.browser.openings import Connected, Openings, expect, way_in
from handstamp.browser.playwright_errors import past_a_stray_answer, playwright_error, reaching

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from playwright import async_api, sync_api

    from handstamp.browser.chromium import Chromium
    from handstamp.browser.engine import Engine
    from handstamp.browser.live import LiveContext
    from handstamp.browser.saving import Save
    from handstamp.state import StorageState

CONNECT_SECONDS = 30.0
"""For a browser to let Playwright in; one that hangs never does."""


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
            with reaching():
                browser = await connect(url, timeout=CONNECT_SECONDS * 1000, **_as_far_as_known(connect, no_defaults=True))
            yield browser
        finally:
            async with self._lock:
                if browser is not None:
                    with contextlib.suppress(playwright_error()):
                        await browser.close()
                self._users -= 1
                await self._stop_if_unused()

    async def _open(
        self, chromium: Chromium, state: StorageState, save: Save | None, options: Mapping[str, Any]
    ) -> tuple[Connected[async_api.Browser], async_api.BrowserContext, LiveContext]:
        while True:
            connected = await self._enter(chromium)
            try:
                async with connected.making:
                    if not connected.spoiled:
                        with self._openings.one(chromium, connected) as expected:
                            live = await self._engine.call(expect(chromium, connected.driver, expected, state, save))
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
                with contextlib.suppress(playwright_error()):
                    await context.close()
            finally:
                await self._engine.call(live.end())

    async def _enter(self, chromium: Chromium) -> Connected[async_api.Browser]:
        async with self._lock:
            self._users += 1
            try:
                connected = self._openings.of(chromium)
                if connected is None:
                    playwright = await self._started()
                    driver, url = await self._engine.call(way_in(chromium))
                    connected = self._openings.connected[chromium] = Connected(await self._connect(playwright, url), driver)
            except BaseException:
                self._users -= 1
                await self._stop_if_unused()
                raise
            connected.users += 1
            return connected

    async def _connect(self, playwright: async_api.Playwright, url: str) -> async_api.Browser:
        connect = playwright.chromium.connect_over_cdp
        with reaching():
            return await connect(url, timeout=CONNECT_SECONDS * 1000, **_as_far_as_known(connect, is_local=True))

    async def _leave(self, chromium: Chromium, connected: Connected[async_api.Browser]) -> None:
        async with self._lock:
            connected.users -= 1
            self._users -= 1
            if connected.users == 0:
                self._openings.drop(chromium, connected)
                with contextlib.suppress(playwright_error()):
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
        connected = self._enter(chromium)
        try:
            with self._openings.one(chromium, connected) as expected:
                live = self._engine.run(expect(chromium, connected.driver, expected, state, save))
                return connected, past_a_stray_answer(partial(connected.browser.new_context, **options)), live
        except BaseException:
            self._leave(chromium, connected)
            raise

    def _close(self, context: sync_api.BrowserContext, live: LiveContext) -> None:
        try:
            self._engine.run(live.save())
        finally:
            try:
                with contextlib.suppress(playwright_error()):
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
            with reaching():
                browser = connect(url, timeout=CONNECT_SECONDS * 1000, **_as_far_as_known(connect, no_defaults=True))
            yield browser
        finally:
            if browser is not None:
                with contextlib.suppress(playwright_error()):
                    browser.close()
            self._users -= 1
            self._stop_if_unused()

    def _enter(self, chromium: Chromium) -> Connected[sync_api.Browser]:
        self._users += 1
        try:
            connected = self._openings.of(chromium)
            if connected is None:
                playwright = self._started()
                driver, url = self._engine.run(way_in(chromium))
                connected = self._openings.connected[chromium] = Connected(self._connect(playwright, url), driver)
        except BaseException:
            self._users -= 1
            self._stop_if_unused()
            raise
        connected.users += 1
        return connected

    def _connect(self, playwright: sync_api.Playwright, url: str) -> sync_api.Browser:
        connect = playwright.chromium.connect_over_cdp
        with reaching():
            known = _as_far_as_known(connect, is_local=True)
            return past_a_stray_answer(partial(connect, url, timeout=CONNECT_SECONDS * 1000, **known))

    def _leave(self, chromium: Chromium, connected: Connected[sync_api.Browser]) -> None:
        connected.users -= 1
        self._users -= 1
        if connected.users == 0:
            self._openings.drop(chromium, connected)
            with contextlib.suppress(playwright_error()):
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


def _as_far_as_known(connect: Callable[..., Any], **options: bool) -> dict[str, Any]:
    """Those options of `connect_over_cdp` that this Playwright has learned.

    ``no_defaults``: leave a person's browser as it is (its downloads, colours, focus). ``is_local``: the browser is on this machine,
    so that it reads files to upload by itself; else Playwright sends them to it as text, which takes half a minute for 20 MB.
    """
    known = inspect.signature(connect).parameters
    return {name: value for name, value in options.items() if name in known}
