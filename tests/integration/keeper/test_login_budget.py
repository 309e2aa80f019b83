"""A wrong password and many workers: the site is asked no oftener than the budget says."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from handstamp._signed_in import engine
from handstamp.errors import LoginBudgetSpent, LoginFailed
from handstamp.keeper import Given, Keeper
from handstamp.keeper.budget import Budget
from handstamp.keeper.charge import clear
from handstamp.state import Health

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.demo import Control
    from handstamp.sites import Site
    from handstamp.vault import Vault

    from .conftest import Workers

pytestmark = pytest.mark.timeout(180)


def test_a_wrong_password_of_twenty_workers_is_tried_once(workers: Callable[..., Workers], vault: Vault, control: Control, saved: Callable[..., None]) -> None:
    saved(vault, "work", dead=True)
    crowd = workers(4, 5, password="not-the-password")
    crowd.go()
    assert crowd.ends() == {"login-failed": 20}
    assert (control.stats().portside.attempts, control.stats().portside.lockouts) == (1, 0)


def test_ever_new_wrong_passwords_stop_at_the_budget(vault: Vault, portside: Site, control: Control, saved: Callable[..., None]) -> None:
    saved(vault, "work", dead=True)
    keeper = Keeper(engine(), vault, budget=Budget(first=0.2, longest=0.4))  # ten minutes of pauses, in seconds
    told = []
    for number in range(12):
        try:
            engine().run(keeper.ensure(portside, "work", Given("demo", f"wrong-{number}")))
        except (LoginFailed, LoginBudgetSpent) as error:
            told.append(type(error))
        time.sleep(0.3)
    assert set(told) == {LoginFailed, LoginBudgetSpent}
    assert control.stats().portside.attempts == 3
    session = vault.session("work", "portside")
    assert session is not None
    assert (session.health, session.health_until, session.needs_refresh) == (Health.BLOCKED, None, True)
    with pytest.raises(LoginBudgetSpent, match="handstamp refresh portside --profile work --clear"):
        engine().run(keeper.ensure(portside, "work", Given("demo", "harbour-light-7")))
    clear(vault, "portside", "demo")
    assert engine().run(keeper.ensure(portside, "work", Given("demo", "harbour-light-7"))).health is Health.VALID
    assert control.stats().portside.attempts == 4


def test_of_two_refused_passwords_neither_is_tried_again_until_a_login_works(
    vault: Vault, keeper: Keeper, portside: Site, control: Control, saved: Callable[..., None]
) -> None:
    saved(vault, "work", dead=True)
    for password in ("wrong-1", "wrong-2", "wrong-1", "wrong-2"):
        with pytest.raises(LoginFailed):
            engine().run(keeper.ensure(portside, "work", Given("demo", password)))
    assert control.stats().portside.attempts == 2
    engine().run(keeper.ensure(portside, "work", Given("demo", "harbour-light-7")))
    control.revoke()
    with pytest.raises(LoginFailed):
        engine().run(keeper.ensure(portside, "work", Given("demo", "wrong-1")))  # the account may have been given it since
    assert control.stats().portside.attempts == 4


def test_the_right_password_is_not_kept_waiting_by_a_wrong_one(
    vault: Vault, keeper: Keeper, portside: Site, control: Control, saved: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(vault, "work", dead=True)
    with pytest.raises(LoginFailed):
        engine().run(keeper.ensure(portside, "work", Given("demo", "wrong")))
    monkeypatch.setenv("HANDSTAMP_PORTSIDE_PASSWORD", "harbour-light-7")
    with pytest.raises(LoginBudgetSpent, match="by itself at"):
        engine().run(keeper.ensure(portside, "work", Given("demo")))  # as keep-alive does
    assert engine().run(keeper.ensure(portside, "work", Given("demo", "harbour-light-7"))).health is Health.VALID
    assert control.stats().portside.attempts == 2


def test_a_locked_account_is_left_alone_for_as_long_as_the_site_says(vault: Vault, portside: Site, control: Control, saved: Callable[..., None]) -> None:
    saved(vault, "work", dead=True)
    control.set(lock_after=1, lock_seconds=600.0)
    keeper = Keeper(engine(), vault, budget=Budget(first=0.01))
    with pytest.raises(LoginFailed):
        engine().run(keeper.ensure(portside, "work", Given("demo", "wrong")))
    known = vault.login_attempts("portside", "demo")
    assert known.not_before is not None
    assert known.failed_at is not None
    assert 500 < (known.not_before - known.failed_at).total_seconds() <= 600
    with pytest.raises(LoginBudgetSpent):
        engine().run(keeper.ensure(portside, "work", Given("demo", "harbour-light-7")))
    assert control.stats().portside.attempts == 1


def test_a_login_that_is_stopped_before_the_password_does_not_count(
    vault: Vault, keeper: Keeper, portside: Site, control: Control, saved: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDSTAMP_CHALLENGE_SECONDS", "60")
    saved(vault, "work", dead=True)
    control.set(captcha=True)

    async def stopped() -> int:
        login = asyncio.create_task(keeper.log_in(portside, "work", Given("demo", "harbour-light-7")))
        while not await asyncio.to_thread(vault.challenges):  # noqa: ASYNC110  (another process might be the one who asks)
            await asyncio.sleep(0.05)
        while_it_ran = (await asyncio.to_thread(vault.login_attempts, "portside", "demo")).failures
        login.cancel()
        await asyncio.gather(login, return_exceptions=True)
        return while_it_ran

    for _ in range(4):
        assert engine().run(stopped()) == 1
    assert vault.login_attempts("portside", "demo").failures == 0
    assert control.stats().portside.attempts == 0
