"""A real server for the engine's tests, a real engine, and the shortest way to a context of it."""

from __future__ import annotations

import asyncio
import inspect
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

import pytest

from handstamp.browser import AsyncDrivers, Engine, Launch, find_browser
from handstamp.state import Cookie, Entry, Part, PartId, PartKind, Stamp, StorageState, cookie_scope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from playwright.async_api import BrowserContext

    from handstamp.browser import Chromium, LiveContext

# What the page's first script sees is what counts.
FIRST = "<!doctype html><script>first={local:{...localStorage},session:{...sessionStorage}}</script><h1>hello</h1>"
EMPTY_FAVICON = "<link rel=icon href='data:,'>"


@dataclass
class Web:
    """A web server that answers with what tests put in; every path else shows what the first script saw."""

    port: int
    pages: dict[str, str] = field(default_factory=dict)
    headers: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    received: list[tuple[str, str]] = field(default_factory=list)

    def origin(self, name: str = "a") -> str:
        return f"http://{name}.localhost:{self.port}"


@pytest.fixture
def web(listening: Callable[[type[BaseHTTPRequestHandler]], int]) -> Web:
    site: Web

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            site.received.append((path, self.headers.get("Cookie", "")))
            body = (EMPTY_FAVICON + site.pages.get(path, FIRST)).encode()
            headers = site.headers.get(path, [])
            redirects = any(name == "Location" for name, _ in headers)
            self.send_response(302 if redirects else 200)
            for name, value in headers:
                self.send_header(name, value)
            if not any(name == "Content-Type" for name, _ in headers):
                self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    site = Web(listening(Handler))
    return site


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    running = Engine()
    yield running
    running.close()


class Saves:
    """A `save` that remembers; `state` is what a vault would hold."""

    def __init__(self, state: StorageState) -> None:
        self.changes: list[StorageState] = []
        self.state = state

    def __call__(self, changes: StorageState) -> None:
        from handstamp.state import merge_states

        self.changes.append(changes)
        self.state = merge_states(self.state, changes)


@pytest.fixture
def opened(engine: Engine):
    """`async with opened(state) as (context, live, saves)`."""

    @asynccontextmanager
    async def opening(state: StorageState | None = None, **options: object) -> AsyncIterator[tuple[BrowserContext, LiveContext, Saves]]:
        saves = Saves(state or StorageState())
        browser = engine.browser(Launch(find_browser()))
        chromium: Chromium = await engine.call(_enter(browser))
        try:
            async with AsyncDrivers(engine).context(chromium, saves.state, saves, options) as (context, live):
                yield context, live, saves
        finally:
            await engine.call(browser.__aexit__(None, None, None))

    return opening


@pytest.fixture
def chromium(engine: Engine):
    """`await chromium()`: the browser that open contexts are in."""

    async def running() -> Chromium:
        async with engine.browser(Launch(find_browser())) as browser:
            return browser

    return lambda: engine.call(running())


async def _enter(browser) -> Chromium:
    return await browser.__aenter__()


async def until(condition, seconds: float = 10.0) -> None:
    """Wait for what happens behind; `condition` may give an awaitable."""
    deadline = time.monotonic() + seconds
    while not (await held if inspect.isawaitable(held := condition()) else held):
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


def saved(
    *,
    local: dict[str, dict[str, str]] | None = None,
    session: dict[str, dict[str, dict[str, str]]] | None = None,
    cookies: tuple[Cookie, ...] = (),
) -> StorageState:
    """A state as a vault gives it: scope -> items, scope -> tab -> items, cookies."""
    parts = [Part(PartId(PartKind.LOCAL, scope), {(key,): Entry(value, Stamp(1)) for key, value in items.items()}) for scope, items in (local or {}).items()]
    for scope, tabs in (session or {}).items():
        entries = {(tab, key): Entry(value, Stamp(number + 1)) for number, (tab, items) in enumerate(tabs.items()) for key, value in items.items()}
        parts.append(Part(PartId(PartKind.SESSION, scope), entries))
    jars: dict[PartId, dict[tuple[str, ...], Entry]] = {}
    for cookie in cookies:
        jars.setdefault(PartId(PartKind.COOKIES, cookie_scope(cookie.domain)), {})[cookie.key] = Entry(cookie, Stamp(1))
    return StorageState.of([*parts, *(Part(part_id, entries) for part_id, entries in jars.items())])


@pytest.fixture(name="saved")
def saved_fixture():
    return saved
