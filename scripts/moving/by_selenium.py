"""Selenium: `get_cookies`, and `add_cookie` in a fresh browser."""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from handstamp.browser import find_browser, is_headless_shell
from moving.moved import Moved
from moving.tabs import read, write

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from moving.kinds import Kind
    from moving.moved import Fact
    from moving.site import Site
    from moving.tabs import Tab

PATIENCE = 30.0  # seconds for one script
ARGUMENTS = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()


async def by_selenium(kinds: tuple[Kind, ...], site: Site) -> Mapping[Kind, Moved]:
    """`get_cookies` of each page, and `add_cookie` on a page of the same site in a fresh browser."""
    before: dict[Kind, Fact] = {}
    kept: dict[Kind, list[dict[str, Any]]] = {}
    async with _chrome() as driver:
        for kind in kinds:
            before[kind] = await write(partial(_tab, driver), kind, site)
            await SeleniumTab(driver, driver.current_window_handle).goto(site.page(kind))
            kept[kind] = await asyncio.to_thread(driver.get_cookies)
    moved = {}
    async with _chrome() as driver:
        for kind in kinds:
            await SeleniumTab(driver, driver.current_window_handle).goto(site.page(kind))
            refused = await asyncio.to_thread(_add, driver, kept[kind])
            moved[kind] = Moved(before[kind], await read(partial(_tab, driver), kind, site), reports=refused)
    return moved


def _add(driver: Any, cookies: list[dict[str, Any]]) -> tuple[str, ...]:
    """Gives the cookies to the browser; what it says against them."""
    from selenium.common import WebDriverException  # noqa: PLC0415  (an extra)

    refused = []
    for cookie in cookies:
        try:
            driver.add_cookie(cookie)
        except WebDriverException as error:
            refused.append(str(error.msg).partition("\n")[0])
    return tuple(refused)


@asynccontextmanager
async def _chrome() -> AsyncIterator[Any]:
    from selenium import webdriver  # noqa: PLC0415  (an extra)

    options = webdriver.ChromeOptions()
    browser = find_browser()
    options.binary_location = str(browser)
    for argument in (*ARGUMENTS, "--disable-gpu", *(() if is_headless_shell(browser) else ("--headless",))):
        options.add_argument(argument)
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = await asyncio.to_thread(partial(webdriver.Chrome, options=options, service=service))
    driver.set_script_timeout(PATIENCE)
    try:
        yield driver
    finally:
        await asyncio.to_thread(driver.quit)


@asynccontextmanager
async def _tab(driver: Any) -> AsyncIterator[Tab]:
    """A tab that ends with the block; the driver goes back to its first one."""
    first = driver.current_window_handle
    await asyncio.to_thread(driver.switch_to.new_window, "tab")
    handle = driver.current_window_handle
    yield SeleniumTab(driver, handle)
    await asyncio.to_thread(_close, driver, handle, first)


def _close(driver: Any, handle: str, first: str) -> None:
    driver.switch_to.window(handle)
    driver.close()
    driver.switch_to.window(first)


class SeleniumTab:
    """A tab of Selenium's."""

    def __init__(self, driver: Any, handle: str) -> None:
        self._driver = driver
        self._handle = handle

    async def goto(self, url: str) -> None:
        """Open a page."""
        await asyncio.to_thread(self._go, url)

    def _go(self, url: str) -> None:
        self._driver.switch_to.window(self._handle)
        self._driver.get(url)

    async def run(self, function: str, *, in_frame: bool) -> str:
        """What an async function returns: in the page, or in its frame."""
        return await asyncio.to_thread(self._run, function, in_frame=in_frame)

    def _run(self, function: str, *, in_frame: bool) -> str:
        self._driver.switch_to.window(self._handle)
        if in_frame:
            self._driver.switch_to.frame(0)
        call = f"const answer = arguments[0]; ({function})().then((value) => answer([value, '']), (error) => answer(['', String(error)]))"
        value, error = self._driver.execute_async_script(call)
        if error:
            raise RuntimeError(error)
        return str(value)

    async def cookies(self) -> list[dict[str, Any]]:
        """All cookies of the browser."""
        found: dict[str, Any] = await asyncio.to_thread(self._driver.execute_cdp_cmd, "Network.getAllCookies", {})
        return list(found["cookies"])
