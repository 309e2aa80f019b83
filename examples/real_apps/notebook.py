"""Jupyter Notebook with a password: a cookie named after the port, and an _xsrf token in cookie and form."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from app import App
from machine import Running, install_python, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASSWORD = "not for anything else"
HASH = "import sys; from jupyter_server.auth import passwd; print(passwd(sys.stdin.read(), 'sha256'))"


@contextmanager
def start(folder: Path, programs: Path, port: int) -> Iterator[Running]:
    """A server of an empty folder, that runs whatever is typed there, so with a password and on loopback only."""
    desk = folder / "desk"
    desk.mkdir(exist_ok=True)
    hashed = subprocess.run([programs / "python", "-c", HASH], input=PASSWORD, capture_output=True, text=True, check=True).stdout.strip()
    settings = [f"--ServerApp.root_dir={desk}", f"--PasswordIdentityProvider.hashed_password={hashed}", "--ServerApp.port_retries=0"]
    command = [programs / "jupyter-notebook", "--allow-root", "--no-browser", "--ip=127.0.0.1", f"--port={port}", *settings]
    with running(command, folder, port) as app:
        yield app


APP = App(
    name="notebook",
    keeps="cookie + CSRF",
    username="owner",
    password=PASSWORD,
    install=partial(install_python, name="notebook"),
    start=start,
    page="/tree",
    inside=".jp-FileBrowser",
    login_line=r"302 POST /login",
)
