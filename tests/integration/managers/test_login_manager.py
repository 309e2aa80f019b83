"""`LoginManager` and `BrowserManager`, and contexts that hold a session already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Error

from handstamp.errors import ConfigError, SiteUnknown
from handstamp.sync_api import BrowserManager, LoginManager, ProfileManager, attach

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, BrowserContext, Page

    from handstamp.demo import DemoServers
    from handstamp.vault import Vault

PASSWORD = {"username": "demo", "password": "harbour-light-7"}


@pytest.fixture
def profiles(vault: Vault) -> ProfileManager:
    return ProfileManager(vault=vault)


@pytest.fixture
def logins(profiles: ProfileManager) -> LoginManager:
    return LoginManager(profiles)


def is_in(page: Page, demo: DemoServers) -> bool:
    page.goto(f"{demo.portside.url}/account")
    return page.url.endswith("/account")


@pytest.mark.timeout(90)  # a login and checks, in browsers of their own
def test_one_login_serves_every_browser_and_a_dead_session_is_renewed_once(
    logins: LoginManager, browser: Browser, context: BrowserContext, demo: DemoServers
) -> None:
    page = context.new_page()
    page.goto(f"{demo.portside.url}/login")
    assert logins.verify_login("portside", page) is False  # nobody knows a password
    assert logins.verify_login("portside", page, credentials=PASSWORD) is True
    assert is_in(page, demo)
    other = browser.new_context()
    assert logins.verify_login("portside.localhost", other) is True
    assert other.pages == []
    assert demo.control.stats().portside.logins == 1
    demo.control.revoke()
    assert logins.verify_login("portside", other, credentials=PASSWORD) is True
    assert is_in(other.new_page(), demo)
    assert demo.control.stats().portside.logins == 2
    other.close()


def test_a_login_by_hand_is_saved_and_comes_back(logins: LoginManager, web: Callable[..., Page]) -> None:
    page = web("https://gmail.com", ({"name": "SID", "value": "1", "domain": ".gmail.com", "path": "/"},))
    logins.mark_logged_in("gmail.com", page.context, "work")
    there = web()
    assert logins.verify_login("gmail.com", there, "work") is True
    assert [one["name"] for one in there.context.cookies()] == ["SID"]


def test_a_service_that_nobody_knows_is_named_and_nothing_is_saved(logins: LoginManager, vault: Vault, web: Callable[..., Page]) -> None:
    page = web(cookies=({"name": "SID", "value": "1", "domain": ".gmail.com", "path": "/"},))
    with pytest.raises(SiteUnknown, match=r"no site is called 'portsid'.*mark_logged_in"):
        logins.verify_login("portsid", page)
    assert vault.profiles() == []


def test_what_is_no_browser_is_refused(logins: LoginManager, browser: Browser, web: Callable[..., Page]) -> None:
    with pytest.raises(ConfigError, match="give a Playwright Browser"):
        logins.verify_login("gmail.com", "http://127.0.0.1:9222")  # type: ignore[arg-type]
    web()
    web()
    with pytest.raises(ConfigError, match="contexts; give the BrowserContext"):
        logins.verify_login("gmail.com", browser)
    with pytest.raises(ConfigError, match="MCP"):
        BrowserManager(mcp_client=object())


def test_a_browsers_session_is_saved_by_the_domain_that_it_shows(profiles: ProfileManager, web: Callable[..., Page]) -> None:
    page = web("https://inbox.gmail.com", ({"name": "SID", "value": "1", "domain": ".gmail.com", "path": "/"},))
    manager = BrowserManager(page.context, profile_manager=profiles)
    manager.set_current_profile("work")
    assert manager.save_session_for_current_domain() is True
    there = BrowserManager(web().context, profile_manager=profiles)
    assert there.save_session_for_current_domain("work") is False  # it is at no site
    assert there.restore_session_for_domain("inbox.gmail.com") is False
    assert there.restore_session_for_domain("inbox.gmail.com", "work") is True
    assert there.verify_domain_session_health("inbox.gmail.com", "work") is True
    assert there.verify_domain_session_health("inbox.gmail.com") is False


def test_the_browsers_own_error_page_is_no_site(profiles: ProfileManager, context: BrowserContext) -> None:
    page = context.new_page()
    with pytest.raises(Error, match=r"ERR_CONNECTION_REFUSED|ERR_UNSAFE_PORT"):
        page.goto("http://127.0.0.1:9/")
    assert BrowserManager(page, profile_manager=profiles).save_session_for_current_domain() is False


def test_a_context_that_holds_a_session_already_gives_and_takes(profiles: ProfileManager, web: Callable[..., Page], browser: Browser) -> None:
    page = web("https://a.example")
    page.evaluate("localStorage.setItem('token', 'a')")
    profiles.export_localstorage("other", page)
    context = browser.new_context()
    context.route("**/*", lambda route: route.fulfill(content_type="text/html", body="x"))
    with attach(context, profile="work"):
        there = context.new_page()
        there.goto("https://b.example")
        there.evaluate("localStorage.setItem('token', 'b')")
        assert profiles.import_localstorage("other", there) == 1
        there.goto("https://a.example")
        assert there.evaluate("localStorage.token") == "a"
        there.goto("https://b.example")
        assert there.evaluate("localStorage.token") == "b"
        assert profiles.export_localstorage("third", there) == 2
    context.close()
