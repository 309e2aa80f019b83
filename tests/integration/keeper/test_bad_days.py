"""A site's bad days: the class and its evidence are right, nothing is deleted or overwritten, and nobody logs in."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from handstamp._signed_in import engine
from handstamp.errors import ChallengeUnsolved, LoginBudgetSpent, LoginFailed
from handstamp.keeper import Given, Keeper
from handstamp.keeper.verdicts import recorded
from handstamp.state import Health

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from handstamp.demo import Control
    from handstamp.sites import Site
    from handstamp.vault import Vault

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def dead_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # never listens
        yield taken.getsockname()[1]


def kept(vault: Vault) -> list[tuple[str, int]]:
    """All versions of all parts: nothing may be added, and nothing may be gone."""
    return [(str(version.part), version.generation) for version in vault.history("work")]


@pytest.mark.parametrize(
    ("knobs", "health", "rule"),
    [
        ({"error_share": 1.0, "error_status": 500}, Health.UNKNOWN, "server-error"),
        ({"error_share": 1.0, "error_status": 502}, Health.UNKNOWN, "server-error"),
        ({"error_share": 1.0, "error_status": 403}, Health.BLOCKED, "forbidden"),
        ({"error_share": 1.0, "error_status": 429}, Health.BLOCKED, "too-many"),
    ],
)
def test_a_site_in_trouble_costs_nothing(
    vault: Vault, keeper: Keeper, portside: Site, control: Control, given: Given, saved: Callable[..., None], knobs: dict[str, Any], health: Health, rule: str
) -> None:
    saved(vault, "work")
    before = kept(vault)
    control.set(**knobs)
    verdict = engine().run(keeper.check(portside, "work"))
    assert (verdict.health, verdict.evidence[-1].rule) == (health, rule)
    assert verdict.evidence[-1].status == knobs["error_status"]
    session = engine().run(keeper.ensure(portside, "work", given))
    assert session is not None
    assert kept(vault) == before
    assert control.stats().portside.attempts == 0
    (event, *_) = vault.events(site="portside", kind="check", limit=1)
    assert event.data["health"] == health.value
    control.set(error_share=0.0)
    assert engine().run(keeper.check(portside, "work")).health is Health.VALID


def test_no_network_costs_nothing(
    vault: Vault, keeper: Keeper, portside: Site, control: Control, given: Given, saved: Callable[..., None], dead_port: int
) -> None:
    saved(vault, "work")
    before = kept(vault)
    for url, failure in ((f"http://portside.localhost:{dead_port}", "refused"), ("http://no-such-host.invalid", "dns")):
        site = portside.at(url)
        verdict = engine().run(keeper.check(site, "work"))
        assert (verdict.health, verdict.evidence[-1].rule) == (Health.UNKNOWN, "no-answer")
        assert failure in verdict.text
        engine().run(keeper.ensure(site, "work", given))
    assert kept(vault) == before
    assert control.stats().portside.attempts == 0
    assert engine().run(keeper.check(portside, "work")).health is Health.VALID


def test_a_captcha_at_the_login_is_a_challenge_and_sends_no_password(
    vault: Vault, keeper: Keeper, portside: Site, control: Control, given: Given, saved: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDSTAMP_CHALLENGE_SECONDS", "1")
    saved(vault, "work", dead=True)
    control.set(captcha=True)
    with pytest.raises(ChallengeUnsolved):
        engine().run(keeper.ensure(portside, "work", given))
    session = vault.session("work", "portside")
    assert session is not None
    assert session.health is Health.CHALLENGED
    assert (control.stats().portside.attempts, vault.login_attempts("portside", "demo").failures) == (0, 0)
    assert vault.challenges() == []


def test_a_login_page_that_changed_is_told_and_sends_no_password(
    vault: Vault, keeper: Keeper, portside: Site, control: Control, given: Given, saved: Callable[..., None]
) -> None:
    saved(vault, "work", dead=True)
    before = kept(vault)
    control.set(renamed_form=True)
    with pytest.raises(LoginFailed, match="may have changed"):
        engine().run(keeper.ensure(portside, "work", given))
    assert control.stats().portside.attempts == 0
    assert kept(vault)[-len(before) :] == before
    known = vault.login_attempts("portside", "demo")
    assert (known.failures, known.troubles) == (0, 1)
    with pytest.raises(LoginBudgetSpent, match="by itself at"):  # it is not asked again and again
        engine().run(keeper.ensure(portside, "work", given))


def test_a_stale_look_ends_no_session(vault: Vault, keeper: Keeper, portside: Site, control: Control, saved: Callable[..., None]) -> None:
    """Whoever looked with the session of before hears that it is over, when a new one is saved already."""
    saved(vault, "work", dead=True)
    old = vault.load("work", domains=portside.domains)
    seen = vault.session("work", "portside")
    assert engine().run(keeper.log_in(portside, "work", Given("demo", "harbour-light-7"))).health is Health.VALID
    verdict, _ = keeper._looking._once(portside, "work", seen, old, None)
    assert verdict.health is Health.EXPIRED
    assert recorded(vault, portside, "work", verdict, seen=seen).health is Health.VALID
    assert engine().run(keeper.check(portside, "work")).health is Health.VALID
    assert control.stats().portside.logins == 1


def test_a_hundred_checks_by_http_and_in_a_browser_do_not_end_a_session_that_is_bound_to_its_user_agent(
    keeper: Keeper, portside: Site, control: Control, given: Given
) -> None:
    control.set(bind_user_agent=True)
    engine().run(keeper.log_in(portside, "work", given))

    async def in_browser() -> Health:
        session = await keeper.session(portside, "work")
        verdict = await keeper.check(portside, "work")
        return (await keeper._check_in_browser(portside, "work", session, verdict, lease=None)).health

    for _ in range(5):
        assert engine().run(in_browser()) is Health.VALID
        for _ in range(18):
            assert engine().run(keeper.check(portside, "work")).health is Health.VALID
    assert control.stats().portside.logins == 1
