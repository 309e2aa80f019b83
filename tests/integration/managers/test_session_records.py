"""Records of sessions, written behind and cleaned up by themselves; without a browser, and at the end of a process."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from handstamp.managers.persistent import PersistentSession
from handstamp.managers.records import Records
from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HOUR = 3600.0
LONG = timedelta(minutes=30)
BEGUN = datetime.now(UTC)
RECORD = PersistentSession("mine", "work", None, BEGUN, BEGUN, 0, [], [])
# The context's last deed comes right before the end of the process.
ENDING = """
import asyncio, sys
from playwright.async_api import async_playwright
from handstamp import BrowserSession, SessionManager
async def main():
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=sys.argv[1], args=sys.argv[3:])
        context = await browser.new_context()
        await context.route("**/*", lambda route: route.fulfill(content_type="text/html", body="x"))
        session = BrowserSession(context, profile_name="work")
        assert await SessionManager(sys.argv[2]).save_session("mine", session)
        page = await context.new_page()
        await page.goto("https://shop.example/last")
asyncio.run(main())
"""
# The child comes into being while something waits to be written.
FORKING = """
import os, pathlib, signal, sys, warnings
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from handstamp.managers.persistent import PersistentSession
from handstamp.managers.records import Records
from handstamp.vault import Vault
warnings.simplefilter("ignore", DeprecationWarning)
signal.alarm(40)
path, at = pathlib.Path(sys.argv[1]), datetime.now(UTC)
records = Records(Vault(f"sqlite:///{path / 'vault.db'}", home=path), timedelta(minutes=30), 3600.0)
records.tidy()
mine, childs = (PersistentSession(name, "work", None, at, at, 0, [], []) for name in ("of the parent", "of the child"))
records.save(mine)
records.save(childs)
records.save_soon(replace(mine, pages_visited=1))
if (child := os.fork()) == 0:
    signal.alarm(20)
    assert records.get("of the parent").pages_visited in (0, 1)
    records.tidy()
    records.save_soon(replace(childs, pages_visited=2))  # and its end waits for that
else:
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Vault]:
    with Vault(f"sqlite:///{tmp_path / 'vault.db'}", home=tmp_path) as opened:
        yield opened


def until(holds: Callable[[], bool]) -> None:
    while not holds():
        time.sleep(0.01)


def archived(store: Vault) -> bool:
    return store.secret("session-manager", "mine", "archived") is not None


def test_what_comes_in_quick_succession_is_written_once_and_read_at_once(store: Vault) -> None:
    mine, other = Records(store, LONG, HOUR), Records(store, LONG, HOUR)
    mine.save(RECORD)
    writers = []
    for count in range(1, 50):
        mine.save_soon(replace(RECORD, pages_visited=count))
        writers += [thread for thread in threading.enumerate() if thread.name == "handstamp-records" and thread not in writers]
        assert mine.get("mine").pages_visited == count  # type: ignore[union-attr]
    until(lambda: other.get("mine").pages_visited == 49)  # type: ignore[union-attr]
    assert len(writers) < 25


def test_what_another_process_has_written_is_read(store: Vault) -> None:
    mine, other = Records(store, LONG, HOUR), Records(store, LONG, HOUR)
    mine.save(RECORD)
    other.save(replace(RECORD, pages_visited=7))
    assert mine.get("mine").pages_visited == 7  # type: ignore[union-attr]


def test_a_record_that_nobody_saved_is_not_made_by_what_happens(store: Vault) -> None:
    records = Records(store, LONG, HOUR)
    records.save_soon(RECORD)
    records.write_behind()
    assert records.all() == []


def test_expired_records_are_archived_by_themselves(store: Vault) -> None:
    records = Records(store, timedelta(seconds=0.1), 0.2)
    records.tidy()
    records.save(replace(RECORD, last_activity=datetime.now(UTC)))
    until(lambda: archived(store) and records.get("mine") is None)
    records.save(replace(RECORD, session_id="later", last_activity=datetime.now(UTC)))  # and again
    until(lambda: records.get("later") is None)


def test_nothing_is_cleaned_up_before_the_hour(store: Vault) -> None:
    records = Records(store, timedelta(0), HOUR)
    records.tidy()
    records.save(RECORD)
    records.tidy()
    assert not archived(store)
    assert records.archive() == 1
    assert archived(store)


def test_an_archived_session_that_is_used_again_is_active_again(store: Vault) -> None:
    records = Records(store, LONG, HOUR)
    old = replace(RECORD, last_activity=datetime.now(UTC) - LONG)
    records.save(old)
    assert records.archive() == 1
    records.save_soon(replace(old, last_activity=datetime.now(UTC)))
    records.write_behind()
    assert [record.session_id for record in records.all()] == ["mine"]


def test_nobody_waits_for_the_cleanup_of_a_manager_that_is_gone(store: Vault) -> None:
    records = Records(store, LONG, HOUR)
    records.tidy()
    (timer,) = [thread for thread in threading.enumerate() if thread.name == "handstamp-cleanup" and thread in records._alarm]
    assert timer.daemon
    del records
    gc.collect()
    timer.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_writes_its_own_records_only(tmp_path: Path, store: Vault) -> None:
    ran = subprocess.run([sys.executable, "-c", FORKING, str(tmp_path)], capture_output=True, text=True, timeout=50, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    records = Records(store, LONG, HOUR)
    assert {record.session_id: record.pages_visited for record in records.all()} == {"of the parent": 1, "of the child": 2}


def test_what_was_done_right_before_the_end_of_the_process_is_saved(tmp_path: Path, executable: str, browser_args: list[str]) -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", ENDING, executable, str(tmp_path), *browser_args], capture_output=True, text=True, timeout=50, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    with Vault(f"sqlite:///{tmp_path / 'vault.db'}", home=tmp_path) as store:
        saved = Records(store, LONG, HOUR).get("mine")
    assert saved is not None
    assert saved.actions_performed[:2] == ["open", "visit https://shop.example/last"]
