"""The way into a Chromium that the caller's own Playwright drives: its port if it has one, else a tunnel, else none.

These flows (see `either.py`) call the caller's objects, so they run where the caller is, never on the engine's loop.
"""

from __future__ import annotations

import contextlib
import logging
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handstamp.browser.either import now
from handstamp.browser.foreign import MARK_DOMAIN, ForeignBrowser, default_context
from handstamp.browser.tunnel import BINDING, Tunnel
from handstamp.errors import BrowserError, BrowserGone, ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from handstamp.state import Clock

    OnEngine = Callable[[Coroutine[Any, Any, Any]], Any]

_log = logging.getLogger(__name__)
_DIRECT = {"proxyServer": "direct://", "proxyBypassList": "*"}


@dataclass
class Way:
    """A browser that we have got into by the caller's Playwright.

    Args:
        browser: the engine's side.
        session: the caller's CDP session that keeps our page; None when the browser has a port.
    """

    browser: ForeignBrowser
    session: Any = field(default=None, repr=False)

    async def close(self) -> None:
        """Let go of what is the caller's; the engine's side is closed before."""
        if self.session is not None:
            with contextlib.suppress(Exception):  # it may have gone with its browser, or with the caller's Playwright
                await now(self.session.detach())


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What of a browser's command line says how it can be reached."""

    text: str

    def flag(self, name: str) -> str | None:
        """The value of a switch, empty for one without; None when it is not there."""
        found = re.findall(rf"(?:^|\s)--{name}(?:=(\"[^\"]*\"|\S*))?(?=\s|$)", self.text)
        return found[-1].strip('"') if found else None

    @property
    def endpoint(self) -> str | None:
        """Where it listens, if it has a port."""
        port = self.flag("remote-debugging-port")
        if port == "0" and (folder := self.flag("user-data-dir")):
            with contextlib.suppress(OSError):
                port = (Path(folder) / "DevToolsActivePort").read_text().split()[0]
        return f"http://127.0.0.1:{port}" if port and port.isdigit() and port != "0" else None

    @property
    def no_window_of_its_own(self) -> bool:
        """Whether Playwright started it for contexts only: pages outside of them are then nobody's."""
        return self.flag("remote-debugging-pipe") is not None and self.flag("no-startup-window") is not None

    @property
    def headless(self) -> bool:
        """Whether it shows nothing."""
        return self.flag("headless") is not None or "headless" in self.text.partition(" --")[0]


async def way_into(browser: Any, on_engine: OnEngine, clock: Clock) -> Way | None:
    """The way into a Playwright `Browser`; None when it has to be served the eager way.

    Args:
        browser: of either API, Chromium.
        on_engine: runs a coroutine on the engine's loop; a result or an awaitable of it.
        clock: stamps changes.
    """
    session = await now(browser.new_browser_cdp_session())
    try:
        identity = await default_context(session.send)
        line = CommandLine(await _command_line(session))
        if line.endpoint and (beside := await now(on_engine(_beside(line.endpoint, identity, clock)))):
            return Way(beside)
        if line.no_window_of_its_own and (through := await _through_tunnel(session, on_engine, clock, shown=not line.headless)):
            way = Way(through, session)
            session = None
            return way
        return None
    finally:
        if session is not None:
            with contextlib.suppress(Exception):
                await now(session.detach())


async def _command_line(session: Any) -> str:
    try:
        return " ".join((await now(session.send("Browser.getBrowserCommandLine")))["arguments"])
    except Exception:  # noqa: BLE001  (Playwright's Error; only a browser started with --enable-automation answers that)
        return str((await now(session.send("SystemInfo.getInfo"))).get("commandLine", ""))


async def _beside(endpoint: str, identity: str, clock: Clock) -> ForeignBrowser | None:
    """The browser at this endpoint, if it is the very one."""
    try:
        browser = await ForeignBrowser.connect(endpoint, clock)
    except (BrowserError, ConfigError) as error:
        _log.debug("the browser's port is not used: %s", error)
        return None
    if identity and browser.identity == identity:
        return browser
    await browser.close()
    return None


async def _through_tunnel(session: Any, on_engine: OnEngine, clock: Clock, *, shown: bool) -> ForeignBrowser | None:
    tunnel, url = await now(on_engine(_listening()))
    window = {"newWindow": True, "windowState": "minimized"} if shown else {}
    context = (await now(session.send("Target.createBrowserContext", {"disposeOnDetach": True, **_DIRECT})))["browserContextId"]
    target = (await now(session.send("Target.createTarget", {"url": url, "browserContextId": context, "background": True, **window})))["targetId"]
    await now(session.send("Target.exposeDevToolsProtocol", {"targetId": target, "bindingName": BINDING, "inheritPermissions": True}))
    try:
        browser: ForeignBrowser = await now(on_engine(ForeignBrowser.over(tunnel, clock)))
    except BrowserError as error:
        _log.debug("no tunnel into the browser: %s", error)
        return None
    return browser


async def _listening() -> tuple[Tunnel, str]:
    tunnel = Tunnel()
    return tunnel, await tunnel.listen()


async def context_id(context: Any, browser: ForeignBrowser, on_engine: OnEngine) -> str:
    """`browserContextId` of a Playwright context: it gets a cookie that no site ever sees, and we look where that is.

    Raises:
        BrowserGone: the context is closed.
    """
    mark = f"handstamp-{secrets.token_hex(8)}"
    try:
        await now(context.add_cookies([{"name": mark, "value": "1", "domain": MARK_DOMAIN, "path": "/"}]))
    except Exception as error:
        raise BrowserGone("this browser context is closed; give one that is open") from error
    found: str = await now(on_engine(browser.marked_context(mark)))
    return found
