"""Servers of this process: a real one, on a port of its own, in a thread, with a pool and a vault."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field, replace
from queue import Queue
from typing import TYPE_CHECKING, Any

import pytest
import requests

from handstamp.server import ServerSettings
from handstamp.server.serving import Ready, serve
from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass
class Running:
    """A server, and clients for it."""

    url: str
    vault: Vault
    token: str = field(repr=False)
    ready: Ready

    @property
    def port(self) -> int:
        return self.ready.address.port

    def call(self, method: str, path: str, *, token: str | None = None, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"} if token != "" else {}
        return requests.request(method, f"{self.url}{path}", headers=headers | more.pop("headers", {}), timeout=50, **more)

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> requests.Response:
        return self.call("POST", path, **({"json": body} if body is not None else {}), **more)

    def token_for(self, *scopes: str, **more: Any) -> str:
        return self.vault.add_token("-".join(["test", *scopes]), scopes, **more)


@contextlib.contextmanager
def running(home: Path, *, with_tokens: bool = True, **given: Any) -> Iterator[Running]:
    settings = replace(ServerSettings(port=0, drain_seconds=5.0), **given)
    told: Queue[Ready | BaseException] = Queue()

    def work() -> None:
        try:
            serve(vault, home, settings, with_tokens=with_tokens, ready=told.put)
        except BaseException as error:  # noqa: BLE001  (told by the test's thread)
            told.put(error)

    with Vault(home=home) as vault:
        thread = threading.Thread(target=work)
        thread.start()
        ready = told.get(timeout=40)
        if isinstance(ready, BaseException):
            thread.join()
            raise ready
        try:
            token = ready.token_file.read_text().strip() if ready.token_file else ""
            yield Running(ready.address.url, vault, token, ready)
        finally:
            ready.stop()
            thread.join(timeout=40)
            assert not thread.is_alive()


@pytest.fixture
def serving(home: Path) -> Iterator[Callable[..., Running]]:
    """`serving(body_limit=…)`: a server with these settings."""
    with contextlib.ExitStack() as stack:
        yield lambda **given: stack.enter_context(running(home, **given))


@pytest.fixture
def server(serving: Callable[..., Running]) -> Running:
    return serving()
