"""A small server that speaks the contract, in a thread: it does nothing at any site, answers as it is told to, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from starlette.requests import Request

TOKEN = "hs_canary-token-of-the-test"
PASSWORD = "canary-password-of-dana"
CREATED = "2026-03-01T12:00:00.000Z"
FILE = bytes(range(256)) * 4096  # a megabyte
NO_SESSION = {"success": False, "error": "Invalid or expired session_id", "code": "session-not-found"}


@dataclass
class Desk:
    """The server.

    Args:
        url: where it is.
        asked: method, path and document of every request, in order.
        planned: answers to give before it goes by the contract, in order.
        agents: what requests had in their headers, in order.
    """

    url: str = ""
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    planned: deque[Callable[[], Response]] = field(default_factory=deque)
    agents: list[dict[str, str]] = field(default_factory=list)
    sessions: dict[tuple[str, str], str] = field(default_factory=dict)

    def plan(self, status: int, document: Any = None, *, body: bytes | None = None, **headers: str) -> None:
        """Answer the next request so."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.planned.append(lambda: JSONResponse(document, status, named) if body is None else Response(body, status, named))

    async def answer(self, request: Request) -> Response:
        document = await request.json() if request.method == "POST" else None
        self.asked.append((request.method, request.url.path, document))
        self.agents.append(dict(request.headers))
        if self.planned:
            return self.planned.popleft()()
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"success": False, "error": "this server wants a token", "code": "unauthorized"}, 401)
        return self.by_contract(request.url.path, document)

    def by_contract(self, path: str, given: Any) -> Response:
        if path == "/get_session":
            return JSONResponse(self.opened(given))
        if path == "/sessions":
            return JSONResponse({"success": True, "active_sessions": [self.told(who[0], name) for who, name in self.sessions.items()], "count": 1})
        if path == "/close_session":
            return JSONResponse({"success": True, "message": "closed"} if self.ended(given["session_id"]) else NO_SESSION, 200)
        if path == "/health":
            return JSONResponse({"success": True, "status": "healthy", "service": "handstamp", "sessions": {"session_capacity": "1/10"}})
        if path.startswith("/files/"):
            return self.file(path)
        return self.operation(path, given)

    def opened(self, given: dict[str, Any]) -> dict[str, Any]:
        known = (given["username"], given["password"])
        is_new = known not in self.sessions
        name = self.sessions.setdefault(known, f"s-{len(self.sessions)}")
        return {
            "success": True,
            "session_id": name,
            "is_new": is_new,
            "username": given["username"],
            "created_at": CREATED,
            "expires_at": None,
            "message": "opened",
        }

    def told(self, username: str, session_id: str) -> dict[str, Any]:
        return {
            "session_id": session_id,
            "username": username,
            "site": "portside",
            "keep_alive": True,
            "created_at": CREATED,
            "last_used": CREATED,
            "age_seconds": 12.5,
            "last_refresh": None,
            "health": "valid",
            "state": "live",
            "in_use": False,
        }

    def ended(self, session_id: str) -> bool:
        before = len(self.sessions)
        self.sessions = {who: name for who, name in self.sessions.items() if name != session_id}
        return len(self.sessions) < before

    def operation(self, path: str, given: dict[str, Any]) -> Response:
        if "username" in given:
            session = self.opened(given)
            envelope = {"session_id": session["session_id"], "is_new_session": session["is_new"]}
        elif given.get("session_id") in self.sessions.values() or "appointment_session_id" in given:
            envelope = {"session_id": given.get("session_id", "s-0"), "is_new_session": False}
        else:
            return JSONResponse(NO_SESSION, 400)
        if path.endswith("/check_appointments"):
            return self.workflow(given, envelope)
        return JSONResponse({"success": True, **envelope, "containers": ["MSKU 1"], "file_url": "/files/secret%20name.xlsx", "given": given})

    def workflow(self, given: dict[str, Any], envelope: dict[str, Any]) -> Response:
        envelope = {**envelope, "appointment_session_id": "a-1", "debug_bundle_url": "/files/bundle.zip"}
        if "truck_plate" in given:
            return JSONResponse({"success": True, **envelope, "available_times": ["08:00"]})
        lacking = {"success": False, "error": "Missing required field for Phase 2: truck_plate", "code": "input-missing"}
        return JSONResponse({**lacking, **envelope, "current_phase": 2, "missing": ["truck_plate"], "message": "call again"}, 400)

    def file(self, path: str) -> Response:
        if path == "/files/endless":
            return StreamingResponse(self.drops())
        if path != "/files/secret name.xlsx":
            return JSONResponse({"success": False, "error": "there is no such file, or not any more", "code": "session-not-found"}, 404)
        return StreamingResponse(iter([FILE[at : at + 65536] for at in range(0, len(FILE), 65536)]))

    async def drops(self) -> AsyncIterator[bytes]:
        while True:
            yield bytes(1 << 18)
            await asyncio.sleep(0.01)


@pytest.fixture
def desk(home: Path) -> Iterator[Desk]:  # noqa: ARG001  (nobody's own token is there)
    desk = Desk()
    app = Starlette(routes=[Route("/{rest:path}", desk.answer, methods=["GET", "POST"])])
    with socket.create_server(("127.0.0.1", 0)) as sock:
        desk.url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.005)
        yield desk
        server.should_exit = True
        thread.join()


@pytest.fixture
def home(home: Path) -> Path:
    """Made already: tests put a server's token there."""
    home.mkdir(mode=0o700)
    return home
