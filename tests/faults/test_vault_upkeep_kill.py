"""kill -9 in the middle of rotating the key, restoring, backing up, cleaning up: nothing lost, nothing torn. `FAULT_RUNS` sets how many."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from handstamp.errors import UnreadableState
from handstamp.state import Entry, Part, PartId, PartKind, Stamp, StorageState
from handstamp.vault import Vault, key_record

if TYPE_CHECKING:
    from pathlib import Path

RUNS = int(os.environ.get("FAULT_RUNS", "5"))
PARTS = 150
START = """
import itertools, sys
from datetime import timedelta
from pathlib import Path
from handstamp.vault import Vault
vault, copy = Vault(home=Path(sys.argv[1])), Path(sys.argv[2])
vault.load("work", domains=["p0.example"])
print("begun", flush=True)
"""


def origin(number: int) -> str:
    return f"https://p{number}.example"


def change(value: str, *, at: int, numbers: range) -> StorageState:
    return StorageState.of([Part(PartId(PartKind.LOCAL, origin(number)), {("k",): Entry(value, Stamp(at))}) for number in numbers])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    home = tmp_path / "home"
    with Vault(home=home) as vault:
        for at in (1, 2):
            vault.save("work", change(f"v{at}", at=at, numbers=range(PARTS)))
        vault.set_secret("portside", "me", "password", "hunter2")
    return home


def killed(program: str, home: Path, *, within: float) -> None:
    """Runs `program`, and kills it somewhere within so many seconds of its beginning."""
    with subprocess.Popen([sys.executable, "-c", START + program, str(home), str(home.with_name("copy"))], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(random.random() * within)  # noqa: S311
        process.kill()


def assert_whole(home: Path, *, value: str = "v2") -> None:
    with Vault(home=home) as vault:
        assert {vault.load("work").local_storage(origin(number))["k"] for number in range(PARTS)} == {value}
        assert vault.secret("portside", "me", "password") == "hunter2"
        assert vault.check() == []


def test_a_killed_rotation_loses_nothing_and_is_brought_to_its_end(home: Path) -> None:
    for _ in range(RUNS):
        killed("for _ in itertools.count(): vault.rotate_key()", home, within=0.3)
        assert_whole(home)
    with Vault(home=home) as vault:
        done = vault.rotate_key()
        assert vault.rotating() == []
        assert key_record(vault) == done.new
    assert_whole(home)


def test_savers_beside_rotations_that_are_killed_lose_no_acknowledged_save(home: Path) -> None:
    saver = """
for number in itertools.count():
    from handstamp.state import *
    vault.save("work", StorageState.of([Part(PartId(PartKind.LOCAL, "https://saver.example"), {(str(number),): Entry("x", Stamp(number + 1))})]))
    print(number, flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", START + saver, str(home), "-"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(max(2, RUNS // 2)):
            killed("for _ in itertools.count(): vault.rotate_key()", home, within=0.3)
        process.kill()
        told = [line.strip() for line in process.stdout.readlines() if line.endswith("\n")][1:]
    assert len(told) > 1
    with Vault(home=home) as vault:
        assert set(told) <= vault.load("work").local_storage("https://saver.example").keys()
        assert vault.events(kind="part-damaged") == []
    assert_whole(home)


def test_a_killed_restore_leaves_the_old_vault_or_the_whole_backup(home: Path) -> None:
    copy = home.with_name("copy")
    with Vault(home=home) as vault:
        vault.backup(copy)
        vault.save("work", change("newer", at=3, numbers=range(PARTS)))
    for _ in range(RUNS):
        killed("vault.restore(copy, replace=True); input()", home, within=0.4)
        with Vault(home=home) as vault:
            value = vault.load("work").local_storage(origin(0))["k"]
        assert_whole(home, value=value)
        with Vault(home=home) as vault:
            vault.save("work", change("newer", at=3, numbers=range(PARTS)))


def test_a_killed_backup_leaves_the_one_before(home: Path) -> None:
    copy = home.with_name("copy")
    with Vault(home=home) as vault:
        made = vault.backup(copy)
        for _ in range(RUNS):
            killed("for _ in itertools.count(): vault.backup(copy)", home, within=0.2)
            assert vault.verify_backup(copy).rows == made.rows
    assert_whole(home)


def test_a_killed_cleanup_takes_nothing_that_is_in_use(home: Path) -> None:
    for run in range(RUNS):
        killed("vault.cleanup(history=timedelta(seconds=-1), events=timedelta(seconds=-1), compact=True); input()", home, within=0.2)
        assert_whole(home, value=f"v{run + 2}")
        with Vault(home=home) as vault:
            vault.save("work", change(f"v{run + 3}", at=run + 3, numbers=range(PARTS)))


def test_a_backup_that_is_cut_short_anywhere_changes_nothing(home: Path) -> None:
    copy = home.with_name("copy")
    with Vault(home=home) as vault:
        vault.backup(copy)
        sound = copy.read_bytes()
        for _ in range(RUNS):
            copy.write_bytes(sound[: random.randrange(len(sound))])  # noqa: S311
            with pytest.raises(UnreadableState):
                vault.restore(copy, replace=True)
    assert_whole(home)
