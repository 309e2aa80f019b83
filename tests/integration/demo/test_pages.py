"""portside's pages in a real Chromium: what their scripts do with storage, and what a person sees."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from handstamp.demo.portside import fleet

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from handstamp.demo import Control, DemoServers


def sign_in(page: Page) -> None:
    page.goto("/login")
    page.fill("#username", "demo")
    page.fill("#password", "harbour-light-7")
    page.click("button[type=submit]")


def stored(page: Page, storage: str = "localStorage") -> dict[str, str]:
    found: dict[str, str] = json.loads(page.evaluate(f"JSON.stringify({storage})"))
    return found


def test_the_first_page_puts_the_token_into_local_storage(page: Page, control: Control) -> None:
    sign_in(page)
    page.wait_for_url("**/account")
    expect(page.locator("#api-state")).to_have_text("ready")
    assert list(stored(page)) == ["token"]
    token = stored(page)["token"]
    page.reload()
    assert stored(page)["token"] == token
    assert control.stats().portside.logins == 1


def test_the_container_list_shows_what_the_api_says(page: Page) -> None:
    sign_in(page)
    page.wait_for_url("**/account")
    page.get_by_role("link", name="Containers").click()
    numbers = page.locator("td.box")
    expect(numbers).to_have_text([row.number for row in fleet.containers_of("demo")])
    expect(page.locator("#sum-all")).to_have_text(str(len(fleet.containers_of("demo"))))


def test_the_filter_is_kept_for_the_tab_and_the_row_height_for_the_browser(page: Page, context: BrowserContext) -> None:
    sign_in(page)
    page.wait_for_url("**/account")
    page.goto("/containers")
    page.get_by_label("Search").fill("heron")
    page.get_by_label("Status").select_option("In yard")
    page.get_by_label("Compact rows").check()
    assert json.loads(stored(page, "sessionStorage")["containers.filter"]) == {"text": "heron", "status": "In yard"}
    assert stored(page)["portside.density"] == "compact"
    page.reload()
    assert page.get_by_label("Search").input_value() == "heron"
    assert page.get_by_label("Status").input_value() == "In yard"
    tab = context.new_page()
    tab.goto("/containers")
    assert tab.get_by_label("Search").input_value() == ""
    assert tab.get_by_label("Compact rows").is_checked()


def test_a_browser_without_the_token_is_told_so(page: Page) -> None:
    sign_in(page)
    page.wait_for_url("**/account")
    page.evaluate("localStorage.clear()")
    page.goto("/containers")
    expect(page.get_by_role("alert")).to_contain_text("no valid API token")
    page.goto("/account")
    expect(page.locator("#api-state")).to_have_text("no API token")


def test_logging_out_takes_everything_along(page: Page, context: BrowserContext) -> None:
    sign_in(page)
    page.wait_for_url("**/account")
    page.goto("/containers")
    page.get_by_label("Search").fill("heron")
    page.get_by_text("Log out").click()
    page.wait_for_url("**/login**")
    assert "token" not in stored(page)
    assert stored(page, "sessionStorage") == {}
    assert [cookie["name"] for cookie in context.cookies()] == ["portside_pre"]


def test_six_digits_are_sent_without_the_button(page: Page, control: Control, code: str) -> None:
    control.set(totp=True)
    sign_in(page)
    page.fill("#otp", code)
    page.wait_for_url("**/account")
    assert control.stats().portside.failures == 0


def test_a_short_token_is_renewed_by_the_page(page: Page, control: Control) -> None:
    control.set(token_seconds=60, refresh_rotation=True)
    sign_in(page)
    page.wait_for_url("**/account")
    expect(page.locator("#api-state")).to_have_text("ready")
    before = stored(page)
    control.advance(61)
    page.goto("/containers")
    expect(page.locator("td.box").first).to_be_visible()
    after = stored(page)
    assert before["token"] != after["token"]
    assert before["refresh_token"] != after["refresh_token"]
    assert control.stats().portside.sessions_ended == {}


def test_pages_work_while_the_session_id_changes(page: Page, control: Control) -> None:
    control.set(rotate=True)
    sign_in(page)
    page.wait_for_url("**/account")
    for path in ("/containers", "/account", "/containers"):
        page.goto(path)
    expect(page.locator("td.box").first).to_be_visible()
    assert control.stats().portside.sessions_alive == 1


@pytest.mark.parametrize("path", ["/", "/about", "/login", "/account", "/containers"])
def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Browser, demo: DemoServers, path: str) -> None:
    with browser.new_context(base_url=demo.portside.url, viewport={"width": 360, "height": 740}) as context:
        page = context.new_page()
        sign_in(page)
        page.wait_for_url("**/account")
        if path == "/login":
            context.clear_cookies()
        page.goto(path)
        if path == "/containers":
            expect(page.locator("td.box").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 360
