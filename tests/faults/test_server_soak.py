"""Many accounts on few windows with random kills, for half a minute; the long run is `scripts/server_soak.py --minutes 10 [--kills]`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "server_soak.py"


def test_every_answer_is_the_account_s_own_and_no_kill_costs_a_login() -> None:
    command = [sys.executable, str(SCRIPT), "--minutes", "0.4", "--accounts", "8", "--windows", "3", "--clients", "5", "--kills"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=170, check=False)
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    assert told["faults"] == []
    assert (told["wrong"], told["logins"]) == (0, 8)
    assert told["answers"] > 0
