"""Stand-in sites in their own process, homes of their own, and scripts run as fresh processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from handstamp.demo import BUILT_IN, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

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
