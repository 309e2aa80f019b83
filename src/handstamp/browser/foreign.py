"""A Chromium that somebody else started, over a CDP connection of our own beside whoever drives it. We never end it."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from handstamp.browser.cdp import CdpError, Connection, WebSocketTransport
from handstamp.browser.either import now
from handstamp.browser.endpoint import open_socket, socket_url
from handstamp.browser.guest import GuestContext
from handstamp.browser.watch import Watch
from handstamp.errors import BrowserError, BrowserGone, ConfigError
from handstamp.state import Device

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.browser.cdp import Transport
    from handstamp.browser.live import LiveContext
    from handstamp.state import Clock, StorageState

MARK_DOMAIN = "handstamp.invalid"  # RFC 6761: no such host, so no request ever carries the mark


class ForeignBrowser:
    """One connection to a browser of others. All calls belong on the engine's loop.

    Attributes:
        identity: `browserContextId` of the context that its windows have by themselves; it keeps that as long as it runs.
        nature: the device that it is by itself, as far as we know without a page.
        live: the context that is open in it.
    """

    def __init__(self, connection: Connection, clock: Clock, *, identity: str, nature: Device) -> None:
        self.identity = identity
        self.nature = nature
        self.live: GuestContext | None = None
        self._connection = connection
        self._clock = clock
        self._watch = Watch(connection, found_open=_found_open)
        connection.on_event = self._watch.hear

    @classmethod
    async def connect(cls, endpoint: str, clock: Clock) -> ForeignBrowser:
        """To the browser at an endpoint.

        Args:
            endpoint: ``http://host:port`` or ``ws://…``.
            clock: stamps changes.

        Raises:
            ConfigError: this is no browser's debugging port.
            BrowserGone: nothing listens there.
        """
        socket = await open_socket(await socket_url(endpoint))
        return await cls.over(WebSocketTransport(socket), clock)

    @classmethod
    async def over(cls, transport: Transport, clock: Clock) -> ForeignBrowser:
        """By a way in that is there already."""
        connection = Connection(transport)
        await connection.start()
        try:
            version = await connection.send("Browser.getVersion")
            identity = await default_context(connection.send)
        except BrowserError as error:
            await connection.close()
            if isinstance(error, CdpError):
                raise ConfigError("what listens there is no Chromium, or not the browser but one of its pages; give the URL of the browser itself") from error
            raise
        return cls(connection, clock, identity=identity, nature=Device(user_agent=version["userAgent"]))

    @property
    def alive(self) -> bool:
        """Whether the browser still answers."""
        return not self._connection.closed.is_set()

    async def marked_context(self, mark: str) -> str:
        """The context in whose jar there is a cookie of this name, of `MARK_DOMAIN`. The cookie is removed.

        Raises:
            BrowserGone: there is none: it has been closed.
        """
        told = await self._connection.send("Target.getBrowserContexts")
        for context in [*told["browserContextIds"], self.identity]:
            cookies = (await self._connection.send("Storage.getCookies", {"browserContextId": context}))["cookies"]
            if any(cookie["name"] == mark for cookie in cookies):
                ended = {"name": mark, "value": "", "domain": MARK_DOMAIN, "path": "/", "expires": time.time() - 86400}
                await self._connection.send("Storage.setCookies", {"cookies": [ended], "browserContextId": context})
                return str(context)
        raise BrowserGone("this browser context is closed; give one that is open")

    async def look(self, context: str, state: StorageState, *, since: int | None) -> StorageState:
        """What the context holds that `state` does not know, as changes of it. Nothing is put into the browser."""
        live = GuestContext(self._connection, state, self._clock, None, since=since, gives=False)
        await self._enter(context, live)
        await live.finish()
        await live.end()
        self._watch.contexts.clear()
        await self._watch.stop()
        return live.mirror.take()

    async def open(self, context: str, state: StorageState, save: Callable[[StorageState], None] | None, *, since: int | None = None) -> GuestContext:
        """Bring `state` into the context, and mirror and save what becomes of it.

        Args:
            context: its `browserContextId`.
            state: what to restore.
            save: see `LiveContext`.
            since: see `cookies_to_give`.
        """
        self.live = GuestContext(self._connection, state, self._clock, save, since=since)
        await self._enter(context, self.live)
        await self.live.save()
        return self.live

    async def _enter(self, context: str, live: GuestContext) -> None:
        await live.fill(context)
        self._watch.contexts[context] = live
        await self._watch.start()
        await live.settled()

    async def close(self) -> None:
        """Save, and let go: the browser, its contexts and pages stay as they are."""
        if self.live is not None:
            await self.live.end()
        with contextlib.suppress(OSError):
            await self._connection.close()


async def default_context(send: Callable[[str], Any]) -> str:
    """`browserContextId` of the context that a browser's windows have by themselves: a new one whenever the browser starts.

    Args:
        send: sends a command without parameters to the browser; gives an awaitable of its result, or the result.
    """
    told = await now(send("Target.getBrowserContexts"))
    if default := told.get("defaultBrowserContextId"):
        return str(default)
    targets = (await now(send("Target.getTargets")))["targetInfos"]  # a browser that does not tell
    ids = [target["browserContextId"] for target in targets if target.get("browserContextId")]
    return next((one for one in ids if one not in told["browserContextIds"]), "")


def _found_open(live: LiveContext, session: str) -> None:
    if isinstance(live, GuestContext):
        live.meet(session)
