"""A hundred workers find one session over, at the same moment: one login, and all of them go on."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from handstamp.demo import Control

    from .conftest import Workers

THREADS = int(os.environ.get("HANDSTAMP_TEST_WORKERS", "100"))  # in one process
PROCESSES, EACH = 8, 12

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, home: Path) -> Iterator[str]:
    """A vault of either kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{home}/vault.db"
        return
    server = request.getfixturevalue("postgres")
    database = server.new_database()
    yield server.url(database)
    server.drop(database)


@pytest.fixture
def vault(url: str, home: Path) -> Iterator[Vault]:
    with Vault(url, home=home) as opened:
        yield opened


def test_threads_of_one_process_cause_one_login(workers: Callable[..., Workers], vault: Vault, url: str, control: Control, saved: Callable[..., None]) -> None:
    saved(vault, "work", dead=True)
    crowd = workers(1, THREADS, url=url)
    crowd.go()
    assert crowd.ends() == {"valid": THREADS}
    assert (control.stats().portside.logins, control.stats().portside.attempts) == (1, 1)


def test_threads_of_eight_processes_cause_one_login(
    workers: Callable[..., Workers], vault: Vault, url: str, control: Control, saved: Callable[..., None]
) -> None:
    saved(vault, "work", dead=True)
    crowd = workers(PROCESSES, EACH, url=url)
    crowd.go()
    assert crowd.ends() == {"valid": PROCESSES * EACH}
    assert (control.stats().portside.logins, control.stats().portside.attempts) == (1, 1)


def test_when_the_one_who_logs_in_is_killed_another_does_it(
    workers: Callable[..., Workers], vault: Vault, url: str, control: Control, saved: Callable[..., None]
) -> None:
    saved(vault, "work", dead=True)
    crowd = workers(4, 5, url=url)
    control.set(slow_ms=1500)  # the login page takes that long, so that it is certainly under way
    crowd.go()
    while (held := vault.lease_info("work", site="portside", purpose="login")) is None:
        time.sleep(0.05)
    while vault.login_attempts("portside", "demo").failures == 0:  # counted, and not yet made
        time.sleep(0.02)
    crowd.kill(held.holder.pid)
    assert control.stats().portside.attempts == 0
    control.set(slow_ms=0)
    assert crowd.ends() == {"valid": 3 * 5}
    assert control.stats().portside.logins == 1
    assert vault.login_attempts("portside", "demo").failures == 0
