"""A browser, a web server and pages for the tests of databases: state goes from one context to another by the library alone."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import inspect
import json
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from handstamp.browser import find_browser
from handstamp.browser.cdp import CdpError, Connection, PipeTransport
from handstamp.browser.idb import World, changes, dump, over_cdp
from handstamp.browser.process import BrowserProcess, Launch
from handstamp.errors import BrowserMissing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from handstamp.browser.idb import Restored

WORLD = "handstamp"
VALUES = Path(__file__).with_name("values.js").read_text(encoding="utf-8")


async def until(ask: Callable[[], Awaitable[Any]], seconds: float = 20.0) -> Any:
    """The first answer that is true."""
    deadline = time.monotonic() + seconds
    while True:
        if answer := await ask():
            return answer
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


class Site(http.server.BaseHTTPRequestHandler):
    """Every host and path is a page; its script is what a test has put there."""

    scripts: dict[str, str] = {}  # noqa: RUF012  (of one server, which is one for all tests)

    def do_GET(self) -> None:
        script = self.scripts.get(self.path, "")
        body = f"<!doctype html><meta charset=utf-8><link rel=icon href=data:,><script>{VALUES}</script><script>{script}</script>".encode(
            "utf-8", "surrogatepass"
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing is logged."""


@dataclass
class Page:
    """One page of a context."""

    lab: Lab
    session: str
    scripts: dict[str, str]

    async def add(self, source: str, world: str | None = WORLD) -> None:
        params = {"source": source, **({"worldName": world} if world else {})}
        self.scripts[source] = (await self.send("Page.addScriptToEvaluateOnNewDocument", params))["identifier"]

    async def forget_scripts(self) -> None:
        for source in list(self.scripts):
            await self.send("Page.removeScriptToEvaluateOnNewDocument", {"identifier": self.scripts.pop(source)})

    async def goto(self, path: str = "/", host: str = "localhost", script: str = "", *, ends: str = "") -> None:
        """Open a page whose own script is `script`; back when it, or the page at path `ends` that it leads to, has loaded."""
        self.lab.serve(path, script)
        await self.send("Page.navigate", {"url": self.lab.url(path, host)})
        url = self.lab.url(ends or path, host)
        await until(lambda: self.js(f"document.readyState === 'complete' && location.href === {json.dumps(url)}"))

    async def js(self, expression: str) -> Any:
        """The value of an expression, or of its promise, in the page's own world."""
        params = {"expression": expression, "awaitPromise": True, "returnByValue": True, "replMode": False}
        with contextlib.suppress(CdpError):  # while one document gives way to the next
            answer = await self.lab.connection.send("Runtime.evaluate", params, session=self.session)
            assert "exceptionDetails" not in answer, answer["exceptionDetails"].get("exception", {}).get("description")
            return answer["result"].get("value")
        return None

    async def run(self, body: str) -> Any:
        """What a function with this body returns, in the page's own world; through JSON."""
        text = await self.js(f"(async () => {{ {body} }})().then((value) => JSON.stringify(value) ?? 'null')")
        assert text is not None
        return json.loads(text)

    async def frames(self) -> dict[str, str]:
        """Ids of the frames of this page's process, by URL."""
        tree = (await self.send("Page.getFrameTree"))["frameTree"]
        return {frame["frame"]["url"]: frame["frame"]["id"] for frame in [tree, *tree.get("childFrames", [])]}

    async def world(self, *, frame: str | None = None, scope: str = "http://site.test") -> World:
        """Of the document that is there now; `scope` is what it is called in what is told of it."""
        tree = (await self.send("Page.getFrameTree"))["frameTree"]
        frames = {one["frame"]["id"]: one["frame"]["securityOrigin"] for one in [tree, *tree.get("childFrames", [])]}
        frame = frame or next(iter(frames))
        made = await over_cdp(self.lab.connection, session=self.session, frame=frame, scope=frames[frame], name=WORLD)
        return World(made.evaluate, scope)

    async def dumps(self) -> list[dict[str, Any]]:
        """What a fresh context needs to have the databases of this page's origin."""
        captured = await (await self.world()).databases()
        made = [dump(name, changes({}, database)[0]) for name, database in captured.databases.items()]
        return [one for one in made if one is not None]

    async def restored(self, name: str) -> Restored:
        """How the restoring of a database ended."""
        return (await (await self.world()).ended())[name]

    async def send(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        return await self.lab.connection.send(method, params, session=self.session)


class Lab:
    """The browser and the server."""

    def __init__(self, process: BrowserProcess, server: http.server.ThreadingHTTPServer) -> None:
        self.process = process
        self.connection = Connection(PipeTransport(process.reads, process.writes))
        self.events: list[dict[str, Any]] = []
        self.connection.on_event = self.events.append
        self.server = server

    def url(self, path: str = "/", host: str = "localhost") -> str:
        return f"http://{host}:{self.server.server_address[1]}{path}"

    def serve(self, path: str, script: str) -> None:
        """From now on the page at this path runs this script."""
        Site.scripts[path] = script

    async def page(self, *, context: str | None = None) -> Page:
        """A page, in a new context unless one is given."""
        context = context or (await self.connection.send("Target.createBrowserContext"))["browserContextId"]
        target = (await self.connection.send("Target.createTarget", {"url": "about:blank", "browserContextId": context}))["targetId"]
        session = (await self.connection.send("Target.attachToTarget", {"targetId": target, "flatten": True}))["sessionId"]
        page = Page(self, session, {})
        await page.send("Page.enable")
        return page

    async def heard(self, method: str, **params: Any) -> None:
        """Wait for such an event, after `events` was cleared."""

        async def here() -> bool:
            return any(event["method"] == method and params.items() <= event["params"].items() for event in self.events)

        await until(here)

    async def end(self) -> None:
        await self.connection.close()
        await self.process.end()


@pytest.fixture(name="until")
def _until() -> Callable[..., Awaitable[Any]]:
    return until


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="session")
def lab(runner: asyncio.Runner) -> Iterator[Lab]:
    try:
        launch = Launch(find_browser(), arguments=("--host-resolver-rules=MAP *.test 127.0.0.1",))
    except BrowserMissing as missing:
        pytest.skip(str(missing))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    lab = Lab(BrowserProcess.start(launch), server)
    runner.run(lab.connection.start())
    yield lab
    runner.run(lab.end())
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs tests that are coroutine functions, all on the loop of the browser."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    pyfuncitem._request.getfixturevalue("runner").run(pyfuncitem.obj(**arguments))
    return True
