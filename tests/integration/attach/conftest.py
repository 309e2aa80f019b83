"""A site that signs in by a cookie and a token, a vault that another process has filled, and browsers that somebody else starts."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from handstamp.browser import Launch, find_browser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from handstamp.state import StorageState
    from handstamp.vault import Vault

# What the page's first script sees is what counts.
PAGE = """<!doctype html><link rel=icon href='data:,'>
<script>first={cookie:document.cookie,local:{...localStorage},session:{...sessionStorage}}</script><h1>hello</h1>"""
SAVE = """
import json, sys
from handstamp.state import Clock, Cookie, Part, PartId, PartKind, StorageState, cookie_scope, observed
from handstamp.vault import Vault
profile, cookies, local, session = json.loads(sys.stdin.read())
clock = Clock("elsewhere")
parts = []
jars = {}
for cookie in cookies:
    jars.setdefault(cookie_scope(cookie["domain"]), []).append(Cookie(**cookie))
for scope, jar in jars.items():
    parts.append(observed(None, PartId(PartKind.COOKIES, scope), {cookie.key: cookie for cookie in jar}, clock))
for scope, items in local.items():
    parts.append(observed(None, PartId(PartKind.LOCAL, scope), {(key,): value for key, value in items.items()}, clock))
for scope, tabs in session.items():
    values = {(tab, key): value for tab, items in tabs.items() for key, value in items.items()}
    parts.append(observed(None, PartId(PartKind.SESSION, scope), values, clock))
vault = Vault()
vault.save(profile, StorageState.of(parts, epoch=vault.epoch(profile)))
"""


@dataclass
class Web:
    """A site: `/` shows what the first script saw; `/login` sets the cookie `sid`, `/logout` ends it."""

    port: int
    headers: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)

    def origin(self, name: str = "a") -> str:
        return f"http://{name}.localhost:{self.port}"


@pytest.fixture
def web(listening: Callable[[type[BaseHTTPRequestHandler]], int]) -> Web:
    site: Web

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = site.pages.get(self.path, PAGE).encode()
            self.send_response(200)
            for name, value in site.headers.get(self.path, []):
                self.send_header(name, value)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    site = Web(listening(Handler))
    site.headers["/login"] = [("Set-Cookie", "sid=new; Path=/; HttpOnly")]
    site.headers["/logout"] = [("Set-Cookie", "sid=; Path=/; Max-Age=0")]
    return site


@pytest.fixture
def saved_elsewhere(vault: Vault) -> Callable[..., None]:  # noqa: ARG001  (names the home)
    """`saved_elsewhere(cookies=[…], local={…}, session={…})`: another process saves this in the profile ``work``."""

    def save(cookies: tuple[dict[str, Any], ...] = (), local: dict[str, Any] | None = None, session: dict[str, Any] | None = None) -> None:
        told = json.dumps(["work", cookies, local or {}, session or {}])
        subprocess.run([sys.executable, "-c", SAVE], input=told, text=True, check=True, timeout=20)

    return save


@dataclass
class Chrome:
    """A Chromium that somebody started with a debugging port."""

    endpoint: str
    process: subprocess.Popen[bytes]


@pytest.fixture
def chrome() -> Iterator[Chrome]:
    user_data = Path(tempfile.mkdtemp(prefix="attach-"))
    command = [part for part in Launch(find_browser(), arguments=("--remote-debugging-port=0",)).command(user_data) if part != "--remote-debugging-pipe"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    file = user_data / "DevToolsActivePort"
    eventually(lambda: file.exists() and len(file.read_text().split()) == 2)
    yield Chrome(f"http://127.0.0.1:{file.read_text().split()[0]}", process)
    process.terminate()
    process.wait()
    shutil.rmtree(user_data, ignore_errors=True)


def eventually(holds: Callable[[], Any], *, within: float = 10.0) -> Any:
    """What `holds` comes to give, once it is true."""
    deadline = time.monotonic() + within
    while not (found := holds()):
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)
    return found


@pytest.fixture(name="eventually")
def eventually_fixture() -> Callable[..., Any]:
    return eventually


def cookies_of(state: StorageState) -> dict[str, str]:
    """Name and value of the cookies of a state."""
    return {cookie.name: cookie.value for cookie in state.cookies()}


@pytest.fixture(name="cookies_of")
def cookies_of_fixture() -> Callable[..., dict[str, str]]:
    return cookies_of


@pytest.fixture
def executable() -> str:
    return str(find_browser())
