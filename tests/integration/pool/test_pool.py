"""Sessions by credentials: one login for all who come, each account its own, live or hibernated, never lost."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Error

from handstamp._signed_in import engine
from handstamp.errors import LoginFailed, PoolFull, SessionNotFound, SiteUnknown, Stopping

from .conftest import DANA, DEMO, OMAR, pool_of, who

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from handstamp.demo import Control, DemoServers
    from handstamp.vault import Vault

    from .conftest import Opened


def logins(control: Control) -> int:
    return control.stats().portside.logins


def test_all_who_come_with_the_same_credentials_at_once_share_one_login(with_pool: Callable[..., None], control: Control) -> None:
    async def flow(opened: Opened) -> None:
        found = await asyncio.gather(*(opened.admit() for _ in range(12)))
        assert len({one.session.session_id for one in found}) == 1
        assert sorted(one.is_new for one in found) == [False] * 11 + [True]

    with_pool(flow)
    assert logins(control) == 1


def test_each_account_has_its_own_session_and_the_one_that_was_used_longest_ago_hibernates(with_pool: Callable[..., None], control: Control) -> None:
    async def flow(opened: Opened) -> None:
        found = {account.username: await opened.admit(account) for account in (DEMO, DANA, OMAR)}
        assert await opened.states() == {"demo": "hibernated", "dana": "live", "omar": "live"}
        for username, admission in found.items():
            async with opened.pool.use(admission.session.session_id) as live:
                assert await who(live) == username
        assert opened.pool.facts().counters.revived >= 1

    with_pool(flow)
    assert logins(control) == 3


def test_who_uses_a_session_next_need_not_have_it_opened_first(with_pool: Callable[..., None], control: Control) -> None:
    async def flow(opened: Opened) -> None:
        first = await opened.admit(live=False)
        assert first.is_new  # there was none: it takes a login
        await opened.pool.hibernate(first.session.session_id)
        while opened.pool.facts().live:  # noqa: ASYNC110  (the pool tells nobody)
            await asyncio.sleep(0.02)
        again = await opened.admit(live=False)
        assert (again.is_new, again.session.session_id) == (False, first.session.session_id)
        assert opened.pool.facts().live == 0
        async with opened.pool.use(again.session.session_id) as live:
            assert await who(live) == "demo"

    with_pool(flow)
    assert logins(control) == 1


def test_a_session_in_use_is_never_closed_for_another(with_pool: Callable[..., None]) -> None:
    async def flow(opened: Opened) -> None:
        demo, dana = await opened.admit(DEMO), await opened.admit(DANA)
        omar = None
        async with opened.pool.use(demo.session.session_id) as first, opened.pool.use(dana.session.session_id):
            with pytest.raises(PoolFull) as full:
                await opened.admit(OMAR)
            assert full.value.retry_after > 0
            assert await who(first) == "demo"
        omar = await opened.admit(OMAR)
        assert omar.is_new

    with_pool(flow, queue_seconds=1.0)


def test_who_waits_gets_the_window_that_comes_free(with_pool: Callable[..., None]) -> None:
    async def flow(opened: Opened) -> None:
        demo, dana = await opened.admit(DEMO), await opened.admit(DANA)
        async with opened.pool.use(dana.session.session_id):
            async with opened.pool.use(demo.session.session_id):
                waiting = asyncio.create_task(opened.admit(OMAR))
                while opened.pool.facts().waiting != 1:  # noqa: ASYNC110  (the pool tells nobody)
                    await asyncio.sleep(0.05)
            assert (await waiting).session.username == "omar"

    with_pool(flow)


def test_what_is_done_in_one_session_follows_each_other(with_pool: Callable[..., None]) -> None:
    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        inside: list[int] = []

        async def work() -> None:
            async with opened.pool.use(session_id):
                inside.append(1)
                assert len(inside) == 1
                await asyncio.sleep(0.02)
                inside.pop()

        await asyncio.gather(*(work() for _ in range(8)))
        async with opened.pool.use(session_id):
            with pytest.raises(PoolFull):
                async with opened.pool.use(session_id, wait=0.05):
                    pass

    with_pool(flow)


def test_a_wrong_password_is_nobody_s_session(with_pool: Callable[..., None], vault: Vault) -> None:
    async def flow(opened: Opened) -> None:
        await opened.admit()
        with pytest.raises(LoginFailed):
            await opened.admit(replace(DEMO, password="not-the-password"))
        assert (await opened.admit()).is_new is False

    with_pool(flow)
    assert len(vault.sessions()) == 1


def test_with_a_changed_password_the_old_session_is_nobody_s_any_more(with_pool: Callable[..., None], control: Control, vault: Vault) -> None:
    changed = replace(DEMO, password="fresh-harbour-8")

    async def flow(opened: Opened) -> None:
        old = await opened.admit()
        control.add_account(changed)
        new = await opened.admit(changed)
        assert new.is_new
        assert new.session.session_id != old.session.session_id
        with pytest.raises(SessionNotFound):
            await opened.pool.known(old.session.session_id)
        with pytest.raises(LoginFailed):
            await opened.admit(DEMO)  # the old credentials: the site does not know them either
        async with opened.pool.use(new.session.session_id) as live:
            assert await who(live) == "demo"

    with_pool(flow)
    assert vault.secret("portside", "demo", "password") == "fresh-harbour-8"
    assert [session.username for session in vault.sessions()] == ["demo"]


def test_a_killed_browser_costs_no_login(with_pool: Callable[..., None], control: Control) -> None:
    async def flow(opened: Opened) -> None:
        demo, dana = await opened.admit(DEMO), await opened.admit(DANA)
        for pid in engine().pids():
            os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.5)  # who has a page of it meanwhile hears that it is gone
        for username, admission in (("demo", demo), ("dana", dana)):
            async with opened.pool.use(admission.session.session_id) as live:
                assert await who(live) == username
        assert opened.pool.facts().live == 2

    with_pool(flow)
    assert logins(control) == 2


def test_who_comes_the_moment_after_a_browser_was_killed_gets_a_session_in_another(with_pool: Callable[..., None], control: Control) -> None:
    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        for _ in range(3):
            for pid in engine().pids():
                os.kill(pid, signal.SIGKILL)
            async with opened.pool.use(session_id) as live:
                assert await who(live) == "demo"

    with_pool(flow)
    assert logins(control) == 1


@pytest.mark.parametrize("isolation", ["shared", "session"])
def test_a_browser_that_hangs_in_use_is_ended_and_no_other(
    with_pool: Callable[..., None], control: Control, monkeypatch: pytest.MonkeyPatch, isolation: str
) -> None:
    monkeypatch.setattr("handstamp.pool.hangs.PROBE_EVERY", 2.0)

    async def flow(opened: Opened) -> None:
        demo, dana = await opened.admit(DEMO), await opened.admit(DANA)
        async with opened.pool.use(dana.session.session_id) as other, opened.pool.use(demo.session.session_id) as live:
            os.kill(live.chromium.pid, signal.SIGSTOP)
            with pytest.raises(Error):  # Playwright's own: whoever uses it hears that it has ended
                await live.context.new_page()
            assert other.chromium.alive is (isolation == "session")
        for username, admission in (("demo", demo), ("dana", dana)):
            async with opened.pool.use(admission.session.session_id) as live:
                assert await who(live) == username

    with_pool(flow, isolation=isolation)
    assert logins(control) == 2


def test_who_comes_when_the_browser_hangs_gets_a_session_in_another(with_pool: Callable[..., None], control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handstamp.pool.live._ANSWER_SECONDS", 1.0)
    monkeypatch.setattr("handstamp.pool.live._CLOSE_SECONDS", 2.0)

    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        hung = engine().pids()
        for pid in hung:
            os.kill(pid, signal.SIGSTOP)
        async with opened.pool.use(session_id) as live:
            assert await who(live) == "demo"
        assert not set(hung) & set(engine().pids())

    with_pool(flow)
    assert logins(control) == 1


def test_a_browser_that_is_killed_in_use_is_an_error_there_and_then_and_no_loss(with_pool: Callable[..., None], control: Control) -> None:
    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        async with opened.pool.use(session_id) as live:
            page = await live.context.new_page()
            waiting = asyncio.create_task(page.wait_for_function("() => false", timeout=20_000))
            await asyncio.sleep(0.1)
            for pid in engine().pids():
                os.kill(pid, signal.SIGKILL)
            with pytest.raises(Error):  # Playwright's own: whoever has the page hears it
                await waiting
        async with opened.pool.use(session_id) as live:
            assert await who(live) == "demo"

    with_pool(flow)
    assert logins(control) == 1


def test_a_session_that_the_site_has_ended_is_brought_back_on_its_next_use(with_pool: Callable[..., None], control: Control) -> None:
    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        control.revoke(username="demo")
        async with opened.pool.use(session_id) as live:
            assert await who(live) == "demo"

    with_pool(flow, trust_seconds=0.0)
    assert logins(control) == 2


TOKENS_ONLY = """
name = "tokens"
base_url = "{url}"
login = {{ url = "/login", steps = [
    {{ fill = "#username", value = "{{username}}" }},
    {{ fill = "#password", value = "{{password}}" }},
    {{ click = "main button[type=submit]" }},
] }}
check = {{ url = "/api/account", logged_in = {{ status = 200 }}, logged_out = {{ status = 401 }} }}

[session]
bearer = {{ local_storage = "token" }}
refresh = {{ url = "/api/token", local_storage = "refresh_token", store = {{ token = "token", refresh_token = "refresh_token" }} }}
"""


def test_a_live_session_whose_token_is_spent_gets_a_new_one_without_a_login(
    with_pool: Callable[..., None], control: Control, servers: DemoServers, home: Path
) -> None:
    (home / "sites").mkdir(parents=True, exist_ok=True)
    (home / "sites" / "tokens.toml").write_text(TOKENS_ONLY.format(url=servers.portside.url))
    control.set(token_seconds=60.0, refresh_rotation=True)

    async def flow(opened: Opened) -> None:
        session_id = (await opened.pool.admit("tokens", DEMO.username, DEMO.password)).session.session_id
        for _ in range(2):
            control.advance(61.0)
            async with opened.pool.use(session_id) as live:
                assert await who(live) == "demo"
        assert "token-reuse" not in control.stats().portside.sessions_ended

    with_pool(flow, trust_seconds=0.0)
    assert logins(control) == 1


def test_live_sessions_are_looked_at_and_brought_back_while_nobody_uses_them(with_pool: Callable[..., None], control: Control) -> None:
    async def flow(opened: Opened) -> None:
        await opened.admit()
        control.revoke(username="demo")
        while opened.pool.facts().counters.brought_back == 0:  # noqa: ASYNC110  (the pool tells nobody)
            await asyncio.sleep(0.05)
        assert (await opened.admit()).is_new is False

    with_pool(flow, session_refresh_interval=0.4, look_every=0.2)
    assert logins(control) == 2


def test_without_keep_alive_an_idle_session_ends(with_pool: Callable[..., None], control: Control) -> None:
    async def flow(opened: Opened) -> None:
        kept, ended = await opened.admit(DEMO), await opened.admit(DANA, keep_alive=False)
        while "dana" in await opened.states():  # noqa: ASYNC110  (the pool tells nobody)
            await asyncio.sleep(0.05)
        with pytest.raises(SessionNotFound, match="Invalid or expired session_id"):
            await opened.pool.known(ended.session.session_id)
        await opened.pool.known(kept.session.session_id)
        again = await opened.admit(DANA)
        assert (again.is_new, again.session.session_id) == (False, ended.session.session_id)

    with_pool(flow, session_timeout=0.5, look_every=0.2)
    assert logins(control) == 2


def test_an_idle_session_that_ends_by_its_time_is_neither_opened_again_nor_logged_in_for_a_look(with_pool: Callable[..., None], control: Control) -> None:
    async def flow(opened: Opened) -> None:
        await opened.admit(DANA, keep_alive=False)
        control.revoke()
        while "dana" in await opened.states():  # noqa: ASYNC110  (the pool tells nobody)
            await asyncio.sleep(0.05)
        await opened.admit(DEMO)  # takes longer than the round that ended the other
        assert opened.pool.facts().counters.opened == 2

    with_pool(flow, session_timeout=0.5, look_every=0.2, session_refresh_interval=0.3)
    assert logins(control) == 2


def test_an_ended_session_is_back_for_its_credentials_without_a_login(with_pool: Callable[..., None], control: Control) -> None:
    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        assert await opened.pool.end(session_id)
        assert opened.pool.facts().live == 0
        with pytest.raises(SessionNotFound):
            async with opened.pool.use(session_id):
                pass
        with pytest.raises(SessionNotFound):
            await opened.pool.end(session_id)
        back = await opened.admit()
        assert (back.is_new, back.session.session_id) == (False, session_id)

    with_pool(flow)
    assert logins(control) == 1


def test_a_forgotten_session_leaves_nothing_in_the_vault(with_pool: Callable[..., None], vault: Vault) -> None:
    async def flow(opened: Opened) -> None:
        await opened.pool.end((await opened.admit(captcha_api_key="canary-key")).session.session_id, forget=True)

    with_pool(flow)
    assert vault.profiles() == []
    assert vault.accounts("portside") == []


def test_sessions_can_have_browsers_of_their_own(with_pool: Callable[..., None]) -> None:
    async def flow(opened: Opened) -> None:
        await opened.admit(DEMO)
        await opened.admit(DANA)
        assert len(engine().pids()) >= 2

    with_pool(flow, isolation="session")


def test_above_its_memory_limit_fewer_sessions_are_live(with_pool: Callable[..., None]) -> None:
    async def flow(opened: Opened) -> None:
        await opened.admit(DEMO)
        await opened.admit(DANA)
        while opened.pool.facts().max_sessions > 1 or opened.pool.facts().live > 1:  # noqa: ASYNC110  (the pool tells nobody)
            await asyncio.sleep(0.05)
        assert opened.pool.facts().memory_mb > 1
        assert sorted((await opened.states()).values()) == ["hibernated", "live"]

    with_pool(flow, max_memory_mb=1, look_every=0.2)


def test_a_session_whose_profile_somebody_took_is_opened_anew_for_its_next_user(with_pool: Callable[..., None], control: Control, vault: Vault) -> None:
    async def flow(opened: Opened) -> None:
        admission = await opened.admit()
        vault.break_lease(admission.session.profile, reason="a test")
        while opened.pool.facts().live:  # noqa: ASYNC110  (the pool tells nobody)
            await asyncio.sleep(0.05)
        async with opened.pool.use(admission.session.session_id) as live:
            assert await who(live) == "demo"
            found = vault.lease_info(admission.session.profile)
            assert found is not None

    with_pool(flow)
    assert logins(control) == 1


def test_who_waits_for_a_session_when_the_pool_stops_is_told_at_once_and_the_work_ends(vault: Vault, tmp_path: Path) -> None:
    async def flow() -> None:
        async with pool_of(vault, tmp_path) as opened:
            session_id = (await opened.admit()).session.session_id

            async def queued() -> None:
                async with opened.pool.use(session_id):
                    raise AssertionError("nothing new is begun")

            async with opened.pool.use(session_id) as live:
                waiting = asyncio.create_task(queued())
                await asyncio.sleep(0.1)
                draining = asyncio.create_task(opened.pool.drain(20.0))
                await asyncio.sleep(0.1)
                assert await who(live) == "demo"
            with pytest.raises(Stopping):
                await waiting
            await draining

    asyncio.run(flow())


def test_work_that_is_cut_off_by_the_end_hears_its_own_error(vault: Vault, tmp_path: Path) -> None:
    async def flow() -> None:
        async with pool_of(vault, tmp_path) as opened:
            session_id = (await opened.admit()).session.session_id

            async def cut_off() -> None:
                async with opened.pool.use(session_id):
                    await opened.pool.drain(0.1)
                    raise ZeroDivisionError

            with pytest.raises(ZeroDivisionError):
                await cut_off()

    asyncio.run(flow())
    assert vault.leases() == []


def test_a_login_that_waits_for_an_answer_holds_no_window(with_pool: Callable[..., None], control: Control) -> None:
    async def flow(opened: Opened) -> None:
        dana = await opened.admit(DANA)
        control.set("portside", captcha=True)
        stuck = asyncio.create_task(opened.admit(DEMO))
        await asyncio.sleep(2.0)
        assert not stuck.done()
        async with opened.pool.use(dana.session.session_id) as live:
            assert await who(live) == "dana"
        assert opened.pool.facts().live == 1
        stuck.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stuck

    with_pool(flow, max_sessions=1)


def test_a_browser_that_hangs_is_ended_and_its_sessions_come_back(with_pool: Callable[..., None], control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handstamp.pool.live._CLOSE_SECONDS", 2.0)

    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        for pid in engine().pids():
            os.kill(pid, signal.SIGSTOP)
        await opened.pool.hibernate(session_id)
        while opened.pool.facts().live:  # noqa: ASYNC110  (the pool tells nobody)
            await asyncio.sleep(0.05)
        async with opened.pool.use(session_id) as live:
            assert await who(live) == "demo"

    with_pool(flow)
    assert logins(control) == 1


def test_a_page_that_a_caller_left_is_not_there_for_the_next(with_pool: Callable[..., None]) -> None:
    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit()).session.session_id
        async with opened.pool.use(session_id) as live:
            await live.context.new_page()
            live.pages["kept"] = await live.context.new_page()
        async with opened.pool.use(session_id) as live:
            assert live.context.pages == [live.pages["kept"]]

    with_pool(flow)


def test_a_site_is_named_and_never_a_file_or_a_url(with_pool: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "portside.toml").write_text("secret = [")

    async def flow(opened: Opened) -> None:
        for name in (str(tmp_path / "portside.toml"), "https://portside.example", "../portside", "nowhere"):
            with pytest.raises(SiteUnknown) as unknown:
                await opened.pool.admit(name, "demo", "x")
            assert "secret" not in str(unknown.value)
            assert str(tmp_path) not in str(unknown.value)

    with_pool(flow)


def test_credentials_that_were_not_proven_do_not_replace_those_that_were(with_pool: Callable[..., None], vault: Vault, control: Control) -> None:
    async def flow(opened: Opened) -> None:
        first = await opened.admit()
        await opened.pool.hibernate(first.session.session_id)
        vault.set_secret("portside", "demo", "password", "the-new-one")  # by a login elsewhere
        await opened.admit(live=False)
        assert vault.secret("portside", "demo", "password") == "the-new-one"

    with_pool(flow)
    assert logins(control) == 1


def test_keep_alive_stays_as_it_was_when_nobody_says_otherwise(with_pool: Callable[..., None], vault: Vault) -> None:
    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit(keep_alive=False)).session.session_id
        await opened.admit(keep_alive=None)
        served = vault.served(session_id)
        assert served is not None
        assert served.keep_alive is False

    with_pool(flow)


def test_a_session_in_use_does_not_end_for_being_idle(with_pool: Callable[..., None]) -> None:
    async def flow(opened: Opened) -> None:
        session_id = (await opened.admit(keep_alive=False)).session.session_id
        async with opened.pool.use(session_id) as live:
            await asyncio.sleep(2.0)
            assert await who(live) == "demo"
        await opened.pool.known(session_id)

    with_pool(flow, session_timeout=0.7, look_every=0.2)


def test_a_pool_that_drains_lets_work_end_and_begins_none(vault: Vault, tmp_path: Path) -> None:
    async def flow() -> None:
        async with pool_of(vault, tmp_path) as opened:
            session_id = (await opened.admit()).session.session_id
            async with opened.pool.use(session_id) as live:
                draining = asyncio.create_task(opened.pool.drain(10.0))
                await asyncio.sleep(0.05)
                with pytest.raises(Stopping):
                    await opened.admit(DANA)
                assert await who(live) == "demo"
            await draining
            assert opened.pool.facts().live == 0

    asyncio.run(flow())
    assert vault.leases() == []
