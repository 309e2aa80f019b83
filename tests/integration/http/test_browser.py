"""A browser and HTTP clients in one profile: each sees what the other changes."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import handstamp
from handstamp._signed_in import engine
from handstamp.errors import BrowserMissing
from handstamp.keeper import Keeper
from handstamp.sites import Check, Condition, Recipe, SessionRules, Site
from handstamp.state import Clock, Cookie, Entry, Health, Part, PartId, PartKind, StorageState
from handstamp.sync_api import signed_in

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Web
    from handstamp.demo import DemoServers
    from handstamp.vault import Vault


def test_a_login_in_the_browser_serves_http_and_the_other_way_round(demo: DemoServers) -> None:
    with signed_in("portside") as context:
        context.new_page().goto("/account")
    with handstamp.Client("portside") as client:
        assert "Log out" in client.get("/account").text
        demo.control.revoke()
        assert "Log out" in client.get("/account").text
    with signed_in("portside") as context:
        page = context.new_page()
        page.goto("/account")
        assert "Log out" in page.content()
    assert demo.control.stats().portside.logins == 2


def test_in_one_process_each_sees_the_others_session_id_at_once(demo: DemoServers) -> None:
    demo.control.set(rotate=True)  # an id works once, so a single missed change would cost a login
    with handstamp.Client("portside") as client, signed_in("portside") as context:
        page = context.new_page()
        for _ in range(4):
            page.goto("/account")
            assert "Log out" in page.content()
            assert "Log out" in client.get("/account").text
    assert demo.control.stats().portside.logins == 1


def test_an_open_page_gets_the_token_that_a_client_has_renewed(demo: DemoServers) -> None:
    demo.control.set(token_seconds=60.0, refresh_rotation=True)
    with handstamp.Client("portside") as client, signed_in("portside") as context:
        page = context.new_page()
        page.goto("/about")
        before = page.evaluate("localStorage.getItem('token')")
        demo.control.advance(61)
        assert client.get("/api/account").status_code == 200
        assert page.evaluate("localStorage.getItem('token')") not in {None, before}


def test_another_process_sees_a_change_within_two_seconds(demo: DemoServers) -> None:
    code = "import handstamp\nwith handstamp.Client('portside') as client: print('Log out' in client.get('/account').text)"
    with signed_in("portside") as context:
        page = context.new_page()
        page.goto("/account")
        demo.control.set(rotate=True)
        for _ in range(2):
            time.sleep(2)  # the promise under test
            assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "True"
            time.sleep(2)
            page.goto("/account")
            assert "Log out" in page.content()
    assert demo.control.stats().portside.logins == 1


def only_a_browser_can_tell(web: Web, vault: Vault) -> Site:
    """A site that tells by selectors, its session saved and known to be valid."""
    check = Check("/account", (Condition(selector=("#out-button",)),), (Condition(selector=("#in-form",)),))
    cookie = Cookie("sid", "good", "127.0.0.1", http_only=True)
    vault.save("default", StorageState.of([Part(PartId(PartKind.COOKIES, "127.0.0.1"), {cookie.key: Entry(cookie, Clock("test").stamp())})]))
    vault.update_session("default", "local", lambda session: replace(session, health=Health.VALID))
    return Site(Recipe("local", web.url(), ("127.0.0.1",), check=check, session=SessionRules(auth_cookies=("sid",))))


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(("status", "setting"), [(200, "sid=; Max-Age=0"), (503, "sid=; Max-Age=0"), (503, "sid=of-the-gateway")])
def test_a_check_in_a_browser_that_cannot_tell_deletes_nothing_and_overwrites_nothing(web: Web, vault: Vault, status: int, setting: str) -> None:
    site = only_a_browser_can_tell(web, vault)
    shown = iter([(200, b"<p>Loading", [])])  # over HTTP nobody can tell, so a browser looks
    web.pages["/account"] = lambda _: next(shown, (status, b"<p>Back soon</p>", [("Set-Cookie", f"{setting}; Path=/")]))
    verdict = engine().run(Keeper(engine(), vault).check(site, "default"))
    assert (verdict.health, verdict.evidence[-1].check) == (Health.UNKNOWN, "browser")
    assert [cookie.value for cookie in vault.load("default").cookies()] == ["good"]


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("by_browser", [False, True])
def test_a_check_that_sees_the_login_end_pins_what_was_good(web: Web, vault: Vault, *, by_browser: bool) -> None:
    site = only_a_browser_can_tell(web, vault)
    ended = (200, b"<form id=in-form>", [("Set-Cookie", "sid=; Path=/; Max-Age=0")])
    if not by_browser:
        site = Site(replace(site.recipe, check=Check("/account", (Condition(text=("Log out",)),), (Condition(text=("Sign in",)),))))
        ended = (200, b"Sign in", ended[2])
    shown = iter([(200, b"<p>Loading", [])] if by_browser else [])
    web.pages["/account"] = lambda _: next(shown, ended)
    assert engine().run(Keeper(engine(), vault).check(site, "default")).health is Health.EXPIRED
    assert vault.load("default").cookies() == []
    assert [version.current for version in vault.history("default") if version.pinned] == [False]


@pytest.mark.usefixtures("demo")
def test_a_browser_that_the_settings_name_and_is_not_there_is_blamed_on_the_settings(vault: Vault, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HANDSTAMP_BROWSER", raising=False)
    home.mkdir(mode=0o700, exist_ok=True)
    settings_file = home / "handstamp.toml"
    settings_file.write_text('browser = "no-such-browser"\n')
    settings_file.chmod(0o600)
    with handstamp.Client("portside", vault=vault) as client, pytest.raises(BrowserMissing, match=r"'no-such-browser' that handstamp\.toml names"):
        client.get("/account")
