"""Playwright: its storage state, and a persistent profile directory."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import tempfile
from contextlib import AsyncExitStack
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Self

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import async_playwright

from handstamp.browser import find_browser
from moving.moved import Moved
from moving.playwright_tab import page_of
from moving.tabs import read, write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.async_api import Browser

    from moving.kinds import Kind
    from moving.moved import Fact
    from moving.site import Site

PATIENCE = 30.0  # seconds for one kind
LIVES = 10.0  # seconds that a browser lives on after the last write, before it is killed
ARGUMENTS = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []


# -- storage state -------------------------------------------------------------------------------------------------------


async def by_storage_state(kinds: tuple[Kind, ...], site: Site) -> Mapping[Kind, Moved]:
    """`storage_state(indexed_db=True)` and `new_context(storage_state=…)`, each kind by itself: one can take all others with it."""
    async with _Restartable() as driver:
        return {kind: await _by_storage_state(driver, kind, site) for kind in kinds}


async def _by_storage_state(driver: _Restartable, kind: Kind, site: Site) -> Moved:
    before: Fact = None
    try:
        async with asyncio.timeout(PATIENCE):
            browser = await driver.browser()
            context = await browser.new_context()
            before = await write(partial(page_of, context), kind, site)
            state = await context.storage_state(indexed_db=True)
            await context.close()
            fresh = await browser.new_context(storage_state=state)
            after = await read(partial(page_of, fresh), kind, site)
            await fresh.close()
            return Moved(before, after)
    except (PlaywrightError, TimeoutError) as error:
        await driver.end()
        return Moved(before, failed=str(error).strip().partition("\n")[0] or f"no answer within {PATIENCE:.0f} s")


class _Restartable:
    """Playwright and a browser of its own, started again after a crash."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._browser: Browser | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    async def browser(self) -> Browser:
        if self._browser is None:
            playwright = await self._stack.enter_async_context(async_playwright())
            self._browser = await playwright.chromium.launch(executable_path=find_browser(), args=ARGUMENTS)
            self._stack.push_async_callback(self._browser.close)
        return self._browser

    async def end(self) -> None:
        self._browser = None
        stack, self._stack = self._stack, AsyncExitStack()
        try:
            async with asyncio.timeout(10):
                await stack.aclose()
        except (Exception, asyncio.CancelledError):  # noqa: BLE001  (its driver may have died)
            return


# -- a persistent profile ------------------------------------------------------------------------------------------------


async def by_directory(kinds: tuple[Kind, ...], site: Site) -> Mapping[Kind, Moved]:
    """A profile directory that is opened again after its browser was killed, as when a machine or a container ends."""
    with tempfile.TemporaryDirectory(prefix="fidelity-profile-", ignore_cleanup_errors=True) as folder:
        _allow_frames(Path(folder))
        async with async_playwright() as playwright:
            # Chromium itself: its shell without windows keeps less in a profile.
            launch = partial(playwright.chromium.launch_persistent_context, folder, executable_path=find_browser(headless=False), args=ARGUMENTS)
            context = await launch()
            before = {kind: await write(partial(page_of, context), kind, site) for kind in kinds}
            await asyncio.sleep(LIVES)
            await asyncio.to_thread(_kill_browser_of, folder)
            await asyncio.sleep(1)
            context = await launch()
            after = {kind: await read(partial(page_of, context), kind, site) for kind in kinds}
            await context.close()
    return {kind: Moved(before[kind], after[kind]) for kind in kinds}


def _allow_frames(folder: Path) -> None:
    """Some distributions' Chromium denies frames of other sites their storage unless it is told otherwise."""
    (folder / "Default").mkdir()
    allowed = {"cookie_controls_mode": 0, "block_third_party_cookies": False}
    (folder / "Default" / "Preferences").write_text(json.dumps({"profile": allowed}))


def _kill_browser_of(folder: str) -> None:
    """End every process of the browser on this profile, without a warning."""
    listed = subprocess.run(["ps", "-axww", "-o", "pid=,command="], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        pid, _, command = line.strip().partition(" ")
        if f"--user-data-dir={folder}" in command and int(pid) != os.getpid():
            os.kill(int(pid), signal.SIGKILL)


async def versions() -> tuple[str, str]:
    """Of the browser, and of Playwright."""
    async with _Restartable() as driver:
        return (await driver.browser()).version, version("playwright")
