"""The whole server in this process: over stdin and stdout for one client, or over HTTP for many."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import uvicorn
from mcp.server.auth.settings import AuthSettings
from mcp.server.stdio import stdio_server
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import AnyHttpUrl

from handstamp.errors import ConfigError
from handstamp.listening import Address, bound, check_openness, is_loopback
from handstamp.mcp.call import Bench
from handstamp.mcp.left import SCHEME, Left
from handstamp.mcp.logins import Logins
from handstamp.mcp.pages import Pages
from handstamp.mcp.permissions import check_names
from handstamp.mcp.server import Serving
from handstamp.mcp.tokens import VaultTokens
from handstamp.mcp.tools import TOOLS
from handstamp.mcp.tools.operations import operation_tools
from handstamp.operations import Files, every_operation
from handstamp.pool import Pool, PoolSettings

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path
    from typing import Self

    from mcp.server.lowlevel import Server

    from handstamp.mcp.settings import McpSettings
    from handstamp.vault import Vault

_log = logging.getLogger(__name__)
PATH = "/mcp"
FILES_FOLDER = "files"
_BODY_LIMIT = 1 << 20
_LAST_SECONDS = 5.0  # for what is under way when the server ends
_SIGNALLED = 128  # and the signal's number, as shells count


def serve_stdio(vault: Vault, home: Path, settings: McpSettings) -> None:
    """Serve the client at stdin and stdout until it hangs up, or a signal comes.

    Args:
        vault: with the sessions.
        home: the home directory.
        settings: what agents may do.

    Raises:
        ConfigError: it cannot be with these settings.
    """

    async def serving() -> None:
        with _Signals() as signals:
            async with _server(vault, home, settings, same_machine=True) as (server, pool):
                signals.pool = pool
                async with stdio_server() as (incoming, outgoing):
                    await server.run(incoming, outgoing, server.create_initialization_options())
                signals.ending = True

    asyncio.run(serving())


def serve_http(vault: Vault, home: Path, settings: McpSettings, address: Address, *, with_tokens: bool, ready: Callable[[Address], None]) -> None:
    """Serve clients over streamable HTTP until a signal ends it.

    Args:
        vault: with the sessions and the tokens.
        home: the home directory.
        settings: what agents may do.
        address: where to listen; port 0 takes a free one.
        with_tokens: whether clients need one.
        ready: told where it listens, once, when it does.

    Raises:
        ConfigError: it cannot be with these settings; the port is taken.
    """
    check_openness(address.host, with_tokens=with_tokens)
    check_named(address, settings)
    with bound(address.host, address.port) as sock:
        there = Address(address.host, int(sock.getsockname()[1]), PATH)

        async def serving() -> None:
            async with _server(vault, home, settings, same_machine=False) as (server, _):
                app = server.streamable_http_app(
                    streamable_http_path=PATH,
                    max_request_body_size=_BODY_LIMIT,
                    transport_security=_security(there, settings),
                    auth=AuthSettings(issuer_url=AnyHttpUrl(there.url), resource_server_url=None) if with_tokens else None,
                    token_verifier=VaultTokens(vault) if with_tokens else None,
                )
                await _Listener(app, lambda: ready(there)).serve(sockets=[sock])

        asyncio.run(serving())


def check_named(address: Address, settings: McpSettings) -> None:
    """Refuse a server that cannot tell its own name from another's.

    Raises:
        ConfigError: it could not.
    """
    if not is_loopback(address.host) and not settings.allowed_hosts:
        raise ConfigError(f"at {address.host} the server can be called by any name: say which are its own with allowed_hosts in [mcp]")


@contextlib.asynccontextmanager
async def _server(vault: Vault, home: Path, settings: McpSettings, *, same_machine: bool) -> AsyncIterator[tuple[Server[Any], Pool]]:
    tools = (*TOOLS, *operation_tools(every_operation(home)))
    check_names(settings, tools)
    files = Files(home / FILES_FOLDER, base=SCHEME)
    may_log_in = bool({"login", "start_login"} & set(settings.allow)) and not {"login", "start_login"} & set(settings.deny)
    async with Pool(vault, PoolSettings(max_sessions=settings.max_sessions), files=files, home=home) as pool:
        logins = Logins(pool)
        left = Left(files, max_mb=settings.max_file_mb, tells_paths=same_machine)
        bench = Bench(pool, settings, logins, Pages(pool, settings), left, may_log_in=may_log_in)
        try:
            yield Serving(bench, tools, same_machine=same_machine).server(), pool
        finally:
            await logins.stop()


class _Signals:
    """Reading stdin cannot be broken off, so a signal hibernates the sessions and then ends the process.

    Attributes:
        pool: with the sessions, once it is there.
        ending: the client has hung up, so what a signal wants is under way.
    """

    def __init__(self) -> None:
        self.pool: Pool | None = None
        self.ending = False
        self._numbers = () if sys.platform == "win32" else (signal.SIGINT, signal.SIGTERM)
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        for number in self._numbers:
            asyncio.get_running_loop().add_signal_handler(number, self._signalled, number)
        return self

    def __exit__(self, *_: object) -> None:
        for number in self._numbers:
            asyncio.get_running_loop().remove_signal_handler(number)

    def _signalled(self, number: int) -> None:
        if not self.ending:
            self.ending = True
            self._task = asyncio.get_running_loop().create_task(self._end(number))

    async def _end(self, number: int) -> None:
        try:
            if self.pool is not None:
                await self.pool.drain(_LAST_SECONDS)
        finally:
            logging.shutdown()
            os._exit(_SIGNALLED + number)


class _Listener(uvicorn.Server):
    """Serves an application until a signal comes."""

    def __init__(self, app: Any, ready: Callable[[], None]) -> None:
        quiet: dict[str, Any] = {"log_config": None, "access_log": False, "server_header": False}
        super().__init__(uvicorn.Config(app, loop="asyncio", ws="none", proxy_headers=False, timeout_graceful_shutdown=2, **quiet))
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open for requests, then tell."""
        await super().startup(sockets=sockets)
        self._ready()


def _security(address: Address, settings: McpSettings) -> TransportSecuritySettings:
    """Only requests for this server, and none that a page of somebody else sends."""
    local = ["127.0.0.1", "localhost", "[::1]"]
    own = [f"{host}:{address.port}" for host in local] + list(settings.allowed_hosts)
    return TransportSecuritySettings(allowed_hosts=own, allowed_origins=[f"{scheme}://{host}" for host in own for scheme in ("http", "https")])
