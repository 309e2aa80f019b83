"""Many processes in one session of a site that changes the session id with each answer, and ends every login after seconds."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import handstamp

if TYPE_CHECKING:
    from handstamp.demo import DemoServers

CROWD = os.environ.get("HTTP_CROWD", "3x12")
"""Processes and requests of each; the full one is 8x200."""
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
