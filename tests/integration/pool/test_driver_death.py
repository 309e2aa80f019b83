"""Playwright's own process dies, and the browser lives: every session goes on, by another Playwright and without a login."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from handstamp.sites.operation import Run, operation

from .conftest import DANA, DEMO, WHO, who
from .test_operations import Nothing, Said

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.demo import Control
    from handstamp.sites.operation import Operation

    from .conftest import Opened


def made(kill_playwright: Callable[[], None], *, dies: str = "") -> tuple[Operation, list[int]]:
    """An operation that says whose account it sees, and how often it was begun; in the first Playwright dies, while it asks or waits."""
    begun: list[int] = []

    @operation(gives=Said, repeatable=True)
    async def whose(run: Run, given: Nothing) -> Said:
        del given
        begun.append(1)
        await run.page.goto(run.site.url("/account"))
        if dies and len(begun) == 1:
            kill_playwright()
            if dies == "waiting":
                await run.page.wait_for_event("download", timeout=0)
        return Said(username=(await run.page.evaluate(WHO))["username"])

    return whose, begun


def test_when_playwright_has_died_every_session_goes_on_without_a_login(
    kill_playwright: Callable[[], None], with_pool: Callable[..., None], control: Control
) -> None:
    whose, _ = made(kill_playwright)

    async def flow(opened: Opened) -> None:
        ids = {account.username: (await opened.admit(account)).session.session_id for account in (DEMO, DANA)}
        for _ in range(2):
            kill_playwright()
            async with asyncio.timeout(25):
                for username, session_id in ids.items():
                    assert (await opened.pool.run(session_id, whose, {})).result == Said(username=username)
                    async with opened.pool.use(session_id) as live:
                        assert await who(live) == username

    with_pool(flow)
    assert control.stats().portside.logins == 2


def test_who_uses_a_session_after_playwright_has_died_gets_it_in_a_new_window(
    kill_playwright: Callable[[], None], with_pool: Callable[..., None], control: Control
) -> None:
    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        kill_playwright()
        await asyncio.sleep(1.0)  # of one that dies just then the user hears by itself
        async with asyncio.timeout(20), opened.pool.use(session_id) as live:
            assert await who(live) == "demo"

    with_pool(flow)
    assert control.stats().portside.logins == 1


def test_an_operation_in_which_playwright_dies_is_done_again(kill_playwright: Callable[[], None], with_pool: Callable[..., None], control: Control) -> None:
    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        for dies in ("asking", "waiting"):
            whose, begun = made(kill_playwright, dies=dies)
            async with asyncio.timeout(20):
                assert (await opened.pool.run(session_id, whose, {})).result == Said(username="demo")
            assert len(begun) == 2

    with_pool(flow, operation_seconds=60.0)
    assert control.stats().portside.logins == 1
