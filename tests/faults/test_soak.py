"""Browsing with random kills, for half a minute; the long run is `scripts/soak.py --minutes 30 --origins 50`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "soak.py"


def test_what_is_revived_after_random_kills_is_what_the_sites_know() -> None:
    # A busy machine saves later; what is older than that, mixed or of another origin is a fault however busy it is.
    command = [sys.executable, str(SCRIPT), "--minutes", "0.5", "--origins", "6", "--grace", "15", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=170, check=False)
    told = json.loads(done.stdout)
    assert told["faults"] == []
    assert told["counts"]["steps"] > 0
    assert told["counts"]["origins read after a revival"] > 0
