"""Prefect's server with a password: what is typed is kept in localStorage, and its API wants it with each call."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from app import App
from machine import Running, install_python, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USERNAME, PASSWORD = "admin", "not-for-anything-else"


@contextmanager
def start(folder: Path, programs: Path, port: int) -> Iterator[Running]:
    """A server on an SQLite file, that tells nobody of itself."""
    settings = {
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_SERVER_API_AUTH_STRING": f"{USERNAME}:{PASSWORD}",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_LOGGING_LEVEL": "INFO",
    }
    with running([programs / "prefect", "server", "start", "--host=127.0.0.1", f"--port={port}"], folder, port, settings=settings) as app:
        yield app


APP = App(
    name="prefect",
    keeps="localStorage",
    username=USERNAME,
    password=PASSWORD,
    install=partial(install_python, name="prefect"),
    start=start,
    page="/dashboard",
    inside="text=Run a task or flow to get started",
    login_line=r'"GET /login HTTP',  # its login is made in the page; only a login asks the server for that page
)
