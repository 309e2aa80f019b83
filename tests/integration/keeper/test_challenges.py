"""A login stops at what a site asks, keeps its browser, and goes on with whoever's answer comes first."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING

import pytest

from handstamp._signed_in import engine
from handstamp.errors import ChallengeUnsolved, ConfigError
from handstamp.keeper import Keeper
from handstamp.keeper.solvers import Desk, PersonInWindow, ServiceSolver
from handstamp.sites import Challenge
from handstamp.state import Health

if TYPE_CHECKING:
    from handstamp.demo import Control, DemoServers
    from handstamp.keeper import Given
    from handstamp.sites import Site
    from handstamp.vault import Vault

pytestmark = pytest.mark.timeout(120)
CODE = Challenge("portside", "demo", "code", "the code that was sent to your phone")


class Says:
    def __init__(self, answer: str | None, *, after: float = 0.0) -> None:
        self._answer, self._after = answer, after
        self.stopped = False

    async def solve(self, challenge: Challenge) -> str | None:
        del challenge
        try:
            await asyncio.sleep(self._after)
        except asyncio.CancelledError:
            self.stopped = True
            raise
        return self._answer


class Breaks:
    async def solve(self, challenge: Challenge) -> str | None:
        raise ZeroDivisionError(challenge.site)


def test_the_service_reads_the_picture_and_the_login_goes_on(
    vault: Vault, keeper: Keeper, portside: Site, control: Control, given: Given, servers: DemoServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDSTAMP_SOLVER_URL", servers.solver.url)
    monkeypatch.setenv("HANDSTAMP_CAPTCHA_API_KEY", servers.solver.api_key)
    control.set(captcha=True)
    assert engine().run(keeper.log_in(portside, "work", given)).health is Health.VALID
    assert (control.stats().portside.logins, control.stats().portside.attempts) == (1, 1)
    assert vault.challenges() == []


def test_an_answer_from_another_process_lets_the_login_go_on(vault: Vault, keeper: Keeper, portside: Site, control: Control, given: Given) -> None:
    control.set(captcha=True)
    found = []

    def person() -> None:
        while not (waiting := vault.challenges()):
            time.sleep(0.1)
        found.extend(waiting)
        assert vault.answer(waiting[0].challenge_id, control.captcha_answer())

    thread = threading.Thread(target=person)
    thread.start()
    assert engine().run(keeper.log_in(portside, "work", given)).health is Health.VALID
    thread.join()
    (asked,) = found
    assert (asked.site, asked.profile, asked.account, asked.kind) == ("portside", "work", "demo", "image")
    assert asked.image.startswith(b"\x89PNG")
    assert control.stats().portside.attempts == 1


def test_a_service_with_a_wrong_key_or_no_answer_leaves_it_to_others(
    vault: Vault, portside: Site, control: Control, given: Given, servers: DemoServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDSTAMP_CHALLENGE_SECONDS", "2")
    control.set(captcha=True)
    keeper = Keeper(engine(), vault, solver=ServiceSolver(servers.solver.url, api_key="not the key"))
    with pytest.raises(ChallengeUnsolved):
        engine().run(keeper.log_in(portside, "work", given))
    assert control.stats().portside.attempts == 0


def test_the_first_answer_counts_and_the_others_are_let_go(vault: Vault) -> None:
    slow = Says("late", after=60)
    desk = Desk(vault, "work", [Breaks(), Says(None), Says("K7PQX", after=0.1), slow], seconds=30)
    assert asyncio.run(desk.solve(CODE)) == "K7PQX"
    assert slow.stopped
    assert vault.challenges() == []


def test_nobody_is_waited_for_beyond_the_deadline(vault: Vault) -> None:
    assert asyncio.run(Desk(vault, "work", [PersonInWindow(lambda _: None)], seconds=0.3).solve(CODE)) is None
    assert vault.challenges() == []


@pytest.mark.parametrize("url", ["http://solver.example/read", "solver.example", "ftp://localhost/x"])
def test_a_service_is_asked_over_https_only(url: str) -> None:
    with pytest.raises(ConfigError, match="https"):
        ServiceSolver(url, api_key="secret")


def test_a_service_is_not_asked_for_codes() -> None:
    assert asyncio.run(ServiceSolver("https://solver.invalid", api_key="secret").solve(CODE)) is None
    assert "secret" not in repr(ServiceSolver("https://user:secret@solver.invalid/x?k=secret", api_key="secret"))
