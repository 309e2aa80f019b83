"""A session that only a spent token ends: it is renewed as the recipe says, and a login is made only where that is refused."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from handstamp._signed_in import engine
from handstamp.demo import BUILT_IN
from handstamp.keeper import KeepAlive
from handstamp.keeper.looks import Looking
from handstamp.sites import Check, Condition, Site
from handstamp.state import Clock, Entry, Health, Part, PartId, PartKind, StorageState

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.demo import Control
    from handstamp.keeper import Given, Keeper
    from handstamp.state import Session
    from handstamp.vault import Vault

DEMO = BUILT_IN[0]
LIFE = 60.0


@pytest.fixture
def tokens(portside: Site, control: Control) -> Site:
    """Portside by its tokens alone: short-lived ones, and refresh tokens that work once."""
    control.set(token_seconds=LIFE, refresh_rotation=True)
    check = Check("/api/account", (Condition(status=(200,)),), (Condition(status=(401,)),))
    return Site(replace(portside.recipe, check=check, session=replace(portside.recipe.session, auth_cookies=())))


@pytest.fixture
def spent(vault: Vault, tokens: Site, control: Control) -> Callable[[], None]:
    """`spent()` keeps a session whose token has just ended."""

    def save() -> None:
        (opened,) = control.open_sessions(DEMO.username)
        clock = Clock("test")
        items = {("token",): Entry(opened.token, clock.stamp()), ("refresh_token",): Entry(opened.refresh_token, clock.stamp())}
        vault.save("work", StorageState.of([Part(PartId(PartKind.LOCAL, tokens.base_url), items)]))
        vault.update_session("work", tokens.name, lambda session: replace(session, username=DEMO.username, health=Health.VALID))
        control.advance(LIFE + 1)

    return save


def done(control: Control) -> tuple[int, int]:
    """How many tokens were asked for, and how many logins made."""
    told = control.stats().portside
    return told.requests.get("POST /api/token", 0), told.logins


def kept(vault: Vault, keeper: Keeper, site: Site, given: Given) -> tuple[KeepAlive, Session]:
    """One round of keep-alive."""
    vault.enrol(site.name, within=0, why="first")
    assert site.recipe.keep_alive is not None
    hourly = Site(replace(site.recipe, keep_alive=replace(site.recipe.keep_alive, every=3600.0)))
    keeping = KeepAlive(keeper, {site.name: hourly}, given=given)
    engine().run(keeping.run(asyncio.Event(), once=True))
    session = vault.session("work", site.name)
    assert session is not None
    return keeping, session


def test_keep_alive_renews_a_spent_token_and_logs_in_nowhere(
    vault: Vault, keeper: Keeper, tokens: Site, control: Control, given: Given, spent: Callable[[], None]
) -> None:
    spent()
    before = vault.load("work").local_storage(tokens.base_url)
    keeping, session = kept(vault, keeper, tokens, given)
    assert (keeping.counts.by_health, keeping.counts.brought_back, session.health) == ({"valid": 1}, 0, Health.VALID)
    after = vault.load("work").local_storage(tokens.base_url)
    assert {name for name in after if after[name] != before[name]} == {"token", "refresh_token"}
    assert done(control) == (1, 0)


def test_a_login_is_made_where_the_site_takes_the_refresh_token_no_longer(
    vault: Vault, keeper: Keeper, tokens: Site, control: Control, given: Given, spent: Callable[[], None]
) -> None:
    spent()
    control.revoke()
    keeping, session = kept(vault, keeper, tokens, given)
    assert (keeping.counts.brought_back, session.health, session.logins) == (1, Health.VALID, 1)
    assert done(control) == (1, 1)


def test_who_asks_for_a_session_gets_it_renewed(vault: Vault, keeper: Keeper, tokens: Site, control: Control, given: Given, spent: Callable[[], None]) -> None:
    spent()
    found = engine().run(keeper.ensure(tokens, "work", given))
    assert found is not None
    assert done(control) == (1, 0)
    (check,) = vault.events(site=tokens.name, kind="check")
    assert [one["rule"] for one in check.data["evidence"]] == ["logged-out", "renewed", "logged-in"]  # type: ignore[index, union-attr, call-overload]


def test_of_many_who_look_at_once_one_renews_the_token(vault: Vault, tokens: Site, control: Control, spent: Callable[[], None]) -> None:
    spent()
    looking = Looking(vault, engine().clock)
    with ThreadPoolExecutor(6) as threads:
        verdicts = list(threads.map(lambda _: looking.look(tokens, "work", vault.session("work", tokens.name)), range(6)))
    assert [verdict.health for verdict in verdicts if verdict] == [Health.VALID] * 6
    assert done(control) == (1, 0)
    assert "token-reuse" not in control.stats().portside.sessions_ended


def test_a_token_of_which_nobody_can_tell_starts_no_login(
    vault: Vault, keeper: Keeper, tokens: Site, control: Control, given: Given, spent: Callable[[], None]
) -> None:
    spent()
    rules = tokens.recipe.session
    assert rules.refresh is not None
    nowhere = replace(rules.refresh, url="http://127.0.0.1:9/api/token")
    keeping, session = kept(vault, keeper, Site(replace(tokens.recipe, session=replace(rules, refresh=nowhere))), given)
    assert (keeping.counts.by_health, session.health) == ({"unknown": 1}, Health.VALID)
    assert done(control) == (0, 0)


def test_a_session_whose_time_is_over_is_not_renewed(vault: Vault, keeper: Keeper, tokens: Site, control: Control, spent: Callable[[], None]) -> None:
    spent()
    session = vault.update_session("work", tokens.name, lambda session: replace(session, logged_in_at=session.created_at))
    assert session.logged_in_at is not None
    over = Site(replace(tokens.recipe, session=replace(tokens.recipe.session, max_age=0.001)))
    verdict = engine().run(keeper.check(over, "work"))
    assert (verdict.health, verdict.evidence[-1].rule) == (Health.EXPIRED, "max-age")
    assert done(control) == (0, 0)


def test_a_profile_that_somebody_has_open_is_left_to_its_page(vault: Vault, keeper: Keeper, tokens: Site, control: Control, spent: Callable[[], None]) -> None:
    spent()
    with vault.lease("work") as lease:
        assert engine().run(keeper.check(tokens, "work")).health is Health.EXPIRED
        assert done(control) == (0, 0)
        verdict = engine().run(keeper.check(tokens, "work", lease=lease))  # whoever has it open asks by its lease
        assert (verdict.health, verdict.renewed) == (Health.VALID, True)
    assert done(control) == (1, 0)
