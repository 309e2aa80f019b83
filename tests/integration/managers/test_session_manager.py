"""`SessionManager` and `BrowserSession` over contexts of plain Playwright."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import async_playwright

from handstamp import managers
from handstamp.sync_api import BrowserSession, SessionManager

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page


@pytest.fixture
def manager(tmp_path: Path) -> SessionManager:
    return SessionManager(tmp_path / "store")


def shop(web: Callable[..., Page]) -> tuple[Page, BrowserSession]:
    page = web("about:blank", ({"name": "sid", "value": "planted-secret", "domain": "shop.example", "path": "/"},))
    return page, BrowserSession(page.context, profile_name="work")


def until(page: Page, holds: Callable[[], bool]) -> None:
    """Wait for what is saved by itself; with the sync API things happen within calls of Playwright."""
    while not holds():
        page.wait_for_timeout(20)


def test_a_session_comes_back_in_another_context(manager: SessionManager, tmp_path: Path, web: Callable[..., Page]) -> None:
    page, session = shop(web)
    page.goto("https://shop.example/cart?token=planted-secret")
    page.evaluate("localStorage.setItem('cart', '3'); sessionStorage.setItem('step', '2')")
    assert manager.save_session("mine", session) is True
    again = SessionManager(tmp_path / "store")
    there = BrowserSession(web().context)
    assert again.restore_session("mine", there) is True
    assert there.profile_name == "work"
    (shown,) = there.context.pages
    shown.goto("https://shop.example/cart")
    assert shown.evaluate("[localStorage.cart, sessionStorage.step]") == ["3", "2"]
    assert [one["value"] for one in there.context.cookies()] == ["planted-secret"]
    assert there.pages_visited == 2
    loaded = again.load_session("mine")
    assert loaded is not None
    assert (loaded.local_storage, loaded.session_storage) == ({"https://shop.example": {"cart": "3"}}, {"https://shop.example": {"step": "2"}})
    assert [cookie.name for cookie in loaded.cookies] == ["sid"]
    assert loaded.user_agent == page.evaluate("navigator.userAgent")
    assert (loaded.viewport_width, loaded.viewport_height) == (1280, 720)
    assert loaded.language
    assert loaded.timezone
    assert "planted-secret" not in repr(loaded)


def test_saving_puts_nothing_into_the_context(manager: SessionManager, web: Callable[..., Page]) -> None:
    _, session = shop(web)
    manager.save_session("mine", session)
    other = BrowserSession(web().context, profile_name="work")
    assert manager.save_session("other", other) is True
    assert other.context.cookies() == []
    assert len(manager.vault.load("work").cookies()) == 1  # what a context lacks is not deleted


def test_what_is_done_is_noted_and_saved_by_itself(manager: SessionManager, tmp_path: Path, web: Callable[..., Page]) -> None:
    page, session = shop(web)
    assert manager.save_session("mine", session)
    page.goto("https://shop.example/one")
    page.evaluate("localStorage.setItem('k', 'v')")
    page.set_content("<form method=post action='/pay'><input name=card><input id=row-17><button id=pay>pay</button></form>")
    page.fill("[name=card]", "planted-secret")
    page.fill("#row-17", "planted-secret")
    page.click("button")
    page.wait_for_url("**/pay")
    page.wait_for_load_state()
    page.evaluate("1")
    assert session.navigation_history == ["https://shop.example/one", "https://shop.example/pay"]
    visits = ["open", "visit https://shop.example/one", "submit https://shop.example/pay", "visit https://shop.example/pay"]
    gestures = ["fill input[name=card]", "fill input", "click button#pay"]
    assert [done for done in session.actions_performed if done not in gestures] == visits
    assert [done for done in session.actions_performed if done in gestures] == gestures
    assert page.evaluate("Object.keys(globalThis).filter((name) => /handstamp/i.test(name))") == []
    assert manager.vault.load("work").local_storage("https://shop.example") == {"k": "v"}  # nobody has called save_session since
    assert manager.get_session_info("mine")["navigation_history"] == session.navigation_history  # type: ignore[index]
    page.context.close()
    loaded = SessionManager(tmp_path / "store").load_session("mine")
    assert loaded is not None
    assert loaded.actions_performed == [*session.actions_performed]
    assert loaded.actions_performed[-1] == "close"
    assert (loaded.pages_visited, loaded.viewport_width) == (2, 1280)


def test_a_click_that_only_the_pages_script_answers_is_saved(manager: SessionManager, web: Callable[..., Page]) -> None:
    page, session = shop(web)
    page.goto("https://shop.example/")
    manager.save_session("mine", session)
    page.set_content("<button onclick='localStorage.cart = 1'>put into the cart</button>")
    page.click("button")
    until(page, lambda: manager.vault.load("work").local_storage("https://shop.example") == {"cart": "1"})


def test_what_an_answer_and_a_route_of_the_page_change_is_saved(manager: SessionManager, web: Callable[..., Page]) -> None:
    page, session = shop(web)
    page.goto("https://shop.example/")
    manager.save_session("mine", session)
    page.evaluate("async () => { localStorage.asked = 1; await fetch('/buy', {method: 'POST'}); }")
    until(page, lambda: manager.vault.load("work").local_storage("https://shop.example") == {"asked": "1"})
    page.evaluate("() => { localStorage.went = 1; history.pushState({}, '', '/done'); }")
    until(page, lambda: "went" in manager.vault.load("work").local_storage("https://shop.example"))
    assert session.navigation_history[-1] == "https://shop.example/done"


def test_a_deleted_session_stays_deleted_whatever_happens_in_its_context(manager: SessionManager, tmp_path: Path, web: Callable[..., Page]) -> None:
    page, session = shop(web)
    manager.save_session("mine", session)
    manager.save_session("other", session)
    SessionManager(tmp_path / "store").delete_session("other")
    manager.delete_session("mine")
    page.goto("https://shop.example/")
    page.context.close()
    assert manager.list_sessions() == []
    assert SessionManager(tmp_path / "store").list_sessions() == []
    assert not manager.vault.load("work").cookies()


def test_after_its_deletion_a_session_can_be_saved_again(manager: SessionManager, web: Callable[..., Page]) -> None:
    page, session = shop(web)
    manager.save_session("mine", session)
    manager.delete_session("mine")
    page.goto("https://shop.example/")
    assert manager.save_session("mine", session) is True
    loaded = manager.load_session("mine")
    assert loaded is not None
    assert [cookie.name for cookie in loaded.cookies] == ["sid"]


def test_a_second_manager_has_all_of_a_session_that_a_first_one_saved(manager: SessionManager, tmp_path: Path, web: Callable[..., Page]) -> None:
    page, session = shop(web)
    page.goto("https://shop.example/")
    manager.save_session("mine", session)
    other = SessionManager(tmp_path / "elsewhere")
    assert other.save_session("copy", session) is True
    loaded = other.load_session("copy")
    assert loaded is not None
    assert [cookie.name for cookie in loaded.cookies] == ["sid"]


def test_a_session_that_is_restored_again_is_told_once(manager: SessionManager, web: Callable[..., Page]) -> None:
    page, session = shop(web)
    page.goto("https://shop.example/")
    manager.save_session("mine", session)
    there = BrowserSession(web().context)
    assert manager.restore_session("mine", there)
    assert manager.restore_session("mine", there)
    assert there.pages_visited == 1
    assert there.navigation_history == ["https://shop.example/"]
    there.context.pages[0].goto("https://shop.example/two")
    there.context.close()
    info = manager.get_session_info("mine")
    assert info is not None
    assert info["navigation_history"] == ["https://shop.example/", "https://shop.example/two"]


def test_a_session_in_another_profile_leaves_the_first_one_alone(manager: SessionManager, web: Callable[..., Page]) -> None:
    page, session = shop(web)
    manager.save_session("mine", session)
    other = BrowserSession(web().context, profile_name="home")
    manager.save_session("other", other)
    assert manager.restore_session("other", session)
    page.goto("https://shop.example/")
    page.evaluate("localStorage.k = 1")
    manager.save_session("other", session)
    assert manager.vault.load("home").local_storage("https://shop.example") == {"k": "1"}
    assert manager.vault.load("work").local_storage("https://shop.example") == {}


def test_a_closed_context_is_not_saved(manager: SessionManager, web: Callable[..., Page], caplog: pytest.LogCaptureFixture) -> None:
    _, session = shop(web)
    session.context.close()
    assert manager.save_session("mine", session) is False
    assert "session 'mine' is not saved: its context is closed" in caplog.text
    assert manager.list_sessions() == []


def test_an_expired_session_is_archived_and_its_state_stays(tmp_path: Path, web: Callable[..., Page]) -> None:
    _, session = shop(web)
    manager, impatient = SessionManager(tmp_path / "store"), SessionManager(tmp_path / "store", inactivity_seconds=0)
    manager.save_session("mine", session)
    assert manager.cleanup_expired_sessions() == 0
    info = manager.get_session_info("mine")
    assert info is not None
    assert (info["is_active"], info["profile_name"], "cookies" in info) == (True, "work", False)
    assert [one["session_id"] for one in manager.list_sessions()] == ["mine"]
    assert impatient.get_session_info("mine")["is_active"] is False  # type: ignore[index]
    assert impatient.load_session("mine") is None  # its first call has tidied up
    assert manager.list_sessions() == []
    assert manager.restore_session("mine", BrowserSession(web().context)) is False
    assert len(manager.vault.load("work").cookies()) == 1


def test_a_deleted_session_takes_its_state_along_unless_another_shares_it(manager: SessionManager, web: Callable[..., Page]) -> None:
    _, session = shop(web)
    manager.save_session("one", session)
    manager.save_session("two", session)
    assert manager.delete_session("one") is True
    assert len(manager.vault.load("work").cookies()) == 1
    assert manager.delete_session("two") is True
    assert not manager.vault.load("work").cookies()
    assert manager.delete_session("two") is False
    assert manager.load_session("two") is None


def test_the_async_manager_does_the_same(tmp_path: Path, executable: str, browser_args: list[str], run_async: Callable[..., None]) -> None:
    async def flow() -> None:
        manager = managers.SessionManager(tmp_path / "store")
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=executable, args=browser_args)
            context = await browser.new_context()
            await context.add_cookies([{"name": "sid", "value": "1", "domain": "shop.example", "path": "/"}])
            assert await manager.save_session("mine", managers.BrowserSession(context, profile_name="work"))
            other = await browser.new_context()
            assert await manager.restore_session("mine", managers.BrowserSession(other))
            assert [one.get("name") for one in await other.cookies()] == ["sid"]
            assert [one["session_id"] for one in await manager.list_sessions()] == ["mine"]
            page = await other.new_page()
            await page.set_content("<button id=go>go</button>")
            await page.click("button")
            while not (info := await manager.get_session_info("mine")) or "click button#go" not in info["actions_performed"]:  # noqa: ASYNC110  (no event)
                await asyncio.sleep(0.02)
            await browser.close()

    run_async(flow())
