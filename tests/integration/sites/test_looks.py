"""Looks at sites that answer a stranger with cookies of their own: what a look itself changed is nobody else's news."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

import pytest

from handstamp.keeper.looks import Looking
from handstamp.sites import Condition, Recipe, SessionRules, Site
from handstamp.sites.recipe import Check
from handstamp.state import Clock, Health, PartId, PartKind, StorageState, cookie_scope, observed, set_cookie

if TYPE_CHECKING:
    from handstamp.vault import Vault

    from .conftest import Asked, Web


def site_at(web: Web) -> Site:
    check = Check("/account", (Condition(text=("Log out",)),), (Condition(redirect=("/login",)),))
    return Site(Recipe("place", web.url(), ("127.0.0.1",), check=check, session=SessionRules(auth_cookies=("sid",))))


def save(vault: Vault, web: Web, sid: str, clock: Clock) -> None:
    cookie = set_cookie(f"sid={sid}; Path=/", web.url("/"), now=time.time())
    assert cookie is not None
    part_id = PartId(PartKind.COOKIES, cookie_scope(cookie.domain))
    known = vault.load("work").parts.get(part_id)
    vault.save("work", StorageState.of([observed(known, part_id, {cookie.key: cookie}, clock)]))


@pytest.mark.parametrize("answer", ["sid=anonymous-{}; Path=/", "sid=; Path=/; Max-Age=0"])
def test_an_end_that_comes_with_cookies_is_an_end(vault: Vault, web: Web, answer: str) -> None:
    number = itertools.count()
    web.pages["/account"] = lambda _: web.redirect("/login", answer.format(next(number)))
    save(vault, web, "mine", Clock("login"))
    pauses: list[float] = []
    verdict = Looking(vault, Clock("look"), pause=pauses.append).look(site_at(web), "work", None)
    assert verdict is not None
    assert (verdict.health, web.count("/account")) == (Health.EXPIRED, 1)
    assert 0 < sum(pauses) <= 4


def test_an_id_that_somebody_else_brings_meanwhile_is_looked_at(vault: Vault, web: Web) -> None:
    def account(asked: Asked):
        return web.answer("Log out") if asked.cookies.get("sid") == "newer" else web.redirect("/login")

    web.pages["/account"] = account
    save(vault, web, "older", Clock("login"))
    verdict = Looking(vault, Clock("look"), pause=lambda _: save(vault, web, "newer", Clock("other"))).look(site_at(web), "work", None)
    assert verdict is not None
    assert verdict.health is Health.VALID
