"""What a pool ends, and what it does not: windows that close slowly, sessions that are forgotten, logins at its own end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import pytest

from handstamp._signed_in import engine
from handstamp.browser import Launch, find_browser
from handstamp.errors import OperationFailed, PoolFull, SessionNotFound
from handstamp.keeper import CAPTCHA_KEY
from handstamp.sites.operation import Run, operation

from .conftest import DANA, DEMO, pool_of, who
from .test_operations import Nothing, Said
from .test_pool import TOKENS_ONLY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from handstamp.demo import Control, DemoServers
    from handstamp.vault import Vault

    from .conftest import Opened


@contextlib.contextmanager
def busy(home: Path) -> Iterator[None]:
    """Within the block somebody else writes to the vault, and nobody besides."""
    with contextlib.closing(sqlite3.connect(home / "vault.db", isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            database.execute("ROLLBACK")


def requests(control: Control) -> int:
    return sum(control.stats().portside.requests.values())


def test_a_vault_that_is_busy_while_a_window_closes_ends_no_browser(
    with_pool: Callable[..., None], home: Path, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handstamp.pool.live._CLOSE_SECONDS", 0.5)

    async def flow(opened: Opened) -> None:
        demo, dana = await opened.admit(DEMO), await opened.admit(DANA)
        browsers = engine().pids()
        async with opened.pool.use(dana.session.session_id) as live:
            with busy(home):
                await opened.pool.hibernate(demo.session.session_id)
                await asyncio.sleep(2.0)
            assert await who(live) == "dana"
            assert engine().pids() == browsers

    with_pool(flow)
    assert control.stats().portside.logins == 2


def test_a_browser_that_hangs_with_no_window_in_it_is_ended(with_pool: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handstamp.pool.hangs.PROBE_EVERY", 0.5)

    async def flow(opened: Opened) -> None:
        del opened
        running = engine()
        other = running.browser(Launch(find_browser(), apart="as for a login"))
        chromium = await running.call(other.__aenter__())
        try:
            os.kill(chromium.pid, signal.SIGSTOP)
            async with asyncio.timeout(20):
                while chromium.alive:  # noqa: ASYNC110  (nobody is told)
                    await asyncio.sleep(0.05)
        finally:
            await running.call(other.__aexit__(None, None, None))

    with_pool(flow)


def test_a_session_that_has_ended_can_still_be_forgotten(with_pool: Callable[..., None], vault: Vault) -> None:
    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        await opened.pool.end(session_id)
        await opened.pool.end(session_id, forget=True)
        with pytest.raises(SessionNotFound):
            await opened.pool.end(session_id, forget=True)

    with_pool(flow)
    assert vault.profiles() == []
    assert vault.accounts("portside") == []


def test_a_session_is_forgotten_also_when_its_recipe_is_gone(with_pool: Callable[..., None], vault: Vault, home: Path, demo: DemoServers) -> None:
    recipe = home / "sites" / "tokens.toml"
    recipe.parent.mkdir(parents=True, exist_ok=True)
    recipe.write_text(TOKENS_ONLY.format(url=demo.portside.url))
    made: list[str] = []

    async def before(opened: Opened) -> None:
        made.append((await opened.pool.admit("tokens", DEMO.username, DEMO.password)).session.session_id)

    async def after(opened: Opened) -> None:
        await opened.pool.end(made[0], forget=True)

    with_pool(before)
    recipe.unlink()
    with_pool(after)
    assert vault.profiles() == []
    assert vault.accounts("tokens") == []


def test_who_is_told_to_forget_later_has_lost_nothing_until_then(with_pool: Callable[..., None], vault: Vault, home: Path) -> None:
    """A window that closes for too long: 429 means that nothing was begun."""

    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        with busy(home):
            await opened.pool.hibernate(session_id)
            await asyncio.sleep(0.1)
            with pytest.raises(PoolFull):
                await opened.pool.end(session_id, forget=True)
        await opened.pool.end(session_id, forget=True)

    with_pool(flow, queue_seconds=0.5)
    assert vault.profiles() == []


def test_a_pool_that_drains_lets_a_login_end(vault: Vault, control: Control, tmp_path: Path) -> None:
    control.set("portside", slow_ms=400)

    async def flow() -> None:
        async with pool_of(vault, tmp_path) as opened:
            login = asyncio.create_task(opened.admit())
            while not await asyncio.to_thread(requests, control):  # noqa: ASYNC110  (the site tells nobody)
                await asyncio.sleep(0.05)
            began = time.monotonic()
            await opened.pool.drain(30.0)
            assert time.monotonic() - began < 29
            with pytest.raises(Exception, match="about to end"):
                await login

    asyncio.run(flow())
    assert control.stats().portside.logins == 1
    assert [session.username for session in vault.sessions()] == ["demo"]  # what was made is not lost
    assert vault.leases() == []


def test_another_key_for_captchas_is_kept_for_a_session_that_is_live(with_pool: Callable[..., None], vault: Vault) -> None:
    async def flow(opened: Opened) -> None:
        await opened.admit(captcha_api_key="the-first")
        await opened.admit(captcha_api_key="the-second")

    with_pool(flow)
    assert vault.secret("portside", "demo", CAPTCHA_KEY) == "the-second"


def test_an_id_that_was_closed_elsewhere_is_taken_on_again_for_its_credentials(with_pool: Callable[..., None], vault: Vault) -> None:
    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        vault.end_served(session_id)  # as another server does
        await opened.admit()
        await asyncio.sleep(3.0)  # the round that hears of what others have ended
        async with opened.pool.use(session_id) as live:
            assert await who(live) == "demo"

    with_pool(flow)


def test_an_agent_leaves_keep_alive_as_it_is(with_pool: Callable[..., None], vault: Vault) -> None:
    async def flow(opened: Opened) -> None:
        session = (await opened.admit(keep_alive=False)).session
        await opened.pool.admit_profile("portside", session.profile)
        served = vault.served(session.session_id)
        assert served is not None
        assert served.keep_alive is False

    with_pool(flow)


def test_a_site_that_does_not_say_is_not_asked_by_every_caller(with_pool: Callable[..., None], control: Control) -> None:
    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        control.set("portside", error_share=1.0)
        await asyncio.sleep(0.05)  # what was known by the login is not believed any more
        asked = set()
        for _ in range(5):
            async with opened.pool.use(session_id) as live:
                asked.add(live.unanswered_at)
        assert len(asked) == 1
        assert asked != {float("-inf")}

    with_pool(flow, trust_seconds=0.01)


def test_nothing_comes_between_a_doubtful_error_and_its_caller(with_pool: Callable[..., None], control: Control) -> None:
    @operation(gives=Said, repeatable=False)
    async def books(run: Run, given: Nothing) -> Said:
        del run, given
        raise OperationFailed("the site did not answer, look there", repeatable=False)

    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        before = requests(control)
        with pytest.raises(OperationFailed, match="look there"):
            await opened.pool.run(session_id, books, {})
        assert requests(control) == before
        async with opened.pool.use(session_id):
            pass
        assert requests(control) > before  # the next one asks

    with_pool(flow)


def test_files_whose_time_is_over_are_gone_after_a_start(vault: Vault, tmp_path: Path) -> None:
    async def flow(do: Callable[[Opened], Any]) -> None:
        async with pool_of(vault, tmp_path) as opened:
            do(opened)

    kept: list[Path] = []
    asyncio.run(flow(lambda opened: kept.append(opened.pool.files.put("list.csv", b"a,b").path)))
    asyncio.run(flow(lambda _: None))
    assert kept[0].exists()
    os.utime(kept[0], (time.time() - 2 * 86_400,) * 2)
    asyncio.run(flow(lambda _: None))
    assert not kept[0].exists()
