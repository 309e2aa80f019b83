"""Attaching to a Chromium by the URL of its debugging port."""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.request

import pytest
from playwright.sync_api import sync_playwright

from handstamp import async_api
from handstamp.errors import BrowserGone, ConfigError, LeaseHeld
from handstamp.sync_api import attach


def targets(endpoint: str) -> list[str]:
    """URLs of the pages that the browser lists for everybody."""
    with urllib.request.urlopen(f"{endpoint}/json/list") as answer:  # noqa: S310
        return sorted(target["url"] for target in json.load(answer) if target["type"] == "page")


def test_a_session_of_another_process_comes_back_and_its_changes_are_saved(chrome, web, vault, saved_elsewhere, eventually, cookies_of) -> None:
    a = web.origin()
    saved_elsewhere(
        cookies=[{"name": "sid", "value": "S", "domain": "a.localhost", "http_only": True}], local={a: {"token": "T"}}, session={a: {"tab": {"f": "1"}}}
    )
    with attach(chrome.endpoint, profile="work") as attached:
        page = attached.context.new_page()
        page.goto(a)
        assert page.evaluate("first") == {"cookie": "", "local": {"token": "T"}, "session": {"f": "1"}}
        assert [cookie["value"] for cookie in attached.context.cookies()] == ["S"]
        page.goto(f"{a}/login")
        page.evaluate("localStorage.setItem('token', 'U')")
        eventually(lambda: cookies_of(vault.load("work")) == {"sid": "new"} and vault.load("work").local_storage(a) == {"token": "U"})
        page.evaluate("localStorage.setItem('late', '1')")
    assert vault.load("work").local_storage(a) == {"token": "U", "late": "1"}
    assert chrome.process.poll() is None
    assert targets(chrome.endpoint) == ["about:blank", f"{a}/login"]


def test_pages_that_were_open_are_read_and_given_what_they_lack(chrome, web, vault, saved_elsewhere) -> None:
    a, b = web.origin("a"), web.origin("b")
    saved_elsewhere(local={a: {"token": "saved", "missing": "M"}}, session={a: {"older": {"s": "saved"}}, b: {"tab": {"from": "vault"}}})
    with sync_playwright() as playwright:
        browser = playwright.chromium.connect_over_cdp(chrome.endpoint)
        context = browser.contexts[0]
        page, other = context.new_page(), context.new_page()
        page.goto(a)
        page.evaluate("localStorage.setItem('token', 'newer'); localStorage.setItem('own', 'O'); sessionStorage.setItem('s', 'own')")
        other.goto(b)
        pages = list(context.pages)
        with attach(browser, profile="work") as attached:
            assert attached.context is context
            assert page.evaluate("({...localStorage})") == {"token": "newer", "missing": "M", "own": "O"}
            assert page.evaluate("({...sessionStorage})") == {"s": "own"}
            assert other.evaluate("({...sessionStorage})") == {"from": "vault"}
            assert context.pages == pages
        assert page.evaluate("Object.keys(globalThis).filter((name) => /handstamp/i.test(name))") == []
        assert context.pages == pages
    state = vault.load("work")
    assert state.local_storage(a) == {"token": "newer", "missing": "M", "own": "O"}
    assert {"s": "own"} in state.session_storage(a).values()
    assert state.session_storage(a)["older"] == {"s": "saved"}
    assert state.session_storage(b) == {"tab": {"from": "vault"}}


MAKE = """(value) => new Promise((made) => {
  const opening = indexedDB.open('auth', 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore('kv').put({value, at: new Date(5)}, 'user');
  opening.onsuccess = () => { opening.result.close(); made(); };
})"""
READ = """() => new Promise((read) => {
  const opening = indexedDB.open('auth');
  opening.onupgradeneeded = () => opening.transaction.abort();
  opening.onerror = () => read(null);
  opening.onsuccess = () => {
    const asking = opening.result.transaction('kv').objectStore('kv').get('user');
    asking.onsuccess = () => { opening.result.close(); read(asking.result.value); };
  };
})"""


def test_databases_and_embedded_sites_of_pages_that_were_open_are_read_and_given(chrome, web, vault) -> None:
    a, b = web.origin("a"), web.origin("b")
    web.pages["/frames"] = f"<iframe src='{b}/'></iframe>"
    with sync_playwright() as playwright:
        browser = playwright.chromium.connect_over_cdp(chrome.endpoint)
        page = browser.contexts[0].new_page()
        page.goto(f"{a}/frames")
        page.evaluate(MAKE, "kept")
        page.frames[1].evaluate("localStorage.setItem('embedded', 'in a')")
        with attach(browser, profile="work"):
            pass
        assert vault.load("work").local_storage(f"{b}^0http://a.localhost") == {"embedded": "in a"}
        other = browser.new_context()  # knows nothing, and is at the site already
        page = other.new_page()
        page.goto(f"{a}/frames")
        assert page.evaluate(READ) is None
        with attach(other, profile="work"):
            assert page.evaluate(READ) == "kept"
            assert page.frames[1].evaluate("({...localStorage})") == {"embedded": "in a"}


def test_a_page_that_shows_a_dialog_is_named_and_keeps_nobody_waiting(chrome, web, vault, saved_elsewhere) -> None:
    a = web.origin()
    saved_elsewhere(local={a: {"token": "T"}})
    with sync_playwright() as playwright:
        browser = playwright.chromium.connect_over_cdp(chrome.endpoint)
        page = browser.contexts[0].new_page()
        page.goto(a)
        page.on("dialog", lambda _dialog: None)  # nobody answers it
        with page.expect_event("dialog"):
            page.evaluate("void setTimeout(() => alert('hello'))")
        with attach(browser, profile="work") as attached:
            assert [(loss.what, loss.where) for loss in attached.losses] == [("page", a)]
    assert vault.load("work").local_storage(a) == {"token": "T"}


def test_what_the_browser_changed_while_nobody_was_attached_wins_when_it_is_attached_again(chrome, web, vault, saved_elsewhere, cookies_of) -> None:
    a = web.origin()
    saved_elsewhere(cookies=[{"name": "sid", "value": "S", "domain": "a.localhost"}])
    with sync_playwright() as playwright:
        browser = playwright.chromium.connect_over_cdp(chrome.endpoint)
        page = browser.contexts[0].new_page()
        page.goto(f"{a}/login")  # a session of its own, from before it had anything to do with the profile
        with attach(browser, profile="work"):
            page.goto(a)
            assert page.evaluate("first.cookie") == "sid=S"
        page.goto(f"{a}/login")  # the site gives the session a new id
        with attach(browser, profile="work"):
            assert [cookie["value"] for cookie in browser.contexts[0].cookies()] == ["new"]
    assert cookies_of(vault.load("work")) == {"sid": "new"}


def test_a_tab_that_was_open_twice_is_one_tab(chrome, web, vault) -> None:
    a = web.origin()
    with attach(chrome.endpoint, profile="work") as attached:
        page = attached.context.new_page()
        page.goto(a)
        page.evaluate("sessionStorage.setItem('s', '1')")
    with attach(chrome.endpoint, profile="work") as attached:
        (page,) = [page for page in attached.context.pages if page.url.startswith(a)]
        page.evaluate("sessionStorage.setItem('s', '2')")
    assert list(vault.load("work").session_storage(a).values()) == [{"s": "2"}]


def test_the_async_api_does_the_same(chrome, web, vault, saved_elsewhere) -> None:
    a = web.origin()
    saved_elsewhere(local={a: {"token": "T"}})

    async def scenario() -> None:
        async with async_api.attach(chrome.endpoint, profile="work") as attached:
            page = await attached.context.new_page()
            await page.goto(a)
            assert await page.evaluate("first.local") == {"token": "T"}
            await page.evaluate("localStorage.removeItem('token')")
            await attached.save()
            assert vault.load("work").local_storage(a) == {}

    asyncio.run(scenario())
    assert chrome.process.poll() is None


def test_a_profile_that_is_open_elsewhere_is_attached_when_it_is_let_go(chrome, vault) -> None:
    lease = vault.lease("work")
    letting_go = threading.Timer(0.5, lease.release)
    letting_go.start()
    with attach(chrome.endpoint, profile="work"):
        assert not letting_go.is_alive()
        with pytest.raises(LeaseHeld, match="profile 'work' is held"):
            vault.lease("work")
    vault.lease("work").release()


def test_where_no_browser_listens_the_message_says_how_to_start_one(web, vault) -> None:
    with (
        pytest.raises(BrowserGone, match=r"no browser listens at http://127\.0\.0\.1:9; start the browser with --remote-debugging-port"),
        attach("http://127.0.0.1:9", profile="work"),
    ):
        pass
    with pytest.raises(ConfigError, match="not a browser's debugging port"), attach(f"http://127.0.0.1:{web.port}", profile="work"):
        pass
    with pytest.raises(ConfigError, match="of one page"), attach("ws://127.0.0.1:1/devtools/page/AB", profile="work"):
        pass
    assert vault.leases() == []


def test_a_browser_that_ends_meanwhile_costs_nothing(chrome, web, vault, saved_elsewhere) -> None:
    a = web.origin()
    saved_elsewhere(local={a: {"token": "T"}})
    with attach(chrome.endpoint, profile="work") as attached:
        page = attached.context.new_page()
        page.goto(a)
        page.evaluate("localStorage.setItem('more', '1')")
        attached.save()
        chrome.process.kill()
        chrome.process.wait()
    assert vault.load("work").local_storage(a) == {"token": "T", "more": "1"}
    assert vault.leases() == []
