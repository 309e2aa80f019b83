"""`handstamp serve` in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any, Self

_END_SECONDS = 60.0


class ServerProcess:
    """A server on a free port.

    Args:
        home: its home directory.
        flags: of `handstamp serve`.
        env: besides this process's own; the address of a site, for instance.

    Attributes:
        url: where it listens.
        token: of its administrator.
        pid: of its process.
        pids: of all its processes so far.
    """

    def __init__(self, home: Path, *flags: str, env: Mapping[str, str]) -> None:
        self._home = home
        self._command = [sys.executable, "-m", "handstamp.cli", "serve", "--json", "--port", "0", "--log-format", "text", *flags]
        self._env = {**os.environ, "HANDSTAMP_HOME": str(home), **env}
        self._log = home.parent / "server.log"
        self.url = ""
        self.token = ""
        self.pids: list[int] = []
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        return self._running().pid

    @property
    def log(self) -> str:
        """What it has said on stderr, of all its starts."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def start(self) -> None:
        """Start it, and wait until it takes requests."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("a") as log:
            self._process = subprocess.Popen(self._command, env=self._env, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True)
        self.pids.append(self._process.pid)
        line = (self._process.stdout.readline() if self._process.stdout else "").strip()
        if not line:
            raise SystemExit(f"the server did not start: {self.log[-2000:]}")
        self.url = json.loads(line)["url"]
        self.token = (self._home / "server.token").read_text().strip()

    def kill(self) -> None:
        """End it as a crash does."""
        self._running().send_signal(signal.SIGKILL)
        self._ended()

    def stop(self) -> int:
        """End it in order; its exit status."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        return self._ended()

    def post(self, path: str, *, timeout: float = 120.0, **body: Any) -> requests.Response:
        """Call it as any program would."""
        return requests.post(f"{self.url}{path}", json=body, headers={"Authorization": f"Bearer {self.token}"}, timeout=timeout)

    def get(self, path: str, *, timeout: float = 60.0) -> requests.Response:
        """The same for what is only read."""
        return requests.get(f"{self.url}{path}", headers={"Authorization": f"Bearer {self.token}"}, timeout=timeout)

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise RuntimeError("the server is not started")
        return self._process

    def _ended(self) -> int:
        process, self._process = self._running(), None
        try:
            status = process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        if process.stdout is not None:
            process.stdout.close()
        return status
