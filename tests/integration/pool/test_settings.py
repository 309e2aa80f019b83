"""Each setting of a pool, on and off: what it changes, and that it changes nothing where it is not set."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel

from handstamp._signed_in import engine
from handstamp.errors import BrowserGone, InputMissing, PoolFull, WorkflowEnded
from handstamp.sites.operation import Run, operation, workflow

from .conftest import DANA, DEMO, who

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.demo import Control
    from handstamp.vault import Served

    from .conftest import Opened


class Nothing(BaseModel):
    pass


class Name(BaseModel):
    name: str


async def first(run: Run, given: Nothing) -> None:
    del given
    await run.page.goto("about:blank")


async def second(run: Run, given: Name) -> Name:
    del run
    return Name(name=given.name)


def asked(control: Control) -> int:
    return control.stats().portside.requests.get("GET /account", 0)


@pytest.mark.parametrize("isolation", ["shared", "session"])
def test_isolation_decides_whether_sessions_share_a_browser(with_pool: Callable[..., None], isolation: str) -> None:
    async def flow(opened: Opened) -> None:
        demo, dana = await opened.admit(DEMO), await opened.admit(DANA)
        async with opened.pool.use(demo.session.session_id) as one, opened.pool.use(dana.session.session_id) as other:
            assert (one.chromium.pid == other.chromium.pid) is (isolation == "shared")
            context, browser = one.context, one.chromium
            os.kill(other.chromium.pid, signal.SIGKILL)
        async with opened.pool.use(demo.session.session_id) as one:
            assert await who(one) == "demo"
            assert (one.context is context) is browser.alive is (isolation == "session")

    with_pool(flow, isolation=isolation)


@pytest.mark.parametrize(("seconds", "looks"), [(60.0, 0), (0.0, 1)])
def test_a_live_session_is_trusted_for_as_long_as_the_setting_says(with_pool: Callable[..., None], control: Control, seconds: float, looks: int) -> None:
    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        before = asked(control)
        async with opened.pool.use(session_id):
            assert asked(control) - before == looks

    with_pool(flow, trust_seconds=seconds)


@pytest.mark.parametrize(("seconds", "looked"), [(3600.0, False), (0.2, True)])
def test_a_live_session_is_looked_at_as_often_as_the_setting_says(with_pool: Callable[..., None], control: Control, seconds: float, *, looked: bool) -> None:
    async def flow(opened: Opened) -> None:
        await opened.admit()
        before = asked(control)
        until = asyncio.get_running_loop().time() + (20.0 if looked else 1.5)
        while asked(control) == before and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110  (the site tells nobody)
            await asyncio.sleep(0.1)
        assert (asked(control) > before) is looked

    with_pool(flow, session_refresh_interval=seconds, look_every=0.1)


def test_a_session_that_is_being_admitted_is_not_taken_for_one_that_has_ended(with_pool: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    async def flow(opened: Opened) -> None:
        serve = opened.pool.vault.serve

        def in_a_moment(session_id: str, *, keep_alive: bool) -> Served:
            time.sleep(1.0)  # in which the rounds look many times
            return serve(session_id, keep_alive=keep_alive)

        monkeypatch.setattr(opened.pool.vault, "serve", in_a_moment)
        await opened.admit()
        await asyncio.sleep(0.3)
        assert opened.pool.facts().live == 1

    with_pool(flow, look_every=0.02)


def test_without_a_memory_limit_all_windows_stay(with_pool: Callable[..., None]) -> None:
    async def flow(opened: Opened) -> None:
        await opened.admit(DEMO)
        await opened.admit(DANA)
        while opened.pool.facts().memory_mb < 1:  # noqa: ASYNC110  (the pool tells nobody)
            await asyncio.sleep(0.05)
        assert (opened.pool.facts().max_sessions, opened.pool.facts().live) == (2, 2)

    with_pool(flow, max_memory_mb=0, look_every=0.2)


def test_who_may_not_wait_gets_what_is_free_and_nothing_else(with_pool: Callable[..., None]) -> None:
    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        async with opened.pool.use(session_id) as live:
            assert await who(live) == "demo"
            with pytest.raises(PoolFull):
                async with opened.pool.use(session_id):
                    pass

    with_pool(flow, queue_seconds=0.0)


def test_with_no_retries_an_operation_is_done_once(with_pool: Callable[..., None]) -> None:
    begun: list[int] = []

    @operation(gives=Name, repeatable=True)
    async def cut_off(run: Run, given: Nothing) -> Name:
        """Ends with its browser."""
        del given
        begun.append(1)
        for pid in engine().pids():
            os.kill(pid, signal.SIGKILL)
        await run.page.goto(run.site.url("/login"))
        return Name(name="")

    async def flow(opened: Opened) -> None:
        with pytest.raises(BrowserGone):
            await opened.pool.run((await opened.admit()).session.session_id, cut_off, {})

    with_pool(flow, retries=0)
    assert len(begun) == 1


@pytest.mark.parametrize("seconds", [600.0, 1.0])
def test_a_workflow_waits_as_long_as_the_setting_says(with_pool: Callable[..., None], seconds: float) -> None:
    named = workflow("named", first, second, gives=Name, about="A name.", repeatable=True)

    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        with pytest.raises(InputMissing) as missing:
            await opened.pool.run(session_id, named, {})
        waits = missing.value.appointment_session_id
        if seconds < 600.0:
            await asyncio.sleep(seconds + 0.5)
            with pytest.raises(WorkflowEnded):
                await opened.pool.run(session_id, named, {"name": "x"}, workflow_id=waits)
        else:
            outcome = await opened.pool.run(session_id, named, {"name": "x"}, workflow_id=waits)
            assert outcome.result == Name(name="x")

    with_pool(flow, workflow_seconds=seconds)
