"""`handstamp mcp` in a process of its own, clients of the official SDK, and every message between them written down."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
import sys
import threading
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import httpx2
import pytest
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from handstamp.demo import Account

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
    from pathlib import Path

    from handstamp.demo import DemoServers
    from handstamp.vault import Vault

PASSWORD = "planted-Password-5b1e"
TOTP = "OBWGC3TUMVSC243FMVSC2NRUGIYTQ5TM"
CANARY = "planted-canary-77aa"


_HOME = """<!doctype html><title>Home of {sid}</title><h1>Home</h1><p>Log out</p>
<p id=shown>Your session is {sid} and your password is {password}.</p>
<p id=token></p>
<form action=/typed method=post><label>Your name <input name=name value="Ann A"></label>
<label>Password <input type=password name=pw value="typed-into-the-page"></label>
<label>API token <input name=api_token readonly value="short-one"></label>
<label>Code <input autocomplete=one-time-code name=c></label>
<label>Colour <select name=colour><option>red<option>green</select></label><button>Send</button></form>
<a href="/other?token={sid}">Other page</a> <a href="/other" target=_blank>In a new window</a> <a href="{outside}">Way out</a>
<iframe srcdoc="<p>In the frame: {sid}</p>"></iframe>
<script>localStorage.setItem("state", JSON.stringify({{access: "{token}"}}));
document.getElementById("token").textContent = "Token " + JSON.parse(localStorage.getItem("state")).access;</script>"""
_WAYS = """<!doctype html><title>Ways out</title><h1>Ways out</h1>
<a data-way="link" href="{outside}/link">1</a> <a data-way="redirect" href="/away">2</a> <a data-way="redirect twice" href="/away?twice">3</a>
<a data-way="meta refresh" href="/meta">4</a> <a data-way="header refresh" href="/header">5</a>
<button data-way="location" onclick="location='{outside}/location'">6</button>
<form action="{outside}/form" method=post><input name=a value=b><button data-way="form">7</button></form>
<button data-way="window.open" onclick="window.open('{outside}/window')">8</button>
<a data-way="new window" href="{outside}/blank" target=_blank rel=opener>9</a>
<a data-way="no opener" href="{outside}/noopener" target=_blank rel=noopener>10</a>
<a data-way="named frame" href="{outside}/top" target=_top>11</a>
<a id=broken href="/broken">12</a>"""
_PARTS = """<!doctype html><title>Parts</title><h1>Parts</h1><p id=said></p><script src="{outside}/script.js"></script>
<iframe src="{outside}/frame"></iframe><iframe src="/away?frame"></iframe>"""
_LOGIN = "<form method=post><input id=u name=u><input id=p type=password name=p><button>In</button></form>"


@dataclass
class AgentSite:
    """A site whose pages show what they should not: the session's id, its token, the password; with a way out to another server.

    Args:
        url: of it.
        outside: of another server, which is none of the site.
    """

    url: str
    outside: str
    password: str = "planted-Leaky-31c7"
    sid: str = field(default_factory=lambda: f"planted-sid-{secrets.token_hex(8)}")
    token: str = field(default_factory=lambda: f"planted-token-{secrets.token_hex(8)}")
    typed: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)  # what the other server was asked for

    @property
    def recipe(self) -> str:
        steps = '[{fill = "#u", value = "{username}"}, {fill = "#p", value = "{password}"}, {click = "button"}]'
        check = '[check]\nurl = "/home"\nlogged_in = {text = "Log out"}\nlogged_out = {redirect = "/login"}\n'
        return f'name = "leaky"\nbase_url = "{self.url}"\ndomains = ["127.0.0.1"]\n[login]\nurl = "/login"\nsteps = {steps}\n{check}'

    def away(self, query: str) -> str:
        """Where the site's own redirects lead."""
        return {"twice": "/away", "frame": f"{self.outside}/frame-redirected"}.get(query, f"{self.outside}/redirected")

    def pages(self) -> dict[str, tuple[int, str, dict[str, str]]]:
        """Status, text and headers of the pages that lead elsewhere, by path."""
        meta = f'<meta http-equiv=refresh content="0;url={self.outside}/meta">'
        return {
            "/ways": (200, _WAYS.format(outside=self.outside), {}),
            "/parts": (200, _PARTS.format(outside=self.outside), {}),
            "/meta": (200, meta, {}),
            "/restless": (200, f"<script>setInterval(() => {{ location = '{self.outside}/restless' }}, 100)</script>", {}),
            "/header": (200, "<p>Wait</p>", {"Refresh": f"0; url={self.outside}/header"}),
            "/to-sso": (302, "", {"Location": f"{self.outside.replace('127.0.0.1', 'sso.localhost')}/login"}),
        }

    def home(self) -> str:
        return _HOME.format(sid=self.sid, password=escape(self.password), token=self.token, outside=f"{self.outside}/elsewhere")


@contextmanager
def serving() -> Iterator[AgentSite]:
    """The site and the other server, until the block ends."""
    with _server() as inside, _server() as outside:
        site = AgentSite(f"http://127.0.0.1:{inside.server_port}", f"http://127.0.0.1:{outside.server_port}")
        inside.site = site  # type: ignore[attr-defined]
        outside.asked = site.elsewhere  # type: ignore[attr-defined]
        yield site


@contextmanager
def _server() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        site: AgentSite | None = getattr(self.server, "site", None)
        path, _, query = self.path.partition("?")
        if site is None:
            self._elsewhere(path)
        elif path == "/login":
            self._send(200, _LOGIN)
        elif f"sid={site.sid}" not in self.headers.get("Cookie", ""):
            self._send(302, "", Location="/login")
        elif path == "/broken":
            self.close_connection = True  # without an answer
        elif path == "/away":
            self._send(302, "", Location=site.away(query))
        elif path in site.pages():
            status, text, headers = site.pages()[path]
            self._send(status, text, **headers)
        else:
            self._send(200, site.home() if path in {"/", "/home"} else f"<title>Other</title><p>Other page of {path}</p>")

    def _elsewhere(self, path: str) -> None:
        self.server.asked.append(path)  # type: ignore[attr-defined]
        script = "document.getElementById('said').textContent = 'Script of elsewhere';"
        self._send(200, script if path.endswith(".js") else f"<p>Elsewhere {path}</p>")

    def do_POST(self) -> None:
        site: AgentSite | None = getattr(self.server, "site", None)
        if site is None:
            self._elsewhere(self.path)
            return
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if self.path == "/typed":
            site.typed += [f"{name}={value[0]}" for name, value in form.items()]
            self._send(200, "<title>Sent</title><p>Thank you</p>")
        elif form.get("p") == [site.password]:
            self._send(302, "", Location="/home", **{"Set-Cookie": f"sid={site.sid}; Path=/; HttpOnly"})
        else:
            self._send(200, _LOGIN)

    def _send(self, status: int, text: str, **headers: str) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def demo(servers: DemoServers, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> DemoServers:
    """Portside, whose secrets begin with a canary; the credentials of vera, who has a TOTP secret, are kept."""
    servers.control.reset()
    servers.control.set(canary=CANARY)
    servers.control.add_account(Account("vera", PASSWORD, "Vera Quill", "Quill Freight", TOTP))
    monkeypatch.setenv("HANDSTAMP_PORTSIDE_BASE_URL", servers.portside.url)
    vault.set_secret("portside", "vera", "password", PASSWORD)
    vault.set_secret("portside", "vera", "totp", TOTP)
    return servers


@pytest.fixture
def agent_site(home: Path, vault: Vault) -> Iterator[AgentSite]:
    """A site that shows its users' secrets, with a recipe in the home directory."""
    with serving() as site:
        (home / "sites").mkdir(parents=True, exist_ok=True)
        (home / "sites" / "leaky.toml").write_text(site.recipe)
        for username in ("ann", "ben"):
            vault.set_secret("leaky", username, "password", site.password)
        yield site


class _Written:
    """A stream whose messages are written down."""

    def __init__(self, stream: Any, transcript: list[str]) -> None:
        self._stream, self._transcript = stream, transcript

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _note(self, item: Any) -> Any:
        self._transcript.append(item.message.model_dump_json(by_alias=True) if hasattr(item, "message") else repr(item))
        return item

    async def receive(self) -> Any:
        return self._note(await self._stream.receive())

    async def send(self, item: Any) -> None:
        await self._stream.send(self._note(item))

    def __aiter__(self) -> Any:
        return self

    async def __anext__(self) -> Any:
        return self._note(await self._stream.__anext__())

    async def __aenter__(self) -> Any:
        await self._stream.__aenter__()
        return self

    async def __aexit__(self, *how: object) -> Any:
        return await self._stream.__aexit__(*how)


@asynccontextmanager
async def _recorded(transport: Any, transcript: list[str]) -> AsyncIterator[Any]:
    async with transport as (reading, writing):
        yield _Written(reading, transcript), _Written(writing, transcript)


class Failed(Exception):
    """A tool's error."""

    def __init__(self, facts: dict[str, Any]) -> None:
        super().__init__(f"{facts['code']}: {facts['error']}")
        self.facts = facts
        self.code = facts["code"]


class Agent:
    """A client, as a test speaks with it."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def tools(self) -> list[str]:
        return [tool.name for tool in (await self.client.list_tools()).tools]

    async def answer(self, name: str, **arguments: Any) -> Any:
        return await self.client.call_tool(name, arguments, read_timeout_seconds=60)

    async def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        answer = await self.answer(name, **arguments)
        if answer.is_error:
            raise Failed(answer.structured_content)
        return answer.structured_content

    async def text(self, handle: str, **how: Any) -> str:
        return str((await self.call("read_page", handle=handle, **how))["text"])


@dataclass
class Line:
    """How clients reach the server.

    Args:
        home: of the server.
        log: what it wrote to stderr.
        transcript: every message, both ways.
    """

    home: Path
    log: Path
    transcript: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def stdio(self, *options: str, mode: str = "auto", asked: Any = None) -> AsyncIterator[Agent]:
        """A client that starts the server itself."""
        command = StdioServerParameters(command=sys.executable, args=["-m", "handstamp.cli", "mcp", *options], env=dict(os.environ))
        with self.log.open("a") as log:
            async with Client(_recorded(stdio_client(command, errlog=log), self.transcript), mode=mode, elicitation_callback=asked) as client:
                yield Agent(client)

    @asynccontextmanager
    async def http(self, url: str, token: str = "", *, mode: str = "auto", asked: Any = None) -> AsyncIterator[Agent]:
        """A client of a server that runs."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with httpx2.AsyncClient(headers=headers, timeout=60) as web:
            transport = _recorded(streamable_http_client(url, http_client=web), self.transcript)
            async with Client(transport, mode=mode, elicitation_callback=asked) as client:
                yield Agent(client)

    @contextmanager
    def server(self, *options: str) -> Iterator[tuple[str, int]]:
        """The server over HTTP, in a process of its own: its URL, and its pid."""
        with self.log.open("a") as log:
            command = [sys.executable, "-m", "handstamp.cli", "mcp", "--http", "127.0.0.1:0", *options]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
            try:
                assert process.stdout is not None
                yield process.stdout.readline().split()[-1], process.pid
            finally:
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=30)


@pytest.fixture
def line(home: Path, tmp_path: Path) -> Line:
    return Line(home, tmp_path / "mcp.log")


@pytest.fixture
def play() -> Callable[[Coroutine[Any, Any, None]], None]:
    return asyncio.run


@pytest.fixture
def failed() -> type[Failed]:
    return Failed
