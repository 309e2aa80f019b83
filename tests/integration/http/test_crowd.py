"""Many processes in one session of a site that changes the session id with each answer, and ends every login after seconds."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
import time
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import handstamp
from handstamp.keeper.looks import Looking
from handstamp.sites import find_site
from handstamp.state import Clock, Health
from handstamp.vault import Vault

if TYPE_CHECKING:
    from handstamp.demo import DemoServers

CROWD = os.environ.get("HTTP_CROWD", "3x12")
"""Processes and requests of each; the full one is 8x200."""
MIXED = int(os.environ.get("HTTP_MIXED", "6"))
"""Requests and checks of each of eight workers; 125 make the thousand."""
LIFE = 5.0


def in_turn(home: Path) -> None:
    """portside's recipe, and that it takes the newest session id only."""
    recipe = (files("handstamp.sites") / "portside" / "recipe.toml").read_text(encoding="utf-8")
    place = home / "sites" / "portside.toml"
    place.parent.mkdir(mode=0o700, parents=True)
    place.write_text(recipe.replace("[session]\n", "[session]\nin_turn = true\n"))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("grace", [0.0, 2.0], ids=["only the newest id works", "an id works on for 2 s"])
def test_a_crowd_on_rotating_ids_logs_in_no_oftener_than_the_lifetimes_force(demo: DemoServers, home: Path, grace: float) -> None:
    processes, requests = (int(number) for number in CROWD.split("x"))
    if not grace:
        in_turn(home)
    with handstamp.Client("portside") as client:
        assert client.get("/account").status_code == 200
    before = demo.control.stats().portside.logins
    demo.control.set(rotate=True, rotate_grace=grace, absolute_seconds=LIFE)
    command = [sys.executable, str(Path(__file__).with_name("crowd.py")), str(requests)]
    started = time.monotonic()
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(processes)]
    told = [worker.communicate() for worker in workers]
    seconds = time.monotonic() - started
    assert [out.strip() for out, _ in told] == [str(requests)] * processes, "\n".join(err[-1500:] for _, err in told if err)
    logins = demo.control.stats().portside.logins - before
    sys.stderr.write(f"{processes} x {requests} requests in {seconds:.0f} s, {logins} logins\n")
    # Each login is made when the one before has ended: more than one in a life would be one too many.
    assert logins <= math.ceil(seconds / LIFE)


def test_a_client_whose_turn_it_is_does_not_wait_for_itself_when_the_session_ends(demo: DemoServers, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handstamp.keeper.looks.TURN_WAIT", 2.0)
    in_turn(home)
    with handstamp.Client("portside") as client:
        client.get("/account")
        demo.control.revoke()
        assert "Log out" in client.get("/account").text
    assert demo.control.stats().portside.logins == 2


@pytest.mark.timeout(900)
def test_requests_and_checks_of_eight_workers_at_a_session_that_rotates_each_time_never_log_out(demo: DemoServers, home: Path) -> None:
    in_turn(home)
    with handstamp.Client("portside") as client:
        assert client.get("/account").status_code == 200
    demo.control.set(rotate=True, rotate_grace=0.0)
    site = find_site("portside", home=home)
    pages: list[bool] = []
    healths: list[Health | None] = []

    def work(number: int) -> None:
        with Vault() as own, handstamp.Client("portside", vault=own, timeout=60.0) as client:
            looking = Looking(own, Clock(f"worker-{number}"))
            for turn in range(MIXED):
                if (number + turn) % 2:
                    pages.append("Log out" in client.get("/account").text)
                else:
                    verdict = looking.look(site, "default", own.session("default", "portside"))
                    healths.append(verdict.health if verdict else None)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pages) + len(healths) == 8 * MIXED
    assert set(pages) == {True}
    assert set(healths) <= {Health.VALID, Health.UNKNOWN}
    assert demo.control.stats().portside.logins == 1
