"""Operations in the pool: done again where that is safe, cut off where they never end, and nothing done twice."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel

from handstamp._signed_in import engine
from handstamp.errors import HandstampError, OperationFailed
from handstamp.sites.operation import Run, operation

from .conftest import DANA, WHO

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.demo import Control
    from handstamp.sites.operation import Operation

    from .conftest import Opened


class Nothing(BaseModel):
    pass


class Said(BaseModel):
    username: str


def kill_browsers() -> None:
    for pid in engine().pids():
        os.kill(pid, signal.SIGKILL)


def made(act: Callable[[int], None] = lambda _: None, *, repeatable: bool = True, lasts: float = 0.0) -> tuple[Operation, list[int]]:
    """An operation that says whose account it sees, and how often it was begun; `act` is called in the middle, with that number."""
    begun: list[int] = []

    @operation(gives=Said, repeatable=repeatable)
    async def whose(run: Run, given: Nothing) -> Said:
        del given
        begun.append(1)
        await run.page.goto(run.site.url("/account"))
        act(len(begun))
        await asyncio.sleep(lasts)
        await run.page.wait_for_timeout(100)
        said = await run.page.evaluate(WHO)
        if "username" not in said:
            raise OperationFailed("the page shows nobody's account", repeatable=repeatable)
        return Said(username=said["username"])

    return whose, begun


def first(do: Callable[[], object]) -> Callable[[int], None]:
    return lambda number: do() if number == 1 else None  # type: ignore[return-value, func-returns-value]


def test_a_repeatable_operation_is_done_again_when_its_browser_is_killed(with_pool: Callable[..., None], control: Control) -> None:
    whose, begun = made(first(kill_browsers))

    async def flow(opened: Opened) -> None:
        outcome = await opened.pool.run((await opened.admit()).session.session_id, whose, {})
        assert outcome.result == Said(username="demo")
        assert opened.pool.facts().counters.repeated == 1

    with_pool(flow)
    assert len(begun) == 2
    assert control.stats().portside.logins == 1


def test_one_that_may_not_be_repeated_is_not_and_says_that_it_is_not_known(with_pool: Callable[..., None]) -> None:
    whose, begun = made(first(kill_browsers), repeatable=False)

    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        with pytest.raises(OperationFailed, match="not known") as failed:
            await opened.pool.run(session_id, whose, {})
        assert failed.value.repeatable is False
        assert (await opened.pool.run(session_id, whose, {})).result == Said(username="demo")

    with_pool(flow)
    assert len(begun) == 2


def test_an_operation_in_a_session_that_the_site_ended_is_done_again_after_one_login(with_pool: Callable[..., None], control: Control) -> None:
    whose, begun = made(first(lambda: control.revoke(username="demo")))

    async def flow(opened: Opened) -> None:
        assert (await opened.pool.run((await opened.admit()).session.session_id, whose, {})).result == Said(username="demo")

    with_pool(flow)
    assert len(begun) == 2
    assert control.stats().portside.logins == 2


def test_an_operation_that_never_ends_gives_its_window_back(with_pool: Callable[..., None]) -> None:
    endless, _ = made(lasts=3600.0)
    whose, _ = made()

    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        with pytest.raises(OperationFailed, match="operation_seconds"):
            await opened.pool.run(session_id, endless, {})
        assert (await opened.pool.run(session_id, whose, {})).result == Said(username="demo")
        await opened.admit(DANA)

    with_pool(flow, operation_seconds=2.0, max_sessions=1)


def test_an_operation_that_waits_for_what_a_dead_browser_never_says_is_done_again_soon(with_pool: Callable[..., None]) -> None:
    begun: list[int] = []

    @operation(gives=Said, repeatable=True)
    async def waits(run: Run, given: Nothing) -> Said:
        del given
        begun.append(1)
        if len(begun) == 1:
            kill_browsers()
            await asyncio.Event().wait()
        return Said(username=await run.page.evaluate("'here'"))

    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        assert (await asyncio.wait_for(opened.pool.run(session_id, waits, {}), 45)).result == Said(username="here")

    with_pool(flow, operation_seconds=600.0)
    assert len(begun) == 2


def test_an_operation_is_not_repeated_without_end(with_pool: Callable[..., None]) -> None:
    whose, begun = made(lambda _: kill_browsers())

    async def flow(opened: Opened) -> None:
        with pytest.raises(HandstampError):
            await opened.pool.run((await opened.admit()).session.session_id, whose, {})

    with_pool(flow, retries=2)
    assert len(begun) == 3
