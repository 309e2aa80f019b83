"""Node-RED's editor with accounts: an OAuth token in localStorage."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from app import App
from machine import Running, install_node, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USERNAME, PASSWORD = "dana", "not for anything else"
HASH = 'process.stdout.write(require("bcryptjs").hashSync(require("fs").readFileSync(0, "utf8"), 8))'


@contextmanager
def start(folder: Path, programs: Path, port: int) -> Iterator[Running]:
    """An editor with one account, whose audit log names each login."""
    hashed = subprocess.run(["node", "-e", HASH], cwd=folder, input=PASSWORD, capture_output=True, text=True, check=True).stdout
    settings = {
        "uiHost": "127.0.0.1",
        "uiPort": port,
        "userDir": str(folder / "flows"),
        "credentialSecret": "of an example",
        "adminAuth": {"type": "credentials", "users": [{"username": USERNAME, "password": hashed, "permissions": "*"}]},
        "editorTheme": {"tours": False},
        "telemetry": {"enabled": False, "updateNotification": False},
        "logging": {"console": {"level": "info", "audit": True}},
    }
    file = folder / "settings.js"
    file.write_text(f"module.exports = {json.dumps(settings)}")
    with running(["node", programs / "node-red", "--settings", file], folder, port) as app:
        yield app


APP = App(
    name="node-red",
    keeps="localStorage",
    username=USERNAME,
    password=PASSWORD,
    install=partial(install_node, name="node-red"),
    start=start,
    page="/",
    inside="text=Flow 1",
    login_line=r'"event":"auth\.login"',
)
