"""The agent's loop in examples/agents runs as it is printed, and its model sees no secret."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from handstamp.demo import DemoServers
    from handstamp.vault import Vault

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "agents" / "agent_loop.py"


@pytest.mark.timeout(120)
def test_an_agents_loop_logs_in_and_finds_its_answer_on_the_page(demo: DemoServers, vault: Vault) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run([sys.executable, str(EXAMPLE), "portside", "work"], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    steps = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("call: ")]
    assert steps == ["list_sessions", "start_login", "open_page", "fill", "read_page", "close_page"]
    answer = done.stdout.rsplit("answer: ", 1)[1]
    held = answer.split(": ")[1].strip().split(", ")
    assert answer.startswith(f"{len(held)} containers in the yard are on hold")
    assert demo.control.stats().portside.logins == 1
    values = [cookie.value for cookie in vault.load("work").cookies()]
    assert [value for value in ("planted-", *(value for value in values if len(value) > 15)) if value in done.stdout + done.stderr] == []
