"""kill -9 at any instant: what was acknowledged is there, nothing is torn, no lease stays stuck.

`HANDSTAMP_FAULTS_KILLS` sets how many kills each test makes, 12 by default; docs/faults.md says how many were made before a
release. A killed process is a fork of one that has imported everything, so that the kill meets the vault and not the imports.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from handstamp.vault import MasterKey, Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Place

KILLS = int(os.environ.get("HANDSTAMP_FAULTS_KILLS", "12"))
LONGEST = 0.08  # seconds until a kill
ORIGIN = "https://app.example"
OLD = Path(__file__).parent.parent / "upgrade" / "0.1.0-schema-1"

# For each line of input (which work, at which vault): a process that does it for ever, and notes what was acknowledged.
STEM = """
import itertools, json, os, signal, sys
from datetime import timedelta
from pathlib import Path
from handstamp.state import Entry, Part, PartId, PartKind, Stamp, StorageState
from handstamp.vault import MasterKey, Vault, unlock
import handstamp.vault.rotation, handstamp.vault.backup
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody becomes a zombie

def change(run, number):
    entry = Entry(f"{run}-{number}" * 50, Stamp(number + 1, 0, str(run)))
    return StorageState.of([Part(PartId(PartKind.LOCAL, f"https://{host}.example"), {(f"{run}-{number}",): entry}) for host in ("app", f"run{run}")])

def save(vault, run, note):
    for number in itertools.count():
        vault.save("work", change(run, number))
        vault.record_event("saved", data={"name": f"{run}-{number}"})
        note({"saved": f"{run}-{number}"})

def renew(vault, run, note):
    for number in itertools.count():
        with vault.lease("work", life=0.006) as lease:  # a beat each 2 ms
            note({"token": lease.token})
            vault.save("work", change(run, number), lease=lease)
            note({"saved": f"{run}-{number}"})

def rotate(vault, run, note):
    for number in itertools.count():
        vault.save("work", change(run, number))
        note({"saved": f"{run}-{number}"})
        vault.rotate_key()

def vacuum(vault, run, note):
    for number in itertools.count():
        vault.save("work", change(run, number))
        note({"saved": f"{run}-{number}"})
        vault.cleanup(history=timedelta(0), events=timedelta(0), compact=number % 3 == 0)

def make(vault, run, note):
    vault.profiles()
    save(vault, run, note)

WORKS = {work.__name__: work for work in (save, renew, rotate, vacuum, make)}
for line in sys.stdin:
    asked = json.loads(line)
    child = os.fork()
    if child == 0:
        notes = os.open(asked["notes"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        key = MasterKey.parse(asked["key"]) if asked["key"] else None
        vault = Vault(asked["url"], home=Path(asked["home"]), key=key)
        WORKS[asked["work"]](vault, asked["run"], lambda fact: os.write(notes, json.dumps(fact).encode() + b"\\n"))
    print(child, flush=True)
"""


@contextmanager
def stem() -> Iterator[Callable[..., list[dict[str, object]]]]:
    """Gives a call that starts a process at some work, kills it somewhere, and gives what it noted."""
    with subprocess.Popen([sys.executable, "-W", "ignore", "-c", STEM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def killed(work: str, run: int, url: str, home: Path, *, key: str = "") -> list[dict[str, object]]:
            assert process.stdin is not None
            assert process.stdout is not None
            notes = home.parent / f"notes-{run}"
            asked = {"work": work, "run": run, "url": url, "home": str(home), "notes": str(notes), "key": key}
            process.stdin.write(json.dumps(asked) + "\n")
            process.stdin.flush()
            child = int(process.stdout.readline())
            patience = time.monotonic() + (0 if run % 4 == 0 else 30)  # one in four may be killed before it has done anything
            while not (notes.exists() and notes.stat().st_size) and time.monotonic() < patience:
                time.sleep(0.001)
            time.sleep(random.random() * LONGEST)  # noqa: S311  (any instant)
            os.kill(child, signal.SIGKILL)
            return [json.loads(line) for line in notes.read_text().splitlines(keepends=True) if line.endswith("\n")] if notes.exists() else []

        yield killed
        assert process.stdin is not None
        process.stdin.close()


def assert_all_there(vault: Vault, names: set[object]) -> None:
    """What was acknowledged is there in both parts, whole."""
    state = vault.load("work")
    shared = state.local_storage(ORIGIN)
    for name in names:
        run = str(name).partition("-")[0]
        assert shared[str(name)] == state.local_storage(f"https://run{run}.example")[str(name)] == str(name) * 50


@pytest.mark.timeout(180 + KILLS)
@pytest.mark.parametrize("work", ["save", "renew", "rotate", "vacuum"])
def test_what_was_acknowledged_is_there_after_kills_at_random_instants(place: Place, work: str) -> None:
    acknowledged: set[object] = set()
    highest = 0
    with place.vault() as vault:
        vault.record_event("made")
        vault.load("work")
    with stem() as killed:
        for run in range(KILLS):
            notes = killed(work, run, place.url, place.home)
            acknowledged |= {note["saved"] for note in notes if "saved" in note}
            highest = max([highest, *(int(str(note["token"])) for note in notes if "token" in note)])
            with place.vault() as vault, vault.lease("work", wait=20) as lease:  # the dead holder's, at once
                assert lease.token > highest
                highest = lease.token
                assert acknowledged <= set(vault.load("work").local_storage(ORIGIN))
    with place.vault() as vault:
        assert_all_there(vault, acknowledged)
        assert vault.check() == []
        if work == "save":
            assert acknowledged <= {event.data["name"] for event in vault.events(kind="saved", limit=10**6)}
    print(f"{place.url.partition(':')[0]} {work}: {KILLS} kills, {len(acknowledged)} acknowledged saves")  # noqa: T201  (a long run tells what it was)


@pytest.mark.timeout(180 + KILLS)
def test_a_vault_whose_making_was_killed_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    with stem() as killed:
        for run in range(KILLS):
            fresh = tmp_path / f"{run}" / "home"
            fresh.parent.mkdir()
            notes = killed("make", 4 * run, f"sqlite:///{fresh}/vault.db", fresh)
            with Vault(home=fresh) as vault:
                assert_all_there(vault, {note["saved"] for note in notes})
                assert vault.check() == []
            shutil.rmtree(fresh.parent)
    print(f"sqlite make: {KILLS} kills")  # noqa: T201  (as above)


@pytest.mark.timeout(180 + KILLS)
def test_a_vault_whose_migration_was_killed_opens_with_all_that_was_in_it(tmp_path: Path) -> None:
    key = (OLD / "key.txt").read_text()
    with stem() as killed:
        for run in range(KILLS):
            home = tmp_path / f"{run}" / "home"
            home.mkdir(mode=0o700, parents=True)
            shutil.copy(OLD / "vault.db", home)
            (home / "vault.db").chmod(0o600)
            killed("make", 4 * run, f"sqlite:///{home}/vault.db", home, key=key)
            with Vault(home=home, key=MasterKey.parse(key)) as vault:
                assert vault.check() == []
                assert vault.secret("portside", "me", "password") == "saved-password"
                assert vault.session("work", "portside") is not None
            shutil.rmtree(home.parent)
    print(f"sqlite migrate: {KILLS} kills")  # noqa: T201  (as above)
