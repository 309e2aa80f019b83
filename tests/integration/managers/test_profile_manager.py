"""`ProfileManager` over pages of plain Playwright."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import pytest

from handstamp.errors import ConfigError, SessionNotFound
from handstamp.managers import ProfileManagerConfig
from handstamp.state import Health
from handstamp.sync_api import ProfileManager

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, BrowserContext, Page

    from handstamp.demo import DemoServers
    from handstamp.vault import Vault

DAY = 86_400


def cookie(name: str, domain: str, *, days: float | None = 30, value: str = "v") -> dict[str, Any]:
    return {"name": name, "value": value, "domain": domain, "path": "/", "expires": -1 if days is None else time.time() + days * DAY}


def held(page: Page) -> dict[str, str]:
    return {one["name"]: one["value"] for one in page.context.cookies()}


MAIL = (cookie("SID", ".gmail.com"), cookie("host", "gmail.com"), cookie("other", "notgmail.com"), cookie("google", "mail.google.com"))


@pytest.fixture
def manager(vault: Vault) -> ProfileManager:
    return ProfileManager(vault=vault)


# -- cookies --------------------------------------------------------------------------------------------------


def test_cookies_go_from_one_context_into_another(manager: ProfileManager, web: Callable[..., Page]) -> None:
    assert manager.export_cookies("work", web(cookies=MAIL)) == 4
    page = web()
    assert manager.import_cookies("work", page) == 4
    assert held(page) == {"SID": "v", "host": "v", "other": "v", "google": "v"}


def test_a_domain_is_never_a_substring_of_another(manager: ProfileManager, web: Callable[..., Page]) -> None:
    assert manager.export_cookies("work", web(cookies=MAIL), "gmail.com") == 2
    page = web()
    assert manager.import_cookies("work", page) == 2
    assert held(page).keys() == {"SID", "host"}


def test_a_subdomain_gets_what_its_parent_sends_to_it(manager: ProfileManager, web: Callable[..., Page]) -> None:
    manager.export_cookies("work", web(cookies=MAIL))
    page = web()
    assert manager.import_cookies("work", page, "inbox.gmail.com") == 1
    assert held(page).keys() == {"SID"}


def test_cookies_that_end_soon_are_named_with_the_days_left(manager: ProfileManager, web: Callable[..., Page], caplog: pytest.LogCaptureFixture) -> None:
    manager.export_cookies("work", web(cookies=(cookie("SID", ".gmail.com", days=6.5, value="planted-secret"), cookie("far", "gmail.com"))))
    with caplog.at_level(logging.WARNING):
        manager.import_cookies("work", web(), "gmail.com")
    assert [record.getMessage() for record in caplog.records if record.name == "handstamp.managers.profile"] == [
        "Cookies expiring soon for gmail.com: SID (6.5 days)"
    ]


def test_without_warning_days_nothing_is_named(vault: Vault, web: Callable[..., Page], caplog: pytest.LogCaptureFixture) -> None:
    manager = ProfileManager(ProfileManagerConfig(cookie_expiry_warning_days=0), vault=vault)
    manager.export_cookies("work", web(cookies=(cookie("SID", ".gmail.com", days=0.5),)))
    assert manager.import_cookies("work", web()) == 1
    assert "expiring" not in caplog.text


def test_a_cookie_that_has_ended_is_left_out(manager: ProfileManager, web: Callable[..., Page], caplog: pytest.LogCaptureFixture) -> None:
    manager.export_cookies("work", web(cookies=(cookie("brief", "gmail.com", days=1.2 / DAY), cookie("long", "gmail.com"))))
    page = web()
    page.wait_for_timeout(1500)
    with caplog.at_level(logging.DEBUG, "handstamp.managers"):
        assert manager.import_cookies("work", page) == 1
    assert "the cookie brief of gmail.com has ended" in caplog.text


def test_what_another_program_has_rotated_is_not_put_back(manager: ProfileManager, vault: Vault, web: Callable[..., Page]) -> None:
    first = web(cookies=(cookie("sid", "gmail.com", value="old"),))
    manager.export_cookies("work", first)
    other = ProfileManager(vault=vault)
    other.export_cookies("work", web(cookies=(cookie("sid", "gmail.com", value="rotated"),)))
    assert manager.export_cookies("work", first) == 1
    assert [one.value for one in vault.load("work").cookies()] == ["rotated"]


def test_what_the_site_has_renewed_in_a_context_stays_there_and_is_saved(manager: ProfileManager, vault: Vault, web: Callable[..., Page]) -> None:
    manager.export_cookies("work", web(cookies=(cookie("sid", "gmail.com", value="old", days=None), cookie("far", "gmail.com", value="old"))))
    page = web()
    assert manager.import_cookies("work", page) == 2
    page.context.add_cookies([cookie("sid", "gmail.com", value="renewed", days=None), cookie("far", "gmail.com", value="renewed", days=31)])  # type: ignore[list-item]
    assert manager.import_cookies("work", page) == 0
    assert held(page) == {"sid": "renewed", "far": "renewed"}
    manager.export_cookies("work", page)
    assert {one.value for one in vault.load("work").cookies()} == {"renewed"}


def test_what_another_program_has_saved_since_replaces_what_a_context_was_given(manager: ProfileManager, vault: Vault, web: Callable[..., Page]) -> None:
    manager.export_cookies("work", web(cookies=(cookie("sid", "gmail.com", value="old"),)))
    page = web()
    manager.import_cookies("work", page)
    ProfileManager(vault=vault).export_cookies("work", web(cookies=(cookie("sid", "gmail.com", value="rotated"),)))
    assert manager.import_cookies("work", page) == 1
    assert held(page) == {"sid": "rotated"}


def test_cookies_that_a_page_lacks_are_not_deleted(manager: ProfileManager, vault: Vault, web: Callable[..., Page]) -> None:
    manager.export_cookies("work", web(cookies=MAIL))
    manager.export_cookies("work", web())
    assert len(vault.load("work").cookies()) == 4


def test_clearing_removes_one_domain_or_all(manager: ProfileManager, web: Callable[..., Page]) -> None:
    page = web(cookies=MAIL)
    manager.export_cookies("work", page)
    assert manager.clear_cookies("work", "gmail.com") == 2
    assert manager.import_cookies("work", web()) == 2
    assert manager.clear_cookies("work") == 2
    assert manager.import_cookies("work", web()) == 0
    assert manager.export_cookies("work", page) == 4  # an export is asked for: what was cleared comes back
    assert manager.import_cookies("work", web()) == 4


# -- localStorage ---------------------------------------------------------------------------------------------


def test_items_reach_their_origin_whatever_page_is_open(manager: ProfileManager, web: Callable[..., Page]) -> None:
    page = web("https://gmail.com")
    page.evaluate("localStorage.setItem('token', 'of gmail')")
    page.goto("https://notgmail.com")
    page.evaluate("localStorage.setItem('token', 'of the other')")
    page.goto("about:blank")
    assert manager.export_localstorage("work", page) == 2
    there = web("https://elsewhere.example")
    pages = []
    there.context.on("page", lambda one: pages.append(one))  # noqa: PLW0108  (Playwright marks its handlers)
    assert manager.import_localstorage("work", there, "gmail.com") == 1
    assert all(one.is_closed() for one in pages)
    assert there.evaluate("localStorage.length") == 0
    there.goto("https://gmail.com")
    assert there.evaluate("({...localStorage})") == {"token": "of gmail"}
    there.goto("https://notgmail.com")
    assert there.evaluate("({...localStorage})") == {}


def test_a_page_that_owns_its_context_gets_items_of_other_origins(manager: ProfileManager, browser: Browser, web: Callable[..., Page]) -> None:
    page = web("https://gmail.com")
    page.evaluate("localStorage.setItem('token', '1')")
    manager.export_localstorage("work", page)
    there = browser.new_page()
    assert manager.import_localstorage("work", there) == 1
    assert there.context.pages == [there]
    assert there.context.storage_state()["origins"] == [{"origin": "https://gmail.com", "localStorage": [{"name": "token", "value": "1"}]}]
    there.close()


def test_items_of_several_open_pages_are_saved_under_their_own_origins(manager: ProfileManager, vault: Vault, web: Callable[..., Page]) -> None:
    page = web("https://a.example")
    page.evaluate("localStorage.setItem('__proto__', '1'); localStorage.setItem('getItem', '2')")
    other = page.context.new_page()
    other.goto("https://b.example:8443")
    other.evaluate("localStorage.setItem('k', 'b')")
    assert manager.export_localstorage("work", page) == 3
    assert vault.load("work").local_storage("https://a.example") == {"__proto__": "1", "getItem": "2"}
    assert vault.load("work").local_storage("https://b.example:8443") == {"k": "b"}
    assert manager.clear_localstorage("work", "a.example") == 2
    assert manager.import_localstorage("work", other) == 1


def test_an_item_without_room_is_named_and_the_rest_goes_in(manager: ProfileManager, web: Callable[..., Page], caplog: pytest.LogCaptureFixture) -> None:
    page = web("https://full.example")
    page.evaluate("localStorage.setItem('big', 'x'.repeat(4_000_000)); localStorage.setItem('small', '1')")
    assert manager.export_localstorage("work", page) == 2
    there = web("https://full.example")
    there.evaluate("localStorage.setItem('own', 'y'.repeat(2_000_000))")
    assert manager.import_localstorage("work", there) == 1
    assert there.evaluate("localStorage.getItem('small')") == "1"
    assert "the item big of localStorage was left out: there is no room for it" in caplog.text


# -- switches -------------------------------------------------------------------------------------------------


def test_cookies_can_be_switched_off(vault: Vault, web: Callable[..., Page]) -> None:
    off = ProfileManager(ProfileManagerConfig(enable_cookie_persistence=False), vault=vault)
    page = web("https://gmail.com", MAIL)
    page.evaluate("localStorage.setItem('token', '1')")
    assert (off.export_cookies("work", page), off.export_localstorage("work", page)) == (0, 1)
    ProfileManager(vault=vault).export_cookies("work", page)
    there = web()
    assert off.import_cookies("work", there) == 0
    assert off.restore_session("work", there, "gmail.com")
    assert held(there) == {}


def test_local_storage_can_be_switched_off(vault: Vault, web: Callable[..., Page]) -> None:
    off = ProfileManager(ProfileManagerConfig(enable_localstorage_persistence=False), vault=vault)
    page = web("https://gmail.com", MAIL)
    page.evaluate("localStorage.setItem('token', '1')")
    assert (off.export_cookies("work", page), off.export_localstorage("work", page)) == (4, 0)
    off.on_successful_login("work", page, "gmail.com")
    assert vault.load("work").local_storage("https://gmail.com") == {}
    ProfileManager(vault=vault).export_localstorage("work", page)
    there = web("https://gmail.com")
    assert off.import_localstorage("work", there) == 0
    assert off.restore_session("work", there, "gmail.com")
    assert there.evaluate("localStorage.length") == 0


@pytest.mark.parametrize("on", [True, False])
def test_cookies_are_saved_at_a_login_unless_that_is_off(vault: Vault, web: Callable[..., Page], on: bool) -> None:
    manager = ProfileManager(ProfileManagerConfig(cookie_export_on_login=on), vault=vault)
    page = web("https://gmail.com", MAIL)
    page.evaluate("localStorage.setItem('token', '1')")
    manager.on_successful_login("work", page, "gmail.com")
    assert len(vault.load("work").cookies()) == (4 if on else 0)
    assert vault.load("work").local_storage("https://gmail.com") == {"token": "1"}


# -- a whole login --------------------------------------------------------------------------------------------


def test_a_login_comes_back_with_everything(manager: ProfileManager, web: Callable[..., Page]) -> None:
    page = web("https://gmail.com", MAIL)
    page.evaluate("""async () => {
      localStorage.setItem('token', 'l'); sessionStorage.setItem('tab', 's');
      await new Promise((done) => { const open = indexedDB.open('auth', 1);
        open.onupgradeneeded = () => open.result.createObjectStore('keys').put('secret', 'k');
        open.onsuccess = () => { open.result.close(); done(); }; });
    }""")
    manager.on_successful_login("work", page, "gmail.com")
    there = web("https://gmail.com")
    assert manager.restore_session("work", there, "gmail.com")
    assert held(there).keys() == {"SID", "host"}
    assert there.evaluate("[localStorage.token, sessionStorage.tab]") == ["l", "s"]
    saved = there.evaluate("""() => new Promise((done) => {
      const open = indexedDB.open('auth');
      open.onsuccess = () => {
        const get = open.result.transaction('keys').objectStore('keys').get('k');
        get.onsuccess = () => done(get.result);
      };
    })""")
    assert saved == "secret"


def test_a_login_is_noted_although_its_page_is_closed_already(manager: ProfileManager, web: Callable[..., Page]) -> None:
    page = web("https://gmail.com", MAIL)
    page.close()
    manager.on_successful_login("work", page, "gmail.com")
    state = manager.get_session_state("work", "gmail.com")
    assert state is not None
    assert (state.logged_in, state.cookie_count) == (True, 2)


ODD = ["", "__proto__", "length", "\U0001f600", "a\x00b"]


def test_odd_cookies_and_items_come_back_as_they_were_under_a_strict_policy(manager: ProfileManager, browser: Browser) -> None:
    contexts = [browser.new_context() for _ in range(2)]
    for context in contexts:
        strict = {"content-security-policy": "default-src 'none'; require-trusted-types-for 'script'"}
        context.route("**/*", lambda route: route.fulfill(content_type="text/html", headers=strict, body="x"))  # noqa: B023  (the same for both)
    first, second = contexts
    odd: list[Any] = [
        {"name": "__Host-sid", "value": "1", "url": "https://gmail.com/", "secure": True, "httpOnly": True, "sameSite": "Strict"},
        {"name": "brief", "value": "%F0%9F", "domain": "gmail.com", "path": "/p", "expires": -1},
        {"name": "part", "value": "1", "domain": "gmail.com", "path": "/", "secure": True, "sameSite": "None", "partitionKey": "https://top.example"},
    ]
    first.add_cookies(odd)
    page = first.new_page()
    page.goto("https://gmail.com")
    page.evaluate("(keys) => { for (const key of keys) localStorage.setItem(key, key + '\\ud800'); localStorage.setItem('big', 'x'.repeat(5_000_000)); }", ODD)
    manager.on_successful_login("work", page, "gmail.com")
    there = second.new_page()
    there.goto("https://gmail.com")
    assert manager.restore_session("work", there, "gmail.com")
    assert sorted(second.cookies(), key=str) == sorted(first.cookies(), key=str)
    assert (
        there.evaluate("(keys) => keys.every((key) => localStorage.getItem(key) === key + '\\ud800') && localStorage.getItem('big').length", ODD) == 5_000_000
    )
    for context in contexts:
        context.close()


def test_storage_of_an_embedded_site_is_saved_under_its_own_origin(manager: ProfileManager, vault: Vault, browser: Browser) -> None:
    context = browser.new_context()
    inside = "<iframe src='https://inner.example/'></iframe>"
    context.route("https://outer.example/", lambda route: route.fulfill(content_type="text/html", body=inside))
    context.route("https://inner.example/", lambda route: route.fulfill(content_type="text/html", body="x"))
    page = context.new_page()
    page.goto("https://outer.example/")
    page.evaluate("localStorage.outer = 1")
    page.frames[1].evaluate("localStorage.inner = 1")
    manager.export_localstorage("work", page)
    assert vault.load("work").local_storage("https://outer.example") == {"outer": "1"}
    assert vault.load("work").local_storage("https://inner.example") == {"inner": "1"}  # Playwright's Chromium does not partition storage
    context.close()


def test_nothing_saved_is_nothing_restored(manager: ProfileManager, web: Callable[..., Page]) -> None:
    page = web("https://gmail.com")
    assert manager.restore_session("work", page, "gmail.com") is False
    assert manager.get_session_state("work", "gmail.com") is None
    assert manager.get_sessions_needing_refresh("work") == []
    with pytest.raises(SessionNotFound, match=r"nothing is saved for gmail\.com"):
        manager.mark_session_needs_refresh("work", "gmail.com")


def test_what_a_page_has_already_stays_when_a_session_is_restored(manager: ProfileManager, web: Callable[..., Page]) -> None:
    page = web("https://gmail.com")
    page.evaluate("localStorage.setItem('token', 'saved')")
    manager.on_successful_login("work", page, "gmail.com")
    there = web("https://gmail.com")
    there.evaluate("localStorage.setItem('token', 'newer')")
    manager.restore_session("work", there, "gmail.com")
    assert there.evaluate("localStorage.token") == "newer"


# -- health ---------------------------------------------------------------------------------------------------


def test_without_a_check_a_login_is_valid_as_long_as_its_cookies(manager: ProfileManager, web: Callable[..., Page]) -> None:
    page = web("https://gmail.com", MAIL)
    manager.export_cookies("work", page)
    assert manager.verify_session_health("work", page, "gmail.com") is False  # nobody has said that this is a login
    manager.on_successful_login("work", page, "gmail.com")
    assert manager.verify_session_health("work", page, "gmail.com") is True
    state = manager.get_session_state("work", "gmail.com")
    assert state is not None
    assert (state.logged_in, state.cookie_count, state.needs_refresh, state.health) == (True, 2, False, Health.VALID)
    assert state.last_verified is not None


def test_a_check_of_ones_own_decides(manager: ProfileManager, web: Callable[..., Page]) -> None:
    asked = []

    def check(given: ProfileManager, profile: str, page: Page) -> bool:
        asked.append((given, profile))
        return page.title() == "a page"

    manager.register_check("gmail.com", check)
    manager.register_check("mail.gmail.com", lambda *_: False)
    page = web("https://gmail.com", MAIL)
    manager.on_successful_login("work", page, "gmail.com")
    assert manager.verify_session_health("work", page, "gmail.com") is True
    assert asked == [(manager, "work")]
    assert manager.verify_session_health("work", page, "mail.gmail.com") is False


def test_a_check_that_fails_leaves_what_was_known(manager: ProfileManager, web: Callable[..., Page], caplog: pytest.LogCaptureFixture) -> None:
    page = web("https://gmail.com", MAIL)
    manager.on_successful_login("work", page, "gmail.com")
    manager.register_check("gmail.com", lambda *_: 1 / 0 > 0)
    assert manager.verify_session_health("work", page, "gmail.com") is False
    state = manager.get_session_state("work", "gmail.com")
    assert state is not None
    assert state.health is Health.VALID
    assert "ZeroDivisionError" in caplog.text


def test_sessions_are_due_when_marked_or_old(vault: Vault, web: Callable[..., Page]) -> None:
    manager, impatient, patient = (ProfileManager(ProfileManagerConfig(session_health_check_interval=every), vault=vault) for every in (3600, 0.001, 0))
    page = web("https://gmail.com", MAIL)
    manager.on_successful_login("work", page, "gmail.com")
    assert manager.get_sessions_needing_refresh("work") == []
    assert impatient.get_sessions_needing_refresh("work") == ["gmail.com"]
    assert patient.get_sessions_needing_refresh("work") == []
    manager.mark_session_needs_refresh("work", "gmail.com")
    assert patient.get_sessions_needing_refresh("work") == ["gmail.com"]
    manager.update_session_state("work", "gmail.com", logged_in=True, needs_refresh=False)
    assert patient.get_sessions_needing_refresh("work") == []
    manager.update_session_state("work", "gmail.com", logged_in=False)
    state = manager.get_session_state("work", "gmail.com")
    assert state is not None
    assert (state.logged_in, state.needs_refresh, state.health) == (False, True, Health.EXPIRED)


def test_a_known_site_is_asked_and_its_end_is_seen(manager: ProfileManager, context: BrowserContext, browser: Browser, demo: DemoServers) -> None:
    page = context.new_page()
    page.goto(f"{demo.portside.url}/login")
    page.fill("#username", "demo")
    page.fill("#password", "harbour-light-7")
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "/login" not in url)
    manager.on_successful_login("work", page, "portside")
    page.goto("about:blank")
    assert manager.verify_session_health("work", page, "portside") is True
    other = browser.new_context()
    there = other.new_page()
    assert manager.restore_session("work", there, "portside.localhost") is True
    there.goto(f"{demo.portside.url}/account")
    assert there.url.endswith("/account")
    assert demo.control.stats().portside.logins == 1
    demo.control.revoke()
    assert manager.verify_session_health("work", there, "portside.localhost") is False
    assert manager.get_sessions_needing_refresh("work") == ["portside.localhost"]
    other.close()


# -- what else -------------------------------------------------------------------------------------------------


def test_a_profile_is_told_without_a_secret(manager: ProfileManager, vault: Vault, web: Callable[..., Page]) -> None:
    manager.on_successful_login("work", web("https://gmail.com", (cookie("SID", ".gmail.com", value="planted-secret"),)), "gmail.com")
    profile = manager.get_profile("work")
    assert (profile.name, profile.path, profile.domains, profile.cookie_count, profile.lock) == ("work", vault.where, ("gmail.com",), 1, None)
    assert "planted-secret" not in repr(profile)
    assert "planted-secret" not in repr(manager.get_session_state("work", "gmail.com"))


def test_profiles_do_not_mix(manager: ProfileManager, web: Callable[..., Page]) -> None:
    manager.export_cookies("work", web(cookies=MAIL))
    assert manager.import_cookies("home", web()) == 0


def test_a_bad_profile_name_is_refused(manager: ProfileManager, web: Callable[..., Page]) -> None:
    with pytest.raises(ConfigError):
        manager.export_cookies("../work", web())
