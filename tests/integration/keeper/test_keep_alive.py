"""Keeping sessions alive: each is looked at in its turn, what has ended is brought back once, and nobody's page is touched."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from handstamp._signed_in import engine
from handstamp.errors import BrowserMissing
from handstamp.keeper import KeepAlive, Keeper
from handstamp.sites import Site
from handstamp.state import Health
from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from handstamp.demo import Control
    from handstamp.keeper import Given

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def quick(portside: Site) -> Site:
    """Portside, whose sessions are due at once."""
    assert portside.recipe.keep_alive is not None
    return Site(replace(portside.recipe, keep_alive=replace(portside.recipe.keep_alive, every=0.01)))


def due_again_in_an_hour(site: Site) -> Site:
    assert site.recipe.keep_alive is not None
    return Site(replace(site.recipe, keep_alive=replace(site.recipe.keep_alive, every=3600.0)))


def once(keeping: KeepAlive) -> None:
    engine().run(keeping.run(asyncio.Event(), once=True))


def due(vault: Vault, site: Site, keeper: Keeper, **options: object) -> KeepAlive:
    """A keeper of sessions that are due now, and then not for an hour."""
    vault.enrol(site.name, within=0, why="first")
    return KeepAlive(keeper, {site.name: due_again_in_an_hour(site)}, **options)  # type: ignore[arg-type]


def test_each_session_is_looked_at_once_and_noted(vault: Vault, keeper: Keeper, portside: Site, control: Control, saved: Callable[..., None]) -> None:
    for number in range(20):
        saved(vault, f"p{number}")
    before = {session.session_id: session.last_verified for session in vault.sessions()}
    events = len(vault.events(limit=1000))
    keeping = due(vault, portside, keeper)
    once(keeping)
    assert keeping.counts.by_health == {"valid": 20}
    assert control.stats().portside.requests["GET /account"] == 20
    assert control.stats().portside.requests["GET /ping"] == 20
    for session in vault.sessions():
        assert session.last_verified is not None
        assert session.last_verified > before[session.session_id]  # type: ignore[operator]
        turn = vault.turn(session.session_id)
        assert turn is not None
        assert turn.why == "regular"
    assert len(vault.events(limit=1000)) == events  # nothing new is no news


def test_what_a_session_id_rotates_to_is_kept(vault: Vault, keeper: Keeper, portside: Site, control: Control, saved: Callable[..., None]) -> None:
    saved(vault, "work")
    control.set(rotate=True)
    for _ in range(3):
        vault.enrol("portside", within=0, why="first")
        once(due(vault, portside, keeper))
        session = vault.session("work", "portside")
        assert session is not None
        with vault._store().write() as transaction:  # the next hour has come
            transaction.run("end_turn", session_id=session.session_id, due_at=transaction.now() - 1, why="due")
    assert engine().run(keeper.check(portside, "work")).health is Health.VALID
    assert control.stats().portside.logins == 0


def test_what_has_ended_is_brought_back_by_one_login(
    vault: Vault, keeper: Keeper, portside: Site, control: Control, saved: Callable[..., None], given: Given
) -> None:
    saved(vault, "work", dead=True)
    keeping = due(vault, portside, keeper, given=given)
    once(keeping)
    session = vault.session("work", "portside")
    assert session is not None
    assert (session.health, session.logins, keeping.counts.brought_back) == (Health.VALID, 1, 1)
    assert control.stats().portside.logins == 1
    (ended,) = vault.events(site="portside", kind="ended")
    assert isinstance(ended.data["lived"], float)


def test_without_credentials_it_is_flagged_and_looked_at_seldom(
    vault: Vault, keeper: Keeper, portside: Site, control: Control, saved: Callable[..., None]
) -> None:
    saved(vault, "work", dead=True)
    keeping = due(vault, portside, keeper)
    once(keeping)
    session = vault.session("work", "portside")
    assert session is not None
    assert (session.health, session.needs_refresh, keeping.counts.flagged) == (Health.EXPIRED, True, 1)
    turn = vault.turn(session.session_id)
    assert turn is not None
    assert turn.why.startswith("login-required")
    assert control.stats().portside.attempts == 0


def test_a_profile_that_somebody_has_open_is_left_alone(vault: Vault, keeper: Keeper, portside: Site, control: Control, saved: Callable[..., None]) -> None:
    saved(vault, "work")
    with vault.lease("work"):
        keeping = due(vault, portside, keeper)
        once(keeping)
    assert (keeping.counts.looked, keeping.counts.in_use) == (0, 1)
    assert "GET /account" not in control.stats().portside.requests


def test_a_site_in_trouble_costs_no_session(vault: Vault, keeper: Keeper, portside: Site, control: Control, saved: Callable[..., None], given: Given) -> None:
    saved(vault, "work")
    control.set(error_share=1.0)
    keeping = due(vault, portside, keeper, given=given)
    once(keeping)
    session = vault.session("work", "portside")
    assert session is not None
    assert (keeping.counts.by_health, session.health) == ({"unknown": 1}, Health.VALID)
    assert control.stats().portside.attempts == 0


def test_two_keepers_share_the_work(vault: Vault, home: Path, portside: Site, control: Control, saved: Callable[..., None]) -> None:
    for number in range(30):
        saved(vault, f"p{number}")
    with Vault(home=home) as other:
        keepers = [due(vault, portside, Keeper(engine(), vault)), due(other, portside, Keeper(engine(), other))]
        threads = [threading.Thread(target=once, args=(keeping,)) for keeping in keepers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sum(keeping.counts.looked for keeping in keepers) == 30
    assert control.stats().portside.requests["GET /account"] == 30


def test_no_browser_is_started_where_the_recipe_asks_for_none(
    vault: Vault, portside: Site, saved: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(vault, "work")
    monkeypatch.setenv("HANDSTAMP_BROWSER", "/nonexistent/browser")
    check = portside.recipe.check
    assert check is not None
    unclear = Site(replace(portside.recipe, check=replace(check, logged_in=(replace(check.logged_in[0], selector=("#logout",)),))))
    once(due(vault, unclear, Keeper(engine(), vault)))
    with pytest.raises(BrowserMissing):
        engine().run(Keeper(engine(), vault).check(unclear, "work"))


def test_a_keeper_that_is_stopped_gives_back_what_it_claimed(vault: Vault, keeper: Keeper, quick: Site, control: Control, saved: Callable[..., None]) -> None:
    for number in range(12):
        saved(vault, f"p{number}")
    control.set(slow_ms=200)

    async def a_while() -> KeepAlive:
        keeping, stop = KeepAlive(keeper, {"portside": quick}), asyncio.Event()
        running = asyncio.create_task(keeping.run(stop))
        await asyncio.sleep(1.0)
        stop.set()
        await running
        return keeping

    keeping = engine().run(a_while())
    assert keeping.counts.looked > 0
    control.set(slow_ms=0)
    once(KeepAlive(keeper, {"portside": due_again_in_an_hour(quick)}))
    assert all(session.health is Health.VALID for session in vault.sessions())
    assert vault.claim_turns(limit=100, life=1.0) == []
