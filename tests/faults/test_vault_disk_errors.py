"""A disk that reports errors, and clocks that jump: a clear error or none, what was acknowledged is there, and all is well afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator

ORIGIN = "https://app.example"
SAVER = """
import itertools, sys
from handstamp.errors import HandstampError, VaultFull, VaultUnavailable
from handstamp.state import Entry, Part, PartId, PartKind, Stamp, StorageState
from handstamp.vault import Vault
def change(name, at=1):
    return StorageState.of([Part(PartId(PartKind.LOCAL, "https://app.example"), {(name,): Entry("v", Stamp(at))})])
vault = Vault()
vault.save("work", change("before"))
vault.load("work")
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def environment(home: Path, **more: str) -> dict[str, str]:
    return os.environ | {"HANDSTAMP_HOME": str(home), "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"} | more


def held(home: Path) -> set[str]:
    with Vault(home=home) as vault:
        assert vault.check() == []
        return set(vault.load("work").local_storage(ORIGIN))


# --- errors of the disk

FAILING = """
print("ready", flush=True)
input()
refused = 0
for number in itertools.count():
    try:
        vault.save("work", change(str(number), number + 1))
    except (VaultUnavailable, VaultFull) as error:
        assert "vault.db" in str(error), error
        refused += 1
        print("refused", flush=True)
    else:
        print("saved", number, flush=True)
    try:
        assert "before" in vault.load("work").local_storage("https://app.example")
    except (VaultUnavailable, VaultFull):
        pass
    vault.close()  # so that the next one reads from the disk
    if number >= 60 and refused > 2 or number > 500:
        break
print("disarm", flush=True)
input()
vault.save("work", change("after", 10_000))
print("recovered", flush=True)
"""


@pytest.fixture
def pipes() -> Iterator[Path]:
    """Where libfiu keeps the pipes by which it is told what to do: a short path."""
    if shutil.which("fiu-run") is None or shutil.which("fiu-ctrl") is None:
        pytest.skip("Debian's package fiu-utils injects the errors")
    with tempfile.TemporaryDirectory(prefix="fiu-") as name:
        yield Path(name) / "fiu"


@pytest.mark.parametrize("call", ["posix/io/rw/pwrite", "posix/io/rw/pread", "posix/io/sync/*"])
def test_errors_of_the_disk_are_clear_and_lose_nothing_that_was_acknowledged(home: Path, pipes: Path, call: str) -> None:
    def tell(*what: str) -> None:
        subprocess.run(["fiu-ctrl", "-f", str(pipes), *what, str(pid)], check=True, timeout=20)

    command = ["fiu-run", "-x", "-f", str(pipes), sys.executable, "-c", "import os; print(os.getpid(), flush=True)\n" + SAVER + FAILING]
    with subprocess.Popen(command, env=environment(home), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            pid = int(process.stdout.readline())
            assert process.stdout.readline() == "ready\n"
            tell("-c", f"enable_random name={call},probability=0.05,failinfo=5")  # 5 is EIO
            process.stdin.write("go\n")
            process.stdin.flush()
            told = list(iter(process.stdout.readline, "disarm\n"))
            assert len(told) < 10_000
            tell("-c", f"disable name={call}")
            process.stdin.write("go\n")
            process.stdin.flush()
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, errors
    assert told.count("refused\n") > 2
    assert {"before", "after"} | {line.split()[1] for line in told if line.startswith("saved")} <= held(home)


# --- clocks that jump

JUMP = """
lease = vault.lease("work", life=5.0)
vault.save("work", change("now", 2), lease=lease)
vault.update_session("work", "portside", lambda session: session)
print("taken", flush=True)
input()
vault.save("work", change("jumped", 3), lease=lease)
vault.rotate_key()
print(sorted(vault.load("work").local_storage("https://app.example")), lease.lost, flush=True)
input()
lease.release()
"""
OTHER = """
from handstamp.errors import LeaseHeld
try:
    vault.lease("work")
except LeaseHeld:
    print("held")
vault.save("work", change("other", 4))
print([event.kind for event in vault.events(kind="key-rotated")], vault.cleanup(), len(vault.history("work")) > 1)
"""


def faked(offset: str) -> dict[str, str]:
    """Variables that shift a process's wall clock, as `faketime` does."""
    found = [*Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")]
    if not found:
        pytest.skip("Debian's package faketime shifts the clock")
    return {"LD_PRELOAD": str(found[0]), "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1", "FAKETIME": offset}


@pytest.mark.parametrize("offset", ["+1h", "-1h"])
def test_a_clock_that_jumps_an_hour_costs_no_state_and_no_lease(home: Path, tmp_path: Path, offset: str) -> None:
    """The holder's own clock jumps while it holds; another process's is right."""
    clock = tmp_path / "clock"
    clock.write_text("+0")
    settings = faked("+0")
    del settings["FAKETIME"]
    settings["FAKETIME_TIMESTAMP_FILE"] = str(clock)
    command = [sys.executable, "-c", SAVER + JUMP]
    with subprocess.Popen(command, env=environment(home, **settings), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        try:
            assert holder.stdout.readline() == "taken\n"
            clock.write_text(offset)
            holder.stdin.write("go\n")
            holder.stdin.flush()
            assert holder.stdout.readline() == "['before', 'jumped', 'now'] None\n"
            told = subprocess.run([sys.executable, "-c", SAVER + OTHER], env=environment(home), capture_output=True, text=True, timeout=60, check=True).stdout
            holder.communicate("end\n", timeout=60)
        finally:
            holder.kill()
    assert holder.returncode == 0
    assert told.splitlines()[0] == "held"  # a live holder keeps it, whatever the clocks say
    assert "versions=0" in told
    assert held(home) == {"before", "now", "jumped", "other"}
    with Vault(home=home) as vault, vault.lease("work") as lease:
        assert lease.token == 2


def test_what_was_saved_while_the_clock_was_wrong_is_overwritten_by_what_comes_later(home: Path) -> None:
    """Stamps grow from what they find, so that an hour ahead wins no hour long."""
    program = "from handstamp.state import Clock\nclock = Clock('a')\n"
    ahead = subprocess.run(
        [sys.executable, "-c", program + "print(clock.stamp().time)"],
        env=environment(home, **faked("+1h")),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    after = f"from handstamp.state import Stamp\nclock.observe(Stamp({int(ahead)}))\nprint(clock.stamp().time >= {int(ahead)})"
    told = subprocess.run([sys.executable, "-c", program + after], env=environment(home), capture_output=True, text=True, timeout=60, check=True).stdout
    assert told == "True\n"
