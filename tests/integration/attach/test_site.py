"""Attaching with a site: what the browser has is looked at first, then the session is checked, and logged in if need be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from handstamp.demo import BUILT_IN
from handstamp.errors import LoginRequired
from handstamp.sync_api import attach, signed_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from handstamp.demo import DemoServers


def signed_in_at(page: Page, demo: DemoServers) -> bool:
    page.goto(f"{demo.portside.url}/account")
    return page.get_by_role("button", name="Log out").count() == 1


def test_a_session_that_has_to_be_logged_in_is_logged_in_once_and_brought_in(chrome, vault, demo, monkeypatch) -> None:
    with pytest.raises(LoginRequired, match="nothing is saved"), attach(chrome.endpoint, profile="work", site="portside"):
        pass
    monkeypatch.setenv("HANDSTAMP_PORTSIDE_USERNAME", BUILT_IN[0].username)
    monkeypatch.setenv("HANDSTAMP_PORTSIDE_PASSWORD", BUILT_IN[0].password)
    for _ in range(2):
        with attach(chrome.endpoint, profile="work", site="portside") as attached:
            assert signed_in_at(attached.context.new_page(), demo)
    assert demo.control.stats().portside.logins == 1
    session = vault.session("work", "portside")
    assert session is not None
    assert (session.username, session.logins) == (BUILT_IN[0].username, 1)


def sign_in_by_hand(page: Page, demo: DemoServers) -> None:
    page.goto(f"{demo.portside.url}/login")
    page.fill("#username", BUILT_IN[0].username)
    page.fill("#password", BUILT_IN[0].password)
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "/login" not in url)


def test_a_login_that_a_person_made_in_the_browser_is_taken_over_without_another(chrome, vault, demo) -> None:
    with attach(chrome.endpoint, profile="elsewhere") as attached:
        sign_in_by_hand(attached.context.new_page(), demo)
    with attach(chrome.endpoint, profile="work", site="portside") as attached:
        assert signed_in_at(attached.context.pages[-1], demo)
    with signed_in("portside", profile="work") as context:
        assert signed_in_at(context.new_page(), demo)
    assert demo.control.stats().portside.logins == 1
    assert [session.site for session in vault.sessions("work")] == ["portside"]


def test_it_is_taken_over_from_a_browser_that_nothing_reaches_too(vault, demo, executable, tmp_path) -> None:
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(tmp_path / "profile", executable_path=executable)
        page = context.new_page()
        sign_in_by_hand(page, demo)
        for _ in range(2):
            with attach(context, profile="work", site="portside"):
                assert signed_in_at(page, demo)
        context.close()
    assert demo.control.stats().portside.logins == 1
    assert [session.health for session in vault.sessions("work")] == ["valid"]
