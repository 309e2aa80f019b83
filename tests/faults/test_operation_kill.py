"""A program that is killed in the middle of an operation: what counts is done once or not at all, and nobody is left in doubt."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from handstamp.demo import BUILT_IN, start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OWN = """
import asyncio, sys
from pathlib import Path
from pydantic import BaseModel
from handstamp.sites.operation import Run, workflow

class Where(BaseModel):
    terminal: str

class Slot(BaseModel):
    slot: str

class Done(BaseModel):
    done: str

DIARY = Path(__file__).with_name("diary")

def note(text):
    with DIARY.open("a") as file:
        file.write(text + "\\n")

async def where(run: Run, given: Where) -> None:
    await run.page.goto(run.site.url("/containers"))
    note("where")
    if given.terminal == "hang" and DIARY.read_text().count("where") == 1:
        await asyncio.sleep(60)

async def submit(run: Run, given: Slot) -> Done:
    note("submit")
    if DIARY.read_text().count("submit") == 1:
        await asyncio.sleep(60)
    return Done(done=given.slot)

OPERATIONS = (
    workflow("book", where, submit, gives=Done, about=""),
    workflow("look", where, submit, gives=Done, about="", repeatable=True),
)
"""


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    sites = tmp_path / "home" / "sites"
    sites.mkdir(mode=0o700, parents=True)
    sites.parent.chmod(0o700)
    (sites / "portside.py").write_text(OWN)
    (sites / "portside.py").chmod(0o600)
    with start() as demo:
        yield os.environ | {
            "HANDSTAMP_HOME": str(tmp_path / "home"),
            "HANDSTAMP_PORTSIDE_BASE_URL": demo.portside.url,
            "HANDSTAMP_PORTSIDE_USERNAME": BUILT_IN[0].username,
            "HANDSTAMP_PORTSIDE_PASSWORD": BUILT_IN[0].password,
        }


def _run(environment: dict[str, str], *words: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "handstamp.cli", "run", "portside", *words, "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _killed(environment: dict[str, str], diary: Path, word: str, *words: str) -> None:
    """Run until `word` stands in the diary, and end the program there, with its browser."""
    command = [sys.executable, "-m", "handstamp.cli", "run", "portside", *words]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True) as process:
        while not (diary.exists() and re.search(word, diary.read_text())):
            assert process.poll() is None, "it ended before it was killed"
        os.killpg(process.pid, signal.SIGKILL)


def test_what_may_be_done_once_is_not_done_again_after_a_kill_in_the_middle_of_it(environment: dict[str, str], tmp_path: Path) -> None:
    diary = tmp_path / "home" / "sites" / "diary"
    waiting = _run(environment, "book", "--terminal", "T1")["appointment_session_id"]
    _killed(environment, diary, "submit", "book", "--resume", waiting, "--slot", "09:00")
    for _ in range(2):
        refused = _run(environment, "book", "--resume", waiting, "--slot", "09:00")
        assert (refused["code"], refused["repeatable"]) == ("operation-failed", False)
        assert "it is not known whether the site has done it" in refused["error"]
    assert diary.read_text().count("submit") == 1


def test_what_may_be_repeated_goes_on_after_the_same(environment: dict[str, str], tmp_path: Path) -> None:
    diary = tmp_path / "home" / "sites" / "diary"
    waiting = _run(environment, "look", "--terminal", "T1")["appointment_session_id"]
    _killed(environment, diary, "submit", "look", "--resume", waiting, "--slot", "09:00")
    assert _run(environment, "look", "--resume", waiting)["done"] == "09:00"  # what was given is known


def test_a_kill_in_an_earlier_phase_costs_only_that_phase(environment: dict[str, str], tmp_path: Path) -> None:
    diary = tmp_path / "home" / "sites" / "diary"
    waiting = _run(environment, "look")["appointment_session_id"]
    _killed(environment, diary, "where", "look", "--resume", waiting, "--terminal", "hang", "--slot", "09:00")
    diary.write_text("where\nsubmit\n")  # nothing hangs from here on
    assert _run(environment, "look", "--resume", waiting)["done"] == "09:00"
