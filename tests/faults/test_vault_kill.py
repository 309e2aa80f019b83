"""kill -9 at any instant: what `save` returned from is there, and nothing is torn. `FAULT_RUNS` sets how many kills."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from handstamp.state import PartId, PartKind
from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RUNS = int(os.environ.get("FAULT_RUNS", "30"))
LOCAL = PartId(PartKind.LOCAL, "https://app.example")

# Saves for ever: a key of its own each time, in a part that all share and in one that grows; tells each save that returned.
SAVER = """
import itertools, sys
from pathlib import Path
from handstamp.state import Entry, Part, PartId, PartKind, Stamp, StorageState
from handstamp.vault import Vault
run, vault = sys.argv[1], Vault(home=Path(sys.argv[2]))
for number in itertools.count():
    name = f"{run}-{number}"
    entry = Entry(name * 50, Stamp(number + 1, 0, run))
    vault.save("work", StorageState.of([Part(PartId(PartKind.LOCAL, f"https://{host}.example"), {(name,): entry}) for host in ("app", f"run{run}")]))
    vault.record_event("saved", data={"name": name})
    print(name, flush=True)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    return tmp_path / "home"


def killed_saver(run: int, home: Path, *, first: bool) -> list[str]:
    """Starts a saver, kills it somewhere, and gives what it was told is saved."""
    with subprocess.Popen([sys.executable, "-c", SAVER, str(run), str(home)], stdout=subprocess.PIPE, text=True) as saver:
        assert saver.stdout is not None
        told = [saver.stdout.readline()] if first else []
        time.sleep(random.random() * 0.1)  # noqa: S311
        saver.kill()
        told += saver.stdout.readlines()
    return [line.strip() for line in told if line.endswith("\n")]


def test_every_acknowledged_save_is_readable_after_kills_at_random_instants(home: Path) -> None:
    acknowledged: set[str] = set()
    for run in range(RUNS):
        acknowledged |= set(killed_saver(run, home, first=True))
        with Vault(home=home) as vault:
            assert acknowledged <= set(vault.load("work").local_storage(LOCAL.scope))
    with Vault(home=home) as vault:
        state = vault.load("work")
        assert vault.check() == []
        assert acknowledged <= {event.data["name"] for event in vault.events(limit=10**6)}
    for name in acknowledged:
        run = name.partition("-")[0]
        assert state.local_storage(f"https://run{run}.example")[name] == state.local_storage(LOCAL.scope)[name] == name * 50


def test_a_vault_whose_making_was_killed_opens(home: Path) -> None:
    for run in range(max(3, RUNS // 5)):
        fresh = home.with_name(f"home-{run}")
        with subprocess.Popen([sys.executable, "-c", SAVER, str(run), str(fresh)], stdout=subprocess.PIPE) as saver:
            deadline = time.monotonic() + 60
            while not (fresh / "vault.db").exists() and time.monotonic() < deadline:
                time.sleep(0.001)
            time.sleep(random.random() * 0.02)  # noqa: S311
            saver.kill()
        told = killed_saver(1000 + run, fresh, first=True)
        with Vault(home=fresh) as vault:
            assert set(told) <= set(vault.load("work").local_storage(LOCAL.scope))
            assert vault.check() == []
