"""Stand-in sites in their own process, homes of their own, and scripts run as fresh processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from handstamp.demo import BUILT_IN, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from handstamp.demo import DemoServers


@pytest.fixture
def demo() -> Iterator[DemoServers]:
    """Both stand-in sites, fresh."""
    with start() as servers:
        yield servers


@dataclass(frozen=True)
class Machine:
    """An environment to run fresh processes and commands in: a home, and the stand-in portside's address."""

    environment: dict[str, str]

    def run(self, code: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run Python `code` in a fresh process and wait for it."""
        return subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)], env=self.environment | more, capture_output=True, text=True, timeout=28, check=False
        )

    def start(self, code: str, **more: str) -> subprocess.Popen[str]:
        """Start Python `code` in a fresh process."""
        return subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code)],
            env=self.environment | more,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def handstamp(self, *words: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        """Run the command line."""
        command = [sys.executable, "-m", "handstamp.cli", *words]
        return subprocess.run(command, env=self.environment | more, input=stdin, capture_output=True, text=True, timeout=28, check=False)

    def facts(self, *words: str, stdin: str = "", status: int = 0, **more: str) -> dict[str, Any]:
        """What the command line says with `--json`, once it has ended with `status`."""
        done = self.handstamp(*words, "--json", stdin=stdin, **more)
        assert (done.returncode, done.stderr) == (status, ""), done
        found: dict[str, Any] = json.loads(done.stdout)
        return found


@pytest.fixture
def machine(demo: DemoServers, tmp_path: Path) -> Callable[..., Machine]:
    """`machine("a")`: one with a home of its own; further variables by keyword."""

    def made(name: str = "one", **more: str) -> Machine:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("HANDSTAMP_") or key == "HANDSTAMP_BROWSER"}
        return Machine(clean | {"HANDSTAMP_HOME": str(tmp_path / name), "HANDSTAMP_PORTSIDE_BASE_URL": demo.portside.url} | more)

    return made


@pytest.fixture
def password() -> dict[str, str]:
    """The variables with the first built-in account's credentials."""
    return {"HANDSTAMP_PORTSIDE_USERNAME": BUILT_IN[0].username, "HANDSTAMP_PORTSIDE_PASSWORD": BUILT_IN[0].password}


@pytest.fixture
def brought(demo: DemoServers) -> Callable[[Machine], None]:
    """`brought(here)`: a living session, imported as cookies.txt. The server counts no login for it, and no browser is started."""

    def into(here: Machine, username: str = "demo", profile: str = "default") -> None:
        (session,) = demo.control.open_sessions(username)
        line = f"portside.localhost\tFALSE\t/\tFALSE\t0\tsid\t{session.cookie}"
        here.facts("import", "-", "--yes", "--profile", profile, stdin=f"# Netscape HTTP Cookie File\n{line}\n")

    return into


@dataclass
class Served:
    """`handstamp serve` in a process of its own, and a client for it."""

    environment: dict[str, str]
    words: tuple[str, ...] = ("--port", "0")
    process: subprocess.Popen[bytes] | None = None
    url: str = ""
    log: Path | None = None

    def start(self) -> None:
        """Start it, and wait until it takes requests."""
        assert self.log is not None
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "handstamp.cli", "serve", "--json", *self.words]
            self.process = subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, stderr=log)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log.read_text()
        self.url = json.loads(line)["url"]

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; what it exits with."""
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.send_signal(number)
        status = self.process.wait(45)
        self.process.stdout.close()
        return status

    @property
    def token(self) -> str:
        return (Path(self.environment["HANDSTAMP_HOME"]) / "server.token").read_text().strip()

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"} | more.pop("headers", {})
        return requests.request(method, f"{self.url}{path}", json=body, headers=headers, timeout=50, **more)

    def get(self, path: str) -> requests.Response:
        return self.call("GET", path)

    def post(self, path: str, body: Any = None, **more: Any) -> requests.Response:
        return self.call("POST", path, body, **more)


@pytest.fixture
def served(machine: Callable[..., Machine], tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """`served("--port", "0", HANDSTAMP_…="…")`: a server that has been started."""
    every: list[Served] = []

    def start_one(*words: str, **more: str) -> Served:
        one = Served(machine(**more).environment, words or ("--port", "0"), log=tmp_path / "server.log")
        every.append(one)
        one.start()
        return one

    yield start_one
    for one in every:
        if one.process is not None and one.process.poll() is None:
            one.end()
        if one.process is not None and one.process.stdout is not None:
            one.process.stdout.close()
