"""The stand-in sites, a home of the test's own, and credentials in the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from handstamp.demo import DemoServers


@pytest.fixture
def demo(demo: DemoServers, home: Path, monkeypatch: pytest.MonkeyPatch) -> DemoServers:  # noqa: ARG001  (before anything is looked up)
    """The sites as at the start, and dana's credentials for portside."""
    monkeypatch.setenv("HANDSTAMP_PORTSIDE_USERNAME", "dana")
    monkeypatch.setenv("HANDSTAMP_PORTSIDE_PASSWORD", "blue-crane-42")
    monkeypatch.setenv("INTERPALS_BASE_URL", demo.interpals.url)
    monkeypatch.setattr("handstamp.http.refusals._here", {})  # what this process remembers of earlier tests
    return demo


@pytest.fixture
def home(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Beside what clients of services write into the working directory."""
    monkeypatch.chdir(tmp_path)
    return home


@pytest.fixture
def child_environment(demo: DemoServers) -> dict[str, str]:  # noqa: ARG001  (which sets it)
    """For processes that the test starts: with the addresses of the sites."""
    return dict(os.environ)


@dataclass
class Asked:
    """One request as it came."""

    method: str
    path: str
    host: str
    headers: dict[str, str]
    body: bytes

    @property
    def cookies(self) -> dict[str, str]:
        pairs = (pair.partition("=") for pair in self.headers.get("cookie", "").split("; ") if pair)
        return {name: value for name, _, value in pairs}


Answer = tuple[int, bytes, list[tuple[str, str]]]
"""Status, body, headers."""


@dataclass
class Web:
    """A server that answers as the test says: `pages` by path, `asked` in order."""

    port: int
    pages: dict[str, Callable[[Asked], Answer]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def url(self, path: str = "", *, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def put(self, path: str, status: int = 200, body: str | bytes = "", *headers: tuple[str, str]) -> None:
        answer = (status, body.encode() if isinstance(body, str) else body, list(headers))
        self.pages[path] = lambda _: answer


def _handler(web: Callable[[], Web]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            body = self._chunks() if self.headers.get("Transfer-Encoding") == "chunked" else self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path.partition("?")[0], headers.get("host", ""), headers, body)
            web().asked.append(asked)
            status, content, given = web().pages.get(asked.path, lambda _: (404, b"nothing here", []))(asked)
            self.send_response(status)
            for name, value in given:
                self.send_header(name, value)
            if "content-type" not in {name.lower() for name, _ in given}:
                self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _chunks(self) -> bytes:
            data = b""
            while size := int(self.rfile.readline(), 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return data

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815  (the library's names)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    return Handler


@pytest.fixture
def web(listening: Callable[[type[BaseHTTPRequestHandler]], int]) -> Web:
    web = Web(listening(_handler(lambda: web)))
    return web
