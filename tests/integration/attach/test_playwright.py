"""Attaching to a browser of the caller's own Playwright, and signing in within it: with a port, without one, sync and async."""

from __future__ import annotations

import asyncio
import time

import pytest
from playwright.async_api import async_playwright
from playwright.sync_api import sync_playwright

from handstamp import async_api
from handstamp.errors import BrowserGone, ConfigError
from handstamp.sync_api import attach, signed_in


def test_a_browser_without_a_port_is_served_while_its_thread_does_something_else(web, vault, saved_elsewhere, executable, eventually, cookies_of) -> None:
    a = web.origin()
    saved_elsewhere(cookies=[{"name": "sid", "value": "S", "domain": "a.localhost"}], local={a: {"token": "T"}}, session={a: {"tab": {"f": "1"}}})
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable)
        context = browser.new_context()
        with attach(context, profile="work") as attached:
            assert attached.context is context
            assert (len(browser.contexts), context.pages) == (1, [])
            page = context.new_page()
            page.goto(a)
            assert page.evaluate("first") == {"cookie": "sid=S", "local": {"token": "T"}, "session": {"f": "1"}}
            page.evaluate(f"setTimeout(() => {{ localStorage.setItem('token', 'U'); fetch('{a}/login'); window.open('{a}/popup') }}, 300)")
            eventually(lambda: vault.load("work").local_storage(a) == {"token": "U"} and cookies_of(vault.load("work")) == {"sid": "new"})
            popup = context.wait_for_event("page") if len(context.pages) == 1 else context.pages[1]
            assert popup.evaluate("first.local") == {"token": "U"}
        assert [len(one.pages) for one in browser.contexts] == [2]
        assert page.evaluate("1 + 1") == 2
        session = browser.new_browser_cdp_session()
        pages = [target["url"] for target in session.send("Target.getTargets")["targetInfos"] if target["type"] == "page"]
        assert sorted(pages) == [f"{a}/", f"{a}/popup"]  # the page that carried our messages has gone


def test_a_session_is_signed_in_within_the_callers_own_sync_playwright(web, vault, saved_elsewhere, executable) -> None:
    a = web.origin()
    saved_elsewhere(local={a: {"token": "T"}})
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable)
        with signed_in(a, profile="work", browser=browser, context_options={"locale": "de-CH"}) as context:
            assert browser.contexts == [context]
            page = context.new_page()
            page.goto(a)
            assert page.evaluate("[first.local, navigator.language]") == [{"token": "T"}, "de-CH"]
            page.evaluate("localStorage.setItem('more', '1')")
        assert browser.contexts == []
        assert browser.is_connected()
    assert vault.load("work").local_storage(a) == {"token": "T", "more": "1"}


def test_a_session_is_signed_in_beside_others_in_a_browser_with_a_port(chrome, web, vault, saved_elsewhere) -> None:
    a = web.origin()
    saved_elsewhere(local={a: {"token": "T"}})
    with signed_in(a, profile="work", browser=chrome.endpoint) as context:
        page = context.new_page()
        page.goto(a)
        assert page.evaluate("first.local") == {"token": "T"}
        page.evaluate("localStorage.setItem('more', '1')")
    assert vault.load("work").local_storage(a) == {"token": "T", "more": "1"}
    assert chrome.process.poll() is None


def test_the_async_api_serves_a_browser_without_a_port(web, vault, saved_elsewhere, executable, cookies_of) -> None:
    a = web.origin()
    saved_elsewhere(local={a: {"token": "T"}})

    async def scenario() -> None:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=executable)
            async with async_api.signed_in(a, profile="work", browser=browser) as context:
                page = await context.new_page()
                await page.goto(a)
                assert await page.evaluate("first.local") == {"token": "T"}
            async with async_api.attach(browser, profile="work") as attached:
                page = await attached.context.new_page()
                await page.goto(f"{a}/login")
                time.sleep(0.1)  # noqa: ASYNC251  (a loop that is busy for a moment)
            assert browser.contexts == [attached.context]
            await page.evaluate("1")

    asyncio.run(scenario())
    assert cookies_of(vault.load("work")) == {"sid": "new"}


def test_a_browser_that_nothing_reaches_is_served_eagerly(web, vault, saved_elsewhere, executable, cookies_of, tmp_path) -> None:
    a, b = web.origin("a"), web.origin("b")
    saved_elsewhere(
        cookies=[{"name": "sid", "value": "S", "domain": "a.localhost"}], local={a: {"token": "T"}, b: {"b": "B"}}, session={a: {"tab": {"f": "1"}}}
    )
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(tmp_path / "profile", executable_path=executable)  # its pages would show ours
        pages = list(context.pages)
        with attach(context, profile="work"):
            assert context.pages == pages
            page = context.new_page()
            page.goto(a)
            assert page.evaluate("first") == {"cookie": "sid=S", "local": {"token": "T"}, "session": {"f": "1"}}
            assert page.evaluate("Object.keys(globalThis).filter((name) => /handstamp/i.test(name))") == []
            page.evaluate("localStorage.removeItem('token'); localStorage.setItem('own', '1'); sessionStorage.setItem('f', '2')")
            page.wait_for_timeout(500)  # until it has looked at the loaded page, what is removed may come back: a limit of the eager way
            page.goto(f"{b}/logout")
            page.goto(f"{a}/login")
            assert page.evaluate("first.local") == {"own": "1"}
            page.wait_for_timeout(500)  # within Playwright's calls it tells of loaded pages
            assert vault.load("work").local_storage(a) == {"own": "1"}
            assert cookies_of(vault.load("work")) == {"sid": "new"}
        page.goto(a)  # still there, and nothing of ours in it
        context.close()
    state = vault.load("work")
    assert (state.local_storage(a), state.local_storage(b), state.session_storage(a)) == ({"own": "1"}, {"b": "B"}, {"tab": {"f": "2"}})


def test_a_context_or_browser_that_its_owner_closes_meanwhile_loses_nothing(web, vault, saved_elsewhere, executable, cookies_of) -> None:
    a = web.origin()
    saved_elsewhere(cookies=[{"name": "sid", "value": "S", "domain": "a.localhost"}], local={a: {"token": "T"}})
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable)
        with attach(browser, profile="work") as attached:
            page = attached.context.new_page()
            page.goto(a)
            attached.context.close()
            time.sleep(1)  # a look or two at the cookies of a context that is gone
        with signed_in(a, profile="work", browser=browser) as context:
            page = context.new_page()
            page.goto(a)
            assert page.evaluate("first") == {"cookie": "sid=S", "local": {"token": "T"}, "session": {}}
            browser.close()
            time.sleep(1)
    state = vault.load("work")
    assert (cookies_of(state), state.local_storage(a)) == ({"sid": "S"}, {"token": "T"})
    assert vault.leases() == []


def test_what_cannot_be_attached_to_is_refused_with_what_can(web, vault, executable) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable)
        one = browser.new_context()
        page = one.new_page()
        with pytest.raises(ConfigError, match=r"a Playwright Page cannot be attached to; give its page\.context"), attach(page, profile="work"):  # type: ignore[arg-type]
            pass
        with pytest.raises(ConfigError, match=r"is for handstamp's attach"), signed_in(web.origin(), browser=one):  # type: ignore[arg-type]
            pass
        with pytest.raises(ConfigError, match=r"Playwright's sync API; use handstamp\.sync_api"):
            asyncio_run_elsewhere(one)
        browser.new_context()
        with pytest.raises(ConfigError, match="has 2 contexts; give the BrowserContext"), attach(browser, profile="work"):
            pass
        one.close()
        with pytest.raises(BrowserGone, match="closed"), attach(one, profile="work"):
            pass
        browser.close()
        with pytest.raises(BrowserGone, match="has ended"), attach(browser, profile="work"):
            pass
    with pytest.raises(ConfigError, match="this dict cannot be attached to"), attach({}, profile="work"):  # type: ignore[arg-type]
        pass
    assert vault.leases() == []


def asyncio_run_elsewhere(context: object) -> None:
    """An asyncio program in a thread of its own."""
    from concurrent.futures import ThreadPoolExecutor

    async def scenario() -> None:
        async with async_api.attach(context, profile="work"):  # type: ignore[arg-type]
            pass

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, scenario()).result()


MAKE = """() => new Promise((made) => {
  const opening = indexedDB.open('auth', 3);
  opening.onupgradeneeded = () => opening.result.createObjectStore('kv').put({at: new Date(5), proof: new Blob(['hi']), zero: -0}, 'user');
  opening.onsuccess = () => { opening.result.close(); made(); };
})"""
READ = """() => new Promise((read) => {
  const opening = indexedDB.open('auth');
  opening.onsuccess = () => {
    const asking = opening.result.transaction('kv').objectStore('kv').get('user');
    asking.onsuccess = async () => {
      const {at, proof, zero} = asking.result;
      read([opening.result.version, at.getTime(), await proof.text(), Object.is(zero, -0)]);
    };
  };
})"""


@pytest.mark.usefixtures("vault")
def test_databases_are_kept_in_a_browser_that_nothing_reaches(web, executable, tmp_path) -> None:
    a = web.origin()
    with sync_playwright() as playwright:
        first = playwright.chromium.launch_persistent_context(tmp_path / "first", executable_path=executable)
        with attach(first, profile="work"):
            page = first.new_page()
            page.goto(a)
            page.evaluate(MAKE)
        first.close()
        second = playwright.chromium.launch_persistent_context(tmp_path / "second", executable_path=executable)
        with attach(second, profile="work") as attached:
            page = second.new_page()
            page.goto(a)
            assert page.evaluate(READ) == [3, 5, "hi", True]
            assert page.evaluate("Object.keys(globalThis).filter((name) => /handstamp/i.test(name))") == []
            assert attached.losses == ()
        second.close()
