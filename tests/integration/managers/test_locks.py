"""Locks of profiles among processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from handstamp.errors import LeaseLost
from handstamp.managers import ProfileManagerConfig
from handstamp.sync_api import ProfileManager

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from handstamp.vault import Vault

# Takes the lock, says so, and holds it until its input ends.
HOLDER = """
import sys
from handstamp import ProfileManager, ProfileManagerConfig
manager = ProfileManager(ProfileManagerConfig(lock_timeout_seconds=float(sys.argv[1])))
print(manager.acquire_profile_lock("work"), flush=True)
sys.stdin.read()
"""
ELSEWHERE = ["unshare", "--pid", "--fork", "--mount-proc", "--uts", "--net"]  # as in a container: processes here cannot be looked at from there


@pytest.fixture
def hold(home: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    del home
    started: list[subprocess.Popen[str]] = []

    def held(timeout: float = 300, *, prefix: tuple[str, ...] | list[str] = ()) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*prefix, sys.executable, "-c", HOLDER, str(timeout)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        started.append(process)
        return process

    yield held
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def answer(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def manager(vault: Vault) -> ProfileManager:
    return ProfileManager(vault=vault)


def test_one_of_two_processes_gets_it_and_it_is_free_at_the_others_end(manager: ProfileManager, hold: Callable[..., subprocess.Popen[str]]) -> None:
    first, second = hold(), hold()
    answers = {first: answer(first), second: answer(second)}
    assert sorted(answers.values()) == ["False", "True"]
    winner = next(process for process, said in answers.items() if said == "True")
    info = manager.lock_info("work")
    assert info is not None
    assert (info["pid"], info.pid, info.alive) == (winner.pid, winner.pid, True)
    assert info["host"]
    assert manager.acquire_profile_lock("work") is False
    winner.communicate("")
    assert manager.lock_info("work") is None
    assert manager.acquire_profile_lock("work") is True
    manager.release_profile_lock("work")


def test_a_crashed_holders_lock_is_free_at_once(manager: ProfileManager, hold: Callable[..., subprocess.Popen[str]]) -> None:
    holder = hold(3600)
    assert answer(holder) == "True"
    holder.kill()
    holder.wait()
    info = manager.lock_info("work")
    assert info is not None
    assert info.alive is False
    assert manager.acquire_profile_lock("work") is True
    manager.release_profile_lock("work")


def test_a_holder_that_lives_longer_than_the_timeout_is_not_robbed(manager: ProfileManager, hold: Callable[..., subprocess.Popen[str]]) -> None:
    holder = hold(0.2)
    assert answer(holder) == "True"
    os.kill(holder.pid, signal.SIGSTOP)  # it gives no sign of life, and lives
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            holder.wait(1)
        assert manager.acquire_profile_lock("work") is False
    finally:
        os.kill(holder.pid, signal.SIGCONT)


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="namespaces of their own take root and unshare")
def test_in_another_container_time_decides(manager: ProfileManager, hold: Callable[..., subprocess.Popen[str]]) -> None:
    holder = hold(1, prefix=ELSEWHERE)
    assert answer(holder) == "True"
    with pytest.raises(subprocess.TimeoutExpired):
        holder.wait(2)
    assert manager.acquire_profile_lock("work") is False  # it is older than its timeout, and alive
    os.killpg(holder.pid, signal.SIGKILL)
    holder.wait()
    assert manager.acquire_profile_lock("work") is False  # nobody here can know that it is gone
    time.sleep(2)
    assert manager.acquire_profile_lock("work") is True
    manager.release_profile_lock("work")


def test_who_holds_it_holds_it_again_and_lets_go(manager: ProfileManager) -> None:
    assert manager.acquire_profile_lock("work") is True
    assert manager.acquire_profile_lock("work") is True
    manager.release_profile_lock("work")
    assert manager.lock_info("work") is None


def test_who_was_forced_out_saves_nothing_more(manager: ProfileManager, vault: Vault, web: Callable[..., Page]) -> None:
    page = web(cookies=({"name": "sid", "value": "1", "domain": "gmail.com", "path": "/"},))
    assert manager.acquire_profile_lock("work") is True
    other = ProfileManager(vault=vault)
    assert other.acquire_profile_lock("work") is False
    other.release_profile_lock("work")  # not its own: nothing happens
    assert manager.lock_info("work") is not None
    other.release_profile_lock("work", force=True)
    assert other.acquire_profile_lock("work") is True
    with pytest.raises(LeaseLost):
        manager.export_cookies("work", page)
    manager.release_profile_lock("work")
    assert other.lock_info("work") is not None
    other.release_profile_lock("work")


def test_locking_can_be_switched_off(manager: ProfileManager, vault: Vault) -> None:
    off = ProfileManager(ProfileManagerConfig(enable_profile_locking=False), vault=vault)
    assert manager.acquire_profile_lock("work") is True
    assert off.acquire_profile_lock("work") is True
    off.release_profile_lock("work")
    assert manager.lock_info("work") is not None
    manager.release_profile_lock("work")
