"""Many processes on one vault: no update lost, one holder at a time, forks that know what is theirs."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from handstamp.errors import LeaseHeld
from handstamp.state import PartId, PartKind
from handstamp.vault import Standing, Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LOCAL = PartId(PartKind.LOCAL, "https://app.example")
START = """
import os, sys, time
from dataclasses import replace
from pathlib import Path
from handstamp.errors import *
from handstamp.state import *
from handstamp.vault import Vault
home, me = Path(sys.argv[1]), sys.argv[2]
vault = Vault(home=home)
def change(name, value="v"):
    return StorageState.of([Part(PartId(PartKind.LOCAL, "https://app.example"), {(name,): Entry(value, Stamp(1, 0, me))})])
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    return tmp_path / "home"


@pytest.fixture
def run(home: Path) -> Iterator[Callable[..., list[subprocess.Popen[str]]]]:
    """Starts a program several times at once, each with its number; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str, *, times: int = 1) -> list[subprocess.Popen[str]]:
        made = [
            subprocess.Popen([sys.executable, "-c", START + program, str(home), str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for number in range(times)
        ]
        started.extend(made)
        return made

    yield start
    for process in started:
        process.kill()
        process.communicate()


def outputs(processes: list[subprocess.Popen[str]]) -> list[str]:
    """What each printed; all must have ended well."""
    told = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return told


def test_eight_processes_that_save_their_own_keys_into_one_part_lose_none(run: Callable[..., list[subprocess.Popen[str]]], home: Path) -> None:
    outputs(run("for number in range(25): vault.save('work', change(f'{me}-{number}'))", times=8))
    with Vault(home=home) as vault:
        assert set(vault.load("work").local_storage(LOCAL.scope)) == {f"{me}-{number}" for me in range(8) for number in range(25)}
        assert vault.check() == []


def test_eight_processes_that_count_in_one_session_lose_no_count(run: Callable[..., list[subprocess.Popen[str]]], home: Path) -> None:
    outputs(run("for _ in range(25): vault.update_session('work', 'one', lambda session: replace(session, logins=session.logins + 1))", times=8))
    with Vault(home=home) as vault:
        session = vault.session("work", "one")
        assert session is not None
        assert session.logins == 200


def test_eight_processes_that_open_a_fresh_vault_at_once_agree(run: Callable[..., list[subprocess.Popen[str]]], home: Path) -> None:
    told = outputs(run("from handstamp.vault import export_key; vault.save('work', change(me)); print(export_key(vault))", times=8))
    assert len(set(told)) == 1
    with Vault(home=home) as vault:
        assert len(vault.load("work").local_storage(LOCAL.scope)) == 8


def test_a_lease_has_one_holder_at_a_time(run: Callable[..., list[subprocess.Popen[str]]], home: Path) -> None:
    program = """
for _ in range(5):
    with vault.lease("work", wait=100) as lease, open(home / "log", "a") as log:
        log.write(f"in {lease.token} {me}\\n"); log.flush()
        time.sleep(0.003)
        log.write(f"out {lease.token} {me}\\n")
"""
    outputs(run(program, times=6))
    lines = [line.split() for line in (home / "log").read_text().splitlines()]
    assert [line[0] for line in lines] == ["in", "out"] * 30
    assert [line[1:] for line in lines[::2]] == [line[1:] for line in lines[1::2]]
    tokens = [int(line[1]) for line in lines[::2]]
    assert tokens == sorted(set(tokens))


HOLDER = "lease = vault.lease('work'); print(os.getpid(), flush=True); input()"


def test_a_killed_holders_lease_is_free_at_once(run: Callable[..., list[subprocess.Popen[str]]], home: Path) -> None:
    (holder,) = run(HOLDER)
    assert holder.stdout is not None
    pid = int(holder.stdout.readline())
    with Vault(home=home) as vault:
        with pytest.raises(LeaseHeld, match=f"pid {pid} on"):
            vault.lease("work")
        holder.kill()
        with vault.lease("work", wait=10):
            event = vault.events(kind="lease-taken-over")[0]
            assert str(event.data["holder"]).startswith(f"pid {pid} on")


WAITER = "print('asks', flush=True); lease = vault.lease('work', wait=100); print('has it', flush=True); input()"


def waiting(vault: Vault) -> int:
    with vault._store().read() as transaction:
        return len(transaction.rows("waiters", profile="work", purpose="open", site=""))


@pytest.mark.parametrize("signal", [9, 19])
def test_a_waiter_that_is_killed_or_stopped_does_not_block_those_behind_it(run: Callable[..., list[subprocess.Popen[str]]], home: Path, signal: int) -> None:
    with Vault(home=home) as vault:
        held = vault.lease("work")
        first = run(WAITER)[0]
        while waiting(vault) < 1:
            time.sleep(0.01)
        second = run(WAITER)[0]
        while waiting(vault) < 2:
            time.sleep(0.01)
        first.send_signal(signal)
        held.release()
        assert second.stdout is not None
        assert [second.stdout.readline(), second.stdout.readline()] == ["asks\n", "has it\n"]
        with pytest.raises(LeaseHeld, match=f"pid {second.pid} on"):
            vault.lease("work")


def test_a_live_holder_that_is_stopped_keeps_its_lease_past_its_life(run: Callable[..., list[subprocess.Popen[str]]], home: Path) -> None:
    (holder,) = run("lease = vault.lease('work', life=0.05); print('held', flush=True); os.kill(os.getpid(), 19)")
    assert holder.stdout is not None
    holder.stdout.readline()
    with Vault(home=home) as vault:
        with pytest.raises(LeaseHeld):
            vault.lease("work", wait=0.5)
        info = vault.lease_info("work")
        assert info is not None
        assert info.standing is Standing.ALIVE


def test_a_lease_is_released_at_a_normal_end(run: Callable[..., list[subprocess.Popen[str]]], home: Path) -> None:
    outputs(run("vault.lease('work')"))
    with Vault(home=home) as vault:
        assert vault.lease_info("work") is None
        assert vault.events(kind="lease-taken-over") == []


def test_a_forked_child_uses_the_vault_and_does_not_inherit_the_lease(run: Callable[..., list[subprocess.Popen[str]]], home: Path) -> None:
    program = """
import warnings
warnings.simplefilter("ignore")
vault.save("work", change("parent before"))
lease = vault.lease("work")
child = os.fork()
if child == 0:
    assert "forked" in lease.lost
    vault.save("work", change("child"))
    try:
        vault.save("work", change("child under the lease"), lease=lease)
    except LeaseLost:
        print("refused", flush=True)
    lease.release()
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
vault.save("work", change("parent after"), lease=lease)
assert vault.lease_info("work").token == lease.token
print("kept", flush=True)
"""
    (told,) = outputs(run(program))
    assert told.split() == ["refused", "kept"]
    with Vault(home=home) as vault:
        assert set(vault.load("work").local_storage(LOCAL.scope)) == {"parent before", "child", "parent after"}
        assert vault.check() == []


def test_forks_in_the_middle_of_other_threads_saves_do_no_harm(run: Callable[..., list[subprocess.Popen[str]]], home: Path) -> None:
    program = """
import threading, warnings
warnings.simplefilter("ignore")
stop = threading.Event()
count = [0]
def work():
    while not stop.is_set():
        vault.save("work", change(f"thread {count[0]}"))
        count[0] += 1
vault.save("work", change("first"))  # the modules are imported: Python itself cannot fork in the middle of an import
thread = threading.Thread(target=work); thread.start()
children = []
for number in range(10):
    child = os.fork()
    if child == 0:
        vault.save("work", change(f"child {number}"))
        os._exit(0)
    children.append(child)
assert [os.waitpid(child, 0)[1] for child in children] == [0] * 10
stop.set(); thread.join()
print(count[0])
"""
    (told,) = outputs(run(program))
    with Vault(home=home) as vault:
        found = set(vault.load("work").local_storage(LOCAL.scope))
        assert found == {f"thread {number}" for number in range(int(told))} | {f"child {number}" for number in range(10)} | {"first"}
        assert vault.check() == []
