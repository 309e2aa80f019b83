"""The async managers, and that both APIs say the same."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import async_playwright

from handstamp import managers, sync_api
from handstamp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from handstamp.demo import DemoServers
    from handstamp.vault import Vault

BY_NAME = [name for name in managers.__all__ if name in sync_api.__all__]
TWINS = [name for name in BY_NAME if getattr(managers, name) is not getattr(sync_api, name) and inspect.isclass(getattr(managers, name))]


def test_both_apis_have_the_same_names() -> None:
    assert managers.__all__ == BY_NAME


@pytest.mark.parametrize("name", TWINS)
def test_both_apis_have_the_same_methods_signatures_and_docstrings(name: str) -> None:
    ours, theirs = getattr(managers, name), getattr(sync_api, name)
    public = [method for method, _ in inspect.getmembers(ours, inspect.isfunction) if not method.startswith("_")]
    assert public
    assert inspect.getdoc(ours) == inspect.getdoc(theirs)
    for method in (*public, "__init__"):
        mine, other = getattr(ours, method), getattr(theirs, method)
        assert list(inspect.signature(mine).parameters.values()) == list(inspect.signature(other).parameters.values()) or method == "register_check", method
        if method != "__init__":
            assert inspect.getdoc(mine) == inspect.getdoc(other), method
            assert inspect.getdoc(mine)


def test_importing_handstamp_loads_no_manager() -> None:
    code = "import handstamp, sys; assert 'handstamp.managers' not in sys.modules; handstamp.ProfileManager; assert 'handstamp.managers' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20)


def test_a_login_is_saved_checked_and_restored_with_await(
    demo: DemoServers, vault: Vault, executable: str, browser_args: list[str], run_async: Callable[..., None]
) -> None:
    async def flow() -> None:
        manager = managers.ProfileManager(vault=vault)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=executable, args=browser_args)
            page = await browser.new_page()
            await page.goto(f"{demo.portside.url}/login")
            await page.fill("#username", "demo")
            await page.fill("#password", "harbour-light-7")
            await page.click("main button[type=submit]")
            await page.wait_for_url(lambda url: "/login" not in url)
            await manager.on_successful_login("work", page, "portside")
            await page.goto("about:blank")
            there = await browser.new_page()
            assert await manager.restore_session("work", there, "portside")
            assert await manager.import_localstorage("work", there) >= 0
            assert await manager.verify_session_health("work", there, "portside")

            async def check(given: managers.ProfileManager, profile: str, page: object) -> bool:
                return (given, profile, page) == (manager, "work", there)

            manager.register_check("portside", check)
            assert await manager.verify_session_health("work", there, "portside")
            await there.goto(f"{demo.portside.url}/account")
            assert there.url.endswith("/account")
            await browser.close()

    run_async(flow())
    assert demo.control.stats().portside.logins == 1


def test_a_page_of_the_other_api_is_refused_with_the_way_out(vault: Vault, web: Callable[..., Page]) -> None:
    with pytest.raises(ConfigError, match=r"handstamp\.sync_api"):
        managers.ProfileManager(vault=vault).export_cookies("work", web()).send(None)  # type: ignore[arg-type]
