"""The stand-in sites, and a script in the place of the person who logs in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from handstamp._signed_in import engine
from handstamp.keeper import Keeper
from handstamp.learn import learn
from handstamp.learn.carriers import items_of, only
from handstamp.sites import parse_recipe
from handstamp.sites.check import check_by_http
from handstamp.state import Health

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from playwright.async_api import Page

    from handstamp.learn import Learned
    from handstamp.learn.carriers import Item
    from handstamp.vault import Vault

    Learn = Callable[[str, Callable[[Page], Awaitable[None]]], Learned]


@pytest.fixture
def keeper(vault: Vault) -> Keeper:
    return Keeper(engine(), vault)


@pytest.fixture
def learned(keeper: Keeper) -> Learn:
    """Learn a site by a script, without a window."""

    def run(url: str, log_in: Callable[[Page], Awaitable[None]]) -> Learned:
        return engine().run(learn(keeper, url, log_in, name="learned", headless=True))

    return run


@pytest.fixture
def is_in(keeper: Keeper) -> Callable[[Learned, Collection[Item]], bool]:
    """Whether a fresh context with these items alone is signed in, by a browser's word and the learned check."""

    async def look(learned: Learned, items: Collection[Item]) -> bool:
        site = parse_recipe(learned.text, source="the test")
        async with keeper.context(only(learned.state, items), learned.device) as (page, _):
            verdict = await site.check(page)
        assert verdict.health in {Health.VALID, Health.EXPIRED}, verdict
        return verdict.health is Health.VALID

    return lambda learned, items: engine().run(look(learned, items))


@pytest.fixture
def truly_minimal(is_in: Callable[[Learned, Collection[Item]], bool]) -> Callable[[Learned], bool]:
    """Whether the learned set is enough alone, and is not without any one of it; more was there to choose from."""

    def minimal(learned: Learned) -> bool:
        assert len(items_of(learned.state, learned.recipe.domains, now=datetime.now(UTC))) > len(learned.carriers)
        without = [[one for one in learned.carriers if one != item] for item in learned.carriers]
        return is_in(learned, learned.carriers) and not any(is_in(learned, fewer) for fewer in without)

    return minimal


@pytest.fixture
def is_in_by_http(keeper: Keeper) -> Callable[[Learned, list[str]], bool]:
    """The same by plain HTTP, with the items of these names."""
    del keeper

    def look(learned: Learned, names: list[str]) -> bool:
        items = [item for item in items_of(learned.state, learned.recipe.domains, now=datetime.now(UTC)) if item.name in names]
        assert len(items) == len(names)
        site = parse_recipe(learned.text, source="the test")
        return check_by_http(site, only(learned.state, items), learned.device).verdict.health is Health.VALID

    return look
