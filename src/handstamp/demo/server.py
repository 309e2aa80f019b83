"""The stand-in sites as one process: three loopback ports, one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import uvicorn

from handstamp.demo import control, interpals
from handstamp.demo.portside import app as portside
from handstamp.demo.world import World
from handstamp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from handstamp.demo.knobs import InterpalsKnobs, PortsideKnobs

HOST = "127.0.0.1"
PARENT_LOOK_SECONDS = 1.0
"""How often a managed server looks whether its parent is still there; the end of its stdin tells sooner, mostly."""
_GRACE_SECONDS = 2
_KEEP_ALIVE_SECONDS = 120  # long, so that a client's pool seldom takes up a connection in the moment of its end


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where to listen; 0 takes a free port."""

    portside: int = 0
    interpals: int = 0
    control: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where the sites are.

    Args:
        portside: port.
        interpals: port.
        control: port.
        token: for the control endpoint.
        solver_key: for the service that reads portside's pictures.
    """

    portside: int
    interpals: int
    control: int
    token: str = field(repr=False)
    solver_key: str = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        """The start line: `url` for browsers, which take every name under ``localhost`` for this machine; `plain_url` for all."""
        sites = {"portside": self.portside, "interpals": self.interpals}
        urls = {name: {"url": f"http://{name}.localhost:{port}", "plain_url": f"http://{HOST}:{port}"} for name, port in sites.items()}
        control = f"http://{HOST}:{self.control}"
        solver = {"url": f"{control}/solver", "api_key": self.solver_key}
        return {**urls, "control": {"url": control, "token": self.token}, "solver": solver, "pid": os.getpid()}


class _ByPort:
    """Hands each request to the application of the port that it came in by."""

    def __init__(self, apps: Mapping[int, ASGIApp]) -> None:
        self._apps = apps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._apps[scope["server"][1]](scope, receive, send)


class _Server(uvicorn.Server):
    """Says when it is ready, and ends with its parent if it is managed.

    Args:
        config: uvicorn's.
        ready: called once, when all ports answer.
        managed: end when stdin does or when the parent process is gone.
    """

    def __init__(self, config: uvicorn.Config, *, ready: Callable[[], None], managed: bool) -> None:
        super().__init__(config)
        self._ready = ready
        self._managed = managed
        self._parent = os.getppid()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open for requests, then tell."""
        await super().startup(sockets=sockets)
        if self._managed:
            threading.Thread(target=self._until_stdin_ends, name="demo-stdin", daemon=True).start()
            self._watch = asyncio.create_task(self._until_parent_ends())
        self._ready()

    def _until_stdin_ends(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while os.read(sys.stdin.fileno(), 4096):
                pass
        self.should_exit = True

    async def _until_parent_ends(self) -> None:
        # A fork of the parent may hold the other end of our stdin open, so its end alone is not enough.
        while os.getppid() == self._parent:  # noqa: ASYNC110  (the system tells nobody when a parent ends)
            await asyncio.sleep(PARENT_LOOK_SECONDS)
        self.should_exit = True


def serve(*, ports: Ports, portside_knobs: PortsideKnobs, interpals_knobs: InterpalsKnobs, ready: Callable[[Listening], None], managed: bool = False) -> None:
    """Run both sites until a signal (or the end of stdin, if managed) stops them.

    Args:
        ports: where to listen.
        portside_knobs: how portside behaves at the start and after a reset.
        interpals_knobs: how interpals does.
        ready: called once, when all ports answer.
        managed: end when stdin does or when the parent process is gone.

    Raises:
        ConfigError: a port is taken or not allowed.
    """
    world = World(portside=portside_knobs, interpals=interpals_knobs)
    token, solver_key = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(_bound(port)) for port in (ports.portside, ports.interpals, ports.control)]
        first, second, third = (int(sock.getsockname()[1]) for sock in sockets)
        where = Listening(portside=first, interpals=second, control=third, token=token, solver_key=solver_key)
        app = _ByPort({first: portside.build(world), second: interpals.build(world), third: control.build(world, token=token, solver_key=solver_key)})
        _Server(_config(app), ready=lambda: ready(where), managed=managed).run(sockets=sockets)


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )


def _bound(port: int) -> socket.socket:
    # The protocol is named because asyncio turns Nagle's algorithm off only where it is: otherwise each page takes 40 ms.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # So that a fixed port can be taken again right after a stop; it does not let two servers share one.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((HOST, port))
    except OSError as error:
        sock.close()
        raise ConfigError(f"port {port} on {HOST} cannot be used ({error.strerror}); take another, or 0 for a free one") from error
    return sock
