"""A web server that answers as each test says, and a real Chromium with a loop of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.async_api import async_playwright

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from playwright.async_api import Browser, Page

FLAGS = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-quic"]


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    host: str
    headers: dict[str, str]
    form: dict[str, str]

    @property
    def cookies(self) -> dict[str, str]:
        pairs = (pair.partition("=") for pair in self.headers.get("cookie", "").split("; ") if pair)
        return {name: value for name, _, value in pairs}


@dataclass
class Answer:
    """What comes back. `hold` keeps it back until the test lets it go."""

    body: str | bytes = ""
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    hold: threading.Event | None = None


@dataclass
class Web:
    """The server: `pages` by path, what was asked in order."""

    port: int
    pages: dict[str, Callable[[Asked], Answer]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    ahead: float = 0.0  # seconds that its clock is before ours

    def url(self, path: str = "", *, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def answer(self, body: str | bytes = "", status: int = 200, *cookies: str, hold: threading.Event | None = None, **headers: str) -> Answer:
        """An answer; underscores in names of headers are dashes."""
        named = [(name.replace("_", "-"), value) for name, value in headers.items()]
        return Answer(body, status, [*named, *(("Set-Cookie", cookie) for cookie in cookies)], hold)

    def redirect(self, place: str, *cookies: str) -> Answer:
        return self.answer("", 302, *cookies, Location=place)

    def put(self, path: str, body: str | bytes | Answer = "", status: int = 200, **headers: str) -> None:
        """Answer so at this path."""
        answer = body if isinstance(body, Answer) else self.answer(body, status, **headers)
        self.pages[path] = lambda _: answer

    def count(self, path: str, method: str = "GET") -> int:
        return sum(1 for asked in self.asked if (asked.path, asked.method) == (path, method))


def _handler(web: Callable[[], Web]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            self._answer(dict(parse_qsl(data)))

        def _answer(self, form: dict[str, str]) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, urlsplit(self.path).path, headers.get("host", ""), headers, form)
            web().asked.append(asked)
            answer = web().pages.get(asked.path, lambda _: Answer("nothing here", 404))(asked)
            if answer.hold is not None:
                answer.hold.wait(20)
            body = answer.body.encode() if isinstance(answer.body, str) else answer.body
            given = {name.lower() for name, _ in answer.headers}
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            if "content-type" not in given:
                self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                self.close_connection = True  # they have what they wanted, or are tired of waiting

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string(time.time() + web().ahead if timestamp is None else timestamp)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    return Handler


@pytest.fixture
def web(listening: Callable[[type[BaseHTTPRequestHandler]], int]) -> Web:
    web = Web(listening(_handler(lambda: web)))
    web.put("/favicon.ico", status=204)
    return web


class Chromium:
    """One browser in a thread; `run` gives a coroutine a page in a context of its own."""

    def __init__(self, executable: str) -> None:
        self._executable = executable
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        self._playwright, self._browser = self._call(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, visit: Callable[[Page], Awaitable[Any]]) -> Any:
        return self._call(self._visit(visit))

    def _call(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _start(self) -> tuple[Any, Browser]:
        playwright = await async_playwright().start()
        flags = [*FLAGS, "--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else FLAGS
        return playwright, await playwright.chromium.launch(executable_path=self._executable, args=flags)

    async def _stop(self) -> None:
        await self._browser.close()
        await self._playwright.stop()

    async def _visit(self, visit: Callable[[Page], Awaitable[Any]]) -> Any:
        context = await self._browser.new_context()
        try:
            return await visit(await context.new_page())
        finally:
            await context.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    executable = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if executable is None:
        pytest.skip("no chromium on PATH")
    with Chromium(executable) as running:
        yield running
