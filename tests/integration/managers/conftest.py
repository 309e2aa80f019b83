"""A browser that the program owns: plain Playwright, no debugging port. Every web site answers with a page of ours."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import sync_playwright

from handstamp.browser import find_browser

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page


def run(flow: Coroutine[Any, Any, None]) -> None:
    """Run a flow of the async API on a loop of its own, also where this thread's Playwright has one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, flow).result()


MCP_OF_NPM = Path(__file__).parents[3] / "build" / "npm" / "node_modules" / "@playwright" / "mcp" / "cli.js"
ARGS = ["--no-sandbox"] if os.geteuid() == 0 else []


@pytest.fixture
def run_async() -> Callable[[Coroutine[Any, Any, None]], None]:
    return run


@pytest.fixture(scope="session")
def executable() -> str:
    return str(find_browser(headless=True))


@pytest.fixture(scope="session")
def browser_args() -> list[str]:
    return ARGS


@pytest.fixture(scope="module")
def browser(executable: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable, args=ARGS)
        yield running
        running.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context()
    yield made
    made.close()


@pytest.fixture
def web(browser: Browser) -> Iterator[Callable[..., Page]]:
    """`web("https://gmail.com")`: a page there, in a context of its own. No site is real: each answers with an empty page."""
    contexts: list[BrowserContext] = []

    def opened(url: str = "about:blank", cookies: tuple[dict[str, Any], ...] = ()) -> Page:
        context = browser.new_context()
        contexts.append(context)
        context.route("**/*", lambda route: route.fulfill(content_type="text/html", body="<title>a page</title>"))
        context.add_cookies(list(cookies))  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def mcp_server(request: pytest.FixtureRequest) -> tuple[str, list[str]]:
    """The command of the Playwright MCP server: npm's `@playwright/mcp`, or the same one as it comes in Playwright's own package.

    A test may name one of the two, ``npm`` or ``playwright``; for the others npm's is taken if it is here.
    """
    node, script = compute_driver_executable()
    wanted = getattr(request, "param", "npm" if MCP_OF_NPM.is_file() else "playwright")
    if wanted == "playwright":
        return node, [script, "mcp"]
    if not MCP_OF_NPM.is_file():
        pytest.skip("npm's @playwright/mcp is not in build/npm; `make setup-test` brings it where npm is")
    return node, [str(MCP_OF_NPM)]
