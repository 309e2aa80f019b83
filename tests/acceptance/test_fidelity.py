"""Every kind of state, written in one process and looked for in another: it arrives unchanged, or the session says what was lost.

The same parts as docs/fidelity.md, by the script that makes it; here handstamp's own column.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "fidelity.py"
PAGE = ROOT / "docs" / "fidelity.md"
# What no script can read or put back, and how the loss is called.
CANNOT_TRAVEL = {
    "CryptoKey, not extractable": "crypto-key",
    "handle of a file in OPFS": "file-handle",
    "RTCCertificate": "rtc-certificate",
    "Cache API": "cache-storage",
    "service worker's registration": "service-worker",
    "storage buckets": "storage-bucket",
}


@pytest.mark.timeout(600)  # eighty kinds, two processes and browsers
def test_every_kind_arrives_unchanged_or_is_named_as_a_loss() -> None:
    command = [sys.executable, str(SCRIPT), "--json", "--way", "handstamp"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=580, check=False)
    assert done.returncode == 0, done.stderr
    cells = {(row["group"], row["kind"]): row["ways"]["handstamp"] for row in json.loads(done.stdout)}
    assert len(cells) > 75
    lost = {kind: cell for (_, kind), cell in cells.items() if cell["verdict"] != "kept"}
    assert {kind: cell["verdict"] for kind, cell in lost.items()} == dict.fromkeys(CANNOT_TRAVEL, "lost with report")
    assert {kind: cell["reports"][0].partition(":")[0] for kind, cell in lost.items()} == CANNOT_TRAVEL
    assert not [kind for kind, cell in cells.items() if cell["verdict"] == "kept" and cell["reports"]]


def test_the_page_promises_no_more_than_is_tested() -> None:
    rows = [line.split("|")[1:4] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    not_kept = {name.strip() for name, ours, _ in rows if "lost" in ours or "changed" in ours or "fails" in ours}
    assert not_kept == CANNOT_TRAVEL.keys()
    assert {whole.strip() for name, _, whole in rows if name.strip() in CANNOT_TRAVEL} == {"kept"}
