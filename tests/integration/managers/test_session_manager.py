"""`SessionManager` and `BrowserSession` over contexts of plain Playwright."""

from __future__ import annotations

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


def test_what_is_done_is_noted_and_saved_by_itself(manager: SessionManager, web: Callable[..., Page]) -> None:
    page, session = shop(web)
    assert manager.save_session("mine", session)
    page.goto("https://shop.example/one")
    page.evaluate("localStorage.setItem('k', 'v')")
    page.set_content("<form method=post action='/pay'><button>pay</button></form>")
    page.click("button")
    page.wait_for_url("**/pay")
    page.wait_for_load_state()
    page.evaluate("1")
    assert session.navigation_history == ["https://shop.example/one", "https://shop.example/pay"]
    assert session.actions_performed == ["open", "visit https://shop.example/one", "submit https://shop.example/pay", "visit https://shop.example/pay"]
    assert manager.vault.load("work").local_storage("https://shop.example") == {"k": "v"}  # nobody has called save_session since


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
            await browser.close()

    run_async(flow())
