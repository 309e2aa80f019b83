"""The guide to the server: its curl lines and its Python run in their order, against a server in a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from handstamp.demo import DemoServers

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "server.md").read_text(encoding="utf-8")
SHELL = [line for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) for line in block.splitlines()]
REMOTE, WORKFLOW = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
ELSEWHERE = re.compile(r"pip |handstamp serve( --port \d+)?$|export HANDSTAMP_VAULT=")  # what takes another machine, or is running already
PASSWORD = "harbour-light-7"


@dataclass
class Reader:
    """Somebody who types what the page says.

    Args:
        environment: of the terminal.
        folder: where they are.
        answers: to what they typed, by the endpoint's name, the last one.
    """

    environment: dict[str, str]
    folder: Path
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)

    def type(self, line: str) -> None:
        """A line of the page; what a value stands for is taken from the answer before."""
        if named := re.match(r"export (SESSION|WORKFLOW|FILE_URL)=", line):
            self.environment[named[1]] = self.value(named[1])
            return
        if line.startswith("export SERVER="):
            return
        done = subprocess.run(["bash", "-c", line], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=50, check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        if done.stdout.startswith("{"):
            self.answers[line.rsplit(maxsplit=1)[-1].rpartition("/")[2]] = json.loads(done.stdout)

    def value(self, name: str) -> str:
        endpoint, key = {
            "SESSION": ("get_session", "session_id"),
            "WORKFLOW": ("check_appointments", "appointment_session_id"),
            "FILE_URL": ("get_containers", "file_url"),
        }[name]
        return str(self.answers[endpoint][key])

    def run(self, code: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Python in a fresh process."""
        code = code.replace('"https://sessions.example", token="hs_…"', "").replace(", infinite_scrolling=True", "")
        return subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
            **more,
        )


@pytest.fixture
def reader(demo: DemoServers, tmp_path: Path) -> Iterator[Reader]:
    program = tmp_path / "bin" / "handstamp"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m handstamp.cli "$@"\n')
    program.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name != "HANDSTAMP_HOME"}
    environment |= {"HOME": str(tmp_path), "HANDSTAMP_PORTSIDE_BASE_URL": demo.portside.url, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    log = tmp_path / "server.log"
    with log.open("w") as errors:
        server = subprocess.Popen(["handstamp", "serve", "--port", "0", "--json"], env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        started = server.stdout.readline()
        assert started, log.read_text()
        url = json.loads(started)["url"]
        yield Reader(environment | {"SERVER": url, "HANDSTAMP_SERVER": url}, tmp_path)
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=60)
    assert server.returncode == 0, log.read_text()
    token = (tmp_path / ".config" / "handstamp" / "server.token").read_text().strip()
    assert [secret for secret in (PASSWORD, token) if secret in log.read_text()] == []


@pytest.mark.timeout(170)  # a server, a browser, some twenty processes, and operations that look through pages
def test_the_guide_to_the_server_does_what_it_says(reader: Reader, demo: DemoServers) -> None:
    for line in SHELL:
        if not ELSEWHERE.match(line) and "close_session" not in line:
            reader.type(line)
    said = reader.answers
    assert all(answer["success"] for answer in said.values())
    assert said["get_session"]["is_new"] is True
    assert said["sessions"]["count"] == 1
    assert said["get_containers"]["session_id"] == said["get_container_timeline"]["session_id"] == said["get_session"]["session_id"]
    assert said["check_appointments"]["available_times"]
    assert (reader.folder / "containers.xlsx").read_bytes().startswith(b"PK")

    interview = f"{WORKFLOW}\nsession = Remote().get_session('demo', '{PASSWORD}')\nprint(session.is_new, *times_of(Remote(), session.session_id, "
    moved = {"trucking_company": "Alder Road Haulage", "terminal": "North Quay", "move_type": "Pick up full", "container_id": "HBRU3729986"}
    asked = reader.run(f"{interview}**{moved | {'own_chassis': False}}))", input="KX 42 AB\n")
    assert (asked.stderr, asked.stdout.startswith("truck_plate? False 20")) == ("", True), asked

    (reader.folder / "containers.xlsx").unlink()
    used = reader.run(REMOTE)
    assert (used.stderr, bool(re.fullmatch(r"[1-9]\d+ False\n", used.stdout))) == ("", True), used
    assert (reader.folder / "containers.xlsx").read_bytes().startswith(b"PK")

    (asking,), (closing,) = ([line for line in SHELL if line.endswith(f"/{name}")] for name in ("get_session", "close_session"))
    reader.type(closing)
    assert said["close_session"] == {"success": False, "error": "Invalid or expired session_id", "code": "session-not-found"}  # Python has closed it
    reader.type(asking)
    reader.type(closing)
    assert (said["get_session"]["success"], said["close_session"]["success"]) == (True, True)
    assert demo.control.stats().portside.logins == 1
