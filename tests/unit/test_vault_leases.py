"""The lease's state machine, over values."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from handstamp.vault.leases import machine
from handstamp.vault.leases.holder import Holder, alive, this_process
from handstamp.vault.leases.machine import Ask, Do, Row, Standing, decide, standing

ME = Holder("host-a", "boot-1", "pid:[1]", 10, "100")
NEIGHBOUR = replace(ME, pid=11)
ELSEWHERE = replace(ME, host="host-b", boot="boot-2")
ROW = Row(token=5, holder=NEIGHBOUR, taken_at=1_000, beat_at=2_000, life=30_000)


def stands(row: Row, *, now: int = 3_000, lives: bool = True, token: int | None = None, watched: int = 0) -> Standing:
    return standing(row, now=now, me=ME, alive=lambda _: lives, token=token, watched=watched)


def test_every_standing_answers_every_ask() -> None:
    assert set(machine.TABLE) == set(Standing)
    assert all(set(answers) == set(Ask) for answers in machine.TABLE.values())


def test_the_table_in_the_docstring_is_the_table() -> None:
    words = {"-": Do.NOTHING}
    lines = [line.split() for line in (machine.__doc__ or "").splitlines() if line.strip().split(" ")[0] in set(Standing.__members__)]
    told = {Standing[line[0]]: dict(zip(Ask, (words.get(word) or Do[word] for word in line[-5:]), strict=True)) for line in lines}
    assert told == machine.TABLE


def test_what_nobody_holds_is_taken() -> None:
    assert decide(stands(Row()), Ask.ASK) is Do.TAKE
    assert decide(stands(replace(ROW, holder=None)), Ask.ASK) is Do.TAKE


def test_a_dead_holders_lease_is_free_at_once() -> None:
    assert decide(stands(ROW, now=2_001, lives=False), Ask.ASK) is Do.TAKE


def test_a_live_holder_on_this_machine_is_never_robbed_however_old() -> None:
    assert decide(stands(ROW, now=10**12, watched=10**9), Ask.ASK) is Do.WAIT


@pytest.mark.parametrize("holder", [ELSEWHERE, replace(ME, namespace="pid:[2]"), replace(ME, boot="")])
def test_a_holder_that_cannot_be_looked_at_keeps_it_for_its_life(holder: Holder) -> None:
    row = replace(ROW, holder=holder)
    assert decide(stands(row, now=32_000, lives=False), Ask.ASK) is Do.WAIT
    assert decide(stands(row, now=32_001, lives=True), Ask.ASK) is Do.TAKE


def test_a_clock_that_was_set_back_cannot_keep_a_silent_holder_for_ever() -> None:
    row = replace(ROW, holder=ELSEWHERE, beat_at=10**9)
    assert stands(row, watched=30_000) is Standing.FRESH
    assert stands(row, watched=30_001) is Standing.STALE


def test_only_the_tokens_owner_may_write_and_beat() -> None:
    assert decide(stands(ROW, token=5), Ask.WRITE) is Do.ALLOW
    assert decide(stands(ROW, token=5), Ask.BEAT) is Do.RENEW
    for row in (ROW, replace(ROW, holder=None), replace(ROW, holder=ELSEWHERE), Row()):
        assert decide(stands(row, token=4), Ask.WRITE) is Do.LOST
        assert decide(stands(row, token=4), Ask.BEAT) is Do.LOST


def test_a_late_release_does_not_free_the_next_holders_lease() -> None:
    assert decide(stands(ROW, token=4), Ask.RELEASE) is Do.NOTHING
    assert decide(stands(ROW, token=5), Ask.RELEASE) is Do.FREE


def test_this_process_is_alive_and_visible_to_itself() -> None:
    me = this_process()
    assert me.visible_from(me)
    assert alive(me)


def test_a_process_that_ended_is_dead_also_before_it_was_waited_for() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        stat = Path(f"/proc/{child.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        holder = replace(this_process(), pid=child.pid, started=stat[19])
        assert alive(holder)
        child.kill()
        while alive(holder):
            pass
    assert not alive(holder)


def test_who_has_run_out_of_files_takes_nobody_for_dead() -> None:
    resource = pytest.importorskip("resource")
    me, limits = this_process(), resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1, limits[1]))
    try:
        seen = alive(me)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert seen


def test_a_later_process_with_the_same_number_is_not_the_holder() -> None:
    assert not alive(replace(this_process(), started="1"))


def test_a_holder_comes_back_from_its_text_and_a_damaged_one_is_nobodys_neighbour() -> None:
    assert Holder.parse(ME.text()) == ME
    for text in ("", "{", '{"pid": 1}', "[]", "7"):
        assert not Holder.parse(text).visible_from(ME)
