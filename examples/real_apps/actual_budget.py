"""Actual Budget's server and web app: the token is a record in IndexedDB, and a service worker serves the pages."""

from __future__ import annotations

import json
import urllib.request
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from app import App
from machine import Running, install_node, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASSWORD = "not for anything else"


@contextmanager
def start(folder: Path, programs: Path, port: int) -> Iterator[Running]:
    """A server with its one password set."""
    settings = {"ACTUAL_PORT": str(port), "ACTUAL_HOSTNAME": "127.0.0.1", "ACTUAL_DATA_DIR": str(folder), "NODE_ENV": "production"}
    with running(["node", programs / "actual-server"], folder, port, settings=settings) as app:
        if not _asked(f"{app.url}/account/needs-bootstrap")["bootstrapped"]:
            _asked(f"{app.url}/account/bootstrap", {"password": PASSWORD})
        yield app


def _asked(url: str, body: dict[str, str] | None = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310  (http at 127.0.0.1)
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  (the same)
        found: dict[str, Any] = json.load(answer)["data"]
    return found


APP = App(
    name="actual",
    keeps="IndexedDB + service worker",
    username="owner",
    password=PASSWORD,
    install=partial(install_node, name="actual"),
    start=start,
    page="/",
    inside="text=Server online",
    login_line=r"POST 200 /account/login",
    pause=60.0,  # it takes 500 requests a minute from one address, and its service worker makes 150 in each fresh browser
)
