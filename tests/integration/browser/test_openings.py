"""An opening that is broken off leaves its state to nobody."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
import time

import pytest
from playwright.async_api import Error

from handstamp.browser import AsyncDrivers, Launch, SyncDrivers, drivers, find_browser
from handstamp.errors import BrowserGone, BrowserTimeout, ConfigError
from handstamp.state import PartKind, StorageState

from .conftest import Saves, _enter, saved, until


@pytest.fixture
def one(engine):
    """`async with one() as chromium`: a browser."""

    @contextlib.asynccontextmanager
    async def running():
        browser = engine.browser(Launch(find_browser()))
        chromium = await engine.call(_enter(browser))
        try:
            yield chromium
        finally:
            await engine.call(browser.__aexit__(None, None, None))

    return running


async def contexts_of(engine, chromium) -> int:
    async def asked() -> int:
        return len((await chromium._connection.send("Target.getBrowserContexts"))["browserContextIds"])

    return await engine.call(asked())


async def only(number: int, engine, chromium) -> bool:
    """Whether no orphan is left."""
    return await contexts_of(engine, chromium) == number


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 8, 13, 21, 34])
def test_the_next_opening_gets_its_own_state_wherever_the_one_before_was_cancelled(web, engine, one, turns) -> None:
    a = web.origin()
    mine, others = saved(local={a: {"who": "me"}}), saved(local={a: {"who": "other"}})

    async def scenario() -> None:
        drivers = AsyncDrivers(engine)

        async def broken_off(chromium) -> None:
            async with drivers.context(chromium, others, None, {}):
                await asyncio.Event().wait()

        async with one() as chromium, drivers.context(chromium, StorageState(), None, {}) as (beside, _):
            before = await contexts_of(engine, chromium)
            opening = asyncio.ensure_future(broken_off(chromium))
            for _ in range(turns):
                await asyncio.sleep(0.002)
            opening.cancel()
            async with drivers.context(chromium, mine, None, {}) as (context, live):
                page = await context.new_page()
                await page.goto(a)
                assert await page.evaluate("first.local") == {"who": "me"}
                assert live.id is not None
            await asyncio.gather(opening, return_exceptions=True)
            assert beside.pages == []
            await (await beside.new_page()).close()
            await until(lambda: only(before, engine, chromium))

    asyncio.run(scenario())


class Slow:
    """A browser that takes its time to make the next context.

    Attributes:
        asked: set when it has been asked for it.
        ready: lets it go on.
    """

    def __init__(self, chromium, *, meanwhile=lambda: None) -> None:
        self.asked, self.ready = threading.Event(), asyncio.Event()
        self._forward, self._meanwhile = chromium._connection.forward, meanwhile
        chromium._connection.forward = self._hold

    def _hold(self, message, reply):
        if message["method"] != "Target.createBrowserContext" or self.asked.is_set():
            return self._forward(message, reply)
        self.asked.set()
        self._task = asyncio.ensure_future(self._later(message, reply))
        self._meanwhile()
        return 0

    async def _later(self, message, reply) -> None:
        await self.ready.wait()
        self._forward(message, reply)


def test_a_context_that_comes_after_its_opening_was_cancelled_is_nobodys(web, engine, one) -> None:
    a = web.origin()

    async def scenario() -> None:
        drivers = AsyncDrivers(engine)
        async with one() as chromium, drivers.context(chromium, StorageState(), None, {}):
            before = await contexts_of(engine, chromium)
            slow = Slow(chromium)
            opening = asyncio.ensure_future(drivers.context(chromium, saved(local={a: {"who": "other"}}), None, {}).__aenter__())
            await until(slow.asked.is_set)
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
            making = asyncio.ensure_future(_entered(drivers.context(chromium, saved(local={a: {"who": "me"}}), None, {})))
            await asyncio.sleep(0.1)
            engine.soon(slow.ready.set)
            manager, (context, _) = await making
            page = await context.new_page()
            await page.goto(a)
            assert await page.evaluate("first.local") == {"who": "me"}
            await manager.__aexit__(None, None, None)
            await until(lambda: only(before, engine, chromium))

    asyncio.run(scenario())


async def _entered(manager):
    return manager, await manager.__aenter__()


def _ctrl_c_soon() -> None:
    """When Playwright has sent its call and waits: while it still sends, it forgets the call, see the next test."""
    asyncio.get_running_loop().call_later(0.3, os.kill, os.getpid(), signal.SIGINT)


def test_ctrl_c_while_a_context_is_made_leaves_its_state_to_nobody(web, engine) -> None:
    a = web.origin()
    browser = engine.browser(Launch(find_browser()))
    chromium = engine.run(_enter(browser))
    drivers = SyncDrivers(engine)
    try:
        with drivers.context(chromium, StorageState(), None, {}):
            slow = Slow(chromium, meanwhile=_ctrl_c_soon)
            with pytest.raises(KeyboardInterrupt), drivers.context(chromium, saved(local={a: {"who": "other"}}), None, {}):
                pass
            engine.soon(slow.ready.set)
            with drivers.context(chromium, saved(local={a: {"who": "me"}}), None, {}) as (context, _):
                page = context.new_page()
                page.goto(a)
                assert page.evaluate("first.local") == {"who": "me"}
        assert not drivers.running
    finally:
        engine.run(browser.__aexit__(None, None, None))


def test_the_answer_to_a_call_that_ctrl_c_had_cut_off_refuses_no_later_context(engine, one) -> None:
    def opened_in_a_thread(chromium) -> None:
        drivers = SyncDrivers(engine)
        with drivers.context(chromium, StorageState(), None, {}):
            told = drivers._playwright._impl_obj._connection._on_event_listener_error
            told(Error("Cannot find command to respond: pctn@7"))
            with drivers.context(chromium, StorageState(), None, {}) as (context, _):
                context.new_page().close()
            told(Error("something else"))
            with pytest.raises(ConfigError, match="something else"), drivers.context(chromium, StorageState(), None, {}):
                pass

    async def scenario() -> None:
        async with one() as chromium:
            await asyncio.to_thread(opened_in_a_thread, chromium)

    asyncio.run(scenario())


def test_a_browser_that_hangs_lets_nobody_in_and_that_is_told_as_its_timeout(engine, one, monkeypatch) -> None:
    monkeypatch.setattr(drivers, "CONNECT_SECONDS", 1.0)

    async def entered(chromium) -> None:
        async with AsyncDrivers(engine).context(chromium, StorageState(), None, {}):
            pass

    def entered_in_a_thread(chromium) -> None:
        with SyncDrivers(engine).context(chromium, StorageState(), None, {}):
            pass

    async def scenario() -> None:
        async with one() as chromium:
            os.kill(chromium.pid, signal.SIGSTOP)
            try:
                for attempt in (entered(chromium), asyncio.to_thread(entered_in_a_thread, chromium)):
                    with pytest.raises(BrowserTimeout, match="may hang") as told:
                        await attempt
                    assert "ws://" not in str(told.value)
            finally:
                os.kill(chromium.pid, signal.SIGCONT)
            monkeypatch.undo()
            await entered(chromium)

    asyncio.run(scenario())


def test_a_browser_that_is_dead_already_lets_nobody_in_and_that_is_told_at_once(engine, one) -> None:
    async def scenario() -> None:
        async with one() as chromium:
            os.kill(chromium.pid, signal.SIGKILL)
            await until(lambda: not chromium.alive)
            with pytest.raises(BrowserGone):
                async with asyncio.timeout(20), AsyncDrivers(engine).context(chromium, StorageState(), None, {}):
                    pass

    asyncio.run(scenario())


@pytest.mark.parametrize("milliseconds", [5, 10, 15, 20, 25, 30, 40])
def test_who_waits_for_a_new_page_of_a_browser_that_is_killed_hears_of_it(engine, one, milliseconds) -> None:
    async def scenario() -> None:
        drivers = AsyncDrivers(engine)
        async with one() as chromium, contextlib.AsyncExitStack() as stack:
            contexts = [(await stack.enter_async_context(drivers.context(chromium, StorageState(), None, {})))[0] for _ in range(4)]
            asked = [asyncio.ensure_future(context.new_page()) for context in contexts for _ in range(2)]
            await asyncio.sleep(milliseconds / 1000)
            chromium.kill()
            told = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 20)
            assert any(isinstance(one, Error) for one in told)
            assert all("closed" in str(one) or "gone" in str(one) for one in told if isinstance(one, BaseException))

    asyncio.run(scenario())


def test_a_browser_that_was_cleared_away_has_no_way_in(engine, one) -> None:
    async def scenario() -> None:
        async with one() as chromium:
            await engine.call(chromium.close())
            with pytest.raises(BrowserGone, match="open it again"):
                async with AsyncDrivers(engine).context(chromium, StorageState(), None, {}):
                    pass

    asyncio.run(scenario())


# -- Playwright's own process dies -------------------------------------------------------------------------------


def test_an_opening_after_playwright_has_died_starts_another(web, engine, one, kill_playwright) -> None:
    a = web.origin()

    async def scenario() -> None:
        drivers = AsyncDrivers(engine)
        async with one() as chromium:
            async with drivers.ready(chromium) as still:
                kill_playwright()
                async with asyncio.timeout(15), drivers.context(chromium, saved(local={a: {"who": "me"}}), None, {}) as (context, _):
                    page = await context.new_page()
                    await page.goto(a)
                    assert await page.evaluate("first.local") == {"who": "me"}
                assert not still()
            async with asyncio.timeout(15), drivers.ready(chromium) as still:
                assert still()
            assert drivers._playwright is None

    asyncio.run(scenario())


def test_what_is_open_when_playwright_dies_is_saved_and_what_comes_next_is_not_held_up(web, engine, one, kill_playwright) -> None:
    a = web.origin()

    async def scenario() -> None:
        drivers, saves = AsyncDrivers(engine), Saves(StorageState())
        async with one() as chromium, drivers.ready(chromium):
            async with drivers.context(chromium, StorageState(), saves, {}) as (context, live):
                page = await context.new_page()
                await page.goto(a)
                await page.evaluate("localStorage.who = 'me'")
                kill_playwright()
                async with asyncio.timeout(15), drivers.context(chromium, saved(local={a: {"who": "other"}}), None, {}) as (other, _):
                    there = await other.new_page()
                    await there.goto(a)
                    assert await there.evaluate("first.local") == {"who": "other"}
                with pytest.raises(Error, match="closed"):
                    await page.evaluate("1")
                await until(live.gone.is_set)
            assert [entry.value for part in saves.state.of_kind(PartKind.LOCAL) for entry in part.entries.values()] == ["me"]
            assert drivers._users == 1
        assert drivers._users == 0
        assert drivers._playwright is None

    asyncio.run(scenario())


def test_who_waits_for_something_of_a_page_when_playwright_dies_hears_of_it(engine, one, kill_playwright) -> None:
    async def scenario() -> None:
        drivers = AsyncDrivers(engine)
        async with one() as chromium, drivers.context(chromium, StorageState(), None, {}) as (context, _):
            page = await context.new_page()
            closed: list[object] = []
            page.on("close", lambda one: closed.append(one))  # noqa: PLW0108  (Playwright sets an attribute on it)
            context.on("close", lambda one: closed.append(one))  # noqa: PLW0108  (Playwright sets an attribute on it)
            waiting = [
                asyncio.ensure_future(one)
                for one in (
                    page.evaluate("new Promise(() => 0)"),
                    page.wait_for_event("download", timeout=0),
                    context.wait_for_event("page", timeout=0),
                )
            ]
            await asyncio.sleep(0.3)
            kill_playwright()
            told = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 10)
            assert all(isinstance(one, Error) and "closed" in str(one) for one in told)
            assert closed == [page, context]
            assert page.is_closed()

    asyncio.run(scenario())


@pytest.mark.parametrize("milliseconds", [0, 5, 20, 50, 100, 200])
def test_an_opening_in_which_playwright_dies_goes_on_with_another(web, engine, one, milliseconds, kill_playwright) -> None:
    a = web.origin()

    async def scenario() -> None:
        drivers = AsyncDrivers(engine)
        async with one() as chromium, drivers.ready(chromium):
            slow = Slow(chromium)
            opening = asyncio.ensure_future(_entered(drivers.context(chromium, saved(local={a: {"who": "me"}}), None, {})))
            await until(slow.asked.is_set)
            await asyncio.sleep(milliseconds / 1000)
            kill_playwright()
            engine.soon(slow.ready.set)
            manager, (context, _) = await asyncio.wait_for(opening, 15)
            page = await context.new_page()
            await page.goto(a)
            assert await page.evaluate("first.local") == {"who": "me"}
            await manager.__aexit__(None, None, None)

    asyncio.run(scenario())


def test_a_sync_opening_after_playwright_has_died_starts_another(web, engine, one, kill_playwright) -> None:
    a = web.origin()

    def opened_in_a_thread(chromium) -> None:
        drivers = SyncDrivers(engine)
        for pause in (0, 0.5):
            with drivers.context(chromium, StorageState(), None, {}) as (context, _):
                page = context.new_page()
                kill_playwright()
                time.sleep(pause)
                with drivers.context(chromium, saved(local={a: {"who": "me"}}), None, {}) as (other, _):
                    there = other.new_page()
                    there.goto(a)
                    assert there.evaluate("first.local") == {"who": "me"}
                with pytest.raises(Error, match="closed"):
                    page.evaluate("1")
            assert not drivers.running

    async def scenario() -> None:
        async with one() as chromium:
            await asyncio.wait_for(asyncio.to_thread(opened_in_a_thread, chromium), 25)

    asyncio.run(scenario())


def test_a_sync_call_that_waits_when_playwright_dies_hears_of_it(engine, one, kill_playwright) -> None:
    def waits(chromium) -> None:
        drivers = SyncDrivers(engine)
        for wait in ("evaluate", "event"):
            with drivers.context(chromium, StorageState(), None, {}) as (context, _):
                page = context.new_page()
                threading.Timer(0.3, kill_playwright).start()
                with pytest.raises(Error, match="closed"):
                    page.evaluate("new Promise(() => 0)") if wait == "evaluate" else page.wait_for_event("download", timeout=0)
            assert not drivers.running

    async def scenario() -> None:
        async with one() as chromium:
            await asyncio.wait_for(asyncio.to_thread(waits, chromium), 20)

    asyncio.run(scenario())
