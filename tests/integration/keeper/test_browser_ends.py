"""A browser that ends in a login: its end is told, the site is not blamed for it, and whoever calls again is let in."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import pytest

from handstamp._signed_in import engine
from handstamp.browser import Launch, find_browser
from handstamp.errors import BrowserGone
from handstamp.keeper import Given, Keeper
from handstamp.state import Health

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.demo import Control
    from handstamp.sites import Site
    from handstamp.vault import Attempts, Vault

pytestmark = pytest.mark.timeout(60)


async def killed(vault: Vault, site: Site, given: Given, *, when: Callable[[], object]) -> Attempts:
    """What is known of the account when the browser was killed in a login, as soon as `when` says something true."""
    async with engine().browser(Launch(find_browser())) as chromium:
        login = asyncio.create_task(Keeper(engine(), vault, chromium=chromium).log_in(site, "work", given))
        while not await asyncio.to_thread(when):  # noqa: ASYNC110  (it is in the vault, which sets no event)
            await asyncio.sleep(0.05)
        os.kill(chromium.pid, signal.SIGKILL)
        with pytest.raises(BrowserGone):
            await login
    return await asyncio.to_thread(vault.login_attempts, site.name, "demo")


def begun(vault: Vault) -> Callable[[], object]:
    return lambda: vault.login_attempts("portside", "demo").failures


def test_a_browser_that_is_killed_before_the_password_costs_no_attempt_and_no_pause(
    vault: Vault, keeper: Keeper, portside: Site, control: Control, given: Given
) -> None:
    control.set(slow_ms=3000)
    known = engine().run(killed(vault, portside, given, when=begun(vault)))
    assert (known.failures, known.troubles, known.not_before) == (0, 0, None)
    control.set(slow_ms=0)
    assert engine().run(keeper.log_in(portside, "work", given)).health is Health.VALID
    assert control.stats().portside.attempts == 1


def test_a_browser_that_is_killed_after_the_password_costs_an_attempt_and_no_pause(
    vault: Vault, keeper: Keeper, portside: Site, control: Control, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDSTAMP_CHALLENGE_SECONDS", "3")
    control.set(totp=True)
    known = engine().run(killed(vault, portside, given, when=vault.challenges))
    assert (known.failures, known.troubles, known.not_before) == (1, 0, None)
    session = vault.session("work", "portside")
    assert session is None or session.health is Health.UNKNOWN
    control.set(totp=False)
    assert engine().run(keeper.log_in(portside, "work", given)).health is Health.VALID
    assert vault.login_attempts("portside", "demo").failures == 0
