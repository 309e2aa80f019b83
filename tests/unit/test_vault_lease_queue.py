"""Who is next in line for a lease."""

from __future__ import annotations

import pytest

from handstamp.vault.leases.holder import Holder
from handstamp.vault.leases.queue import PATIENCE, Waiter, ahead, pause

ME = Holder("here", "boot", "pid:[1]", 1, "1")
ELSEWHERE = Holder("there", "other boot", "pid:[1]", 1, "1")
NOW = 1_000_000


def line(*processes: Holder, seen_at: int = NOW) -> list[Waiter]:
    return [Waiter(number, process, seen_at) for number, process in enumerate(processes, 1)]


def numbers(waiters: list[Waiter], number: int | None, *, alive: bool = True, now: int = NOW) -> list[int]:
    return [waiter.number for waiter in ahead(waiters, number, now=now, me=ME, alive=lambda _: alive)]


def test_those_with_lower_numbers_come_first() -> None:
    assert numbers(line(ME, ELSEWHERE, ME), 3) == [1, 2]
    assert numbers(line(ME, ELSEWHERE, ME), 1) == []


def test_who_is_not_in_line_comes_after_all() -> None:
    assert numbers(line(ME, ELSEWHERE), None) == [1, 2]


def test_a_waiter_on_this_machine_whose_process_is_gone_does_not_count() -> None:
    assert numbers(line(ME, ELSEWHERE), None, alive=False) == [2]


@pytest.mark.parametrize("away", [PATIENCE + 1, -PATIENCE - 1])
def test_a_waiter_that_was_not_seen_lately_does_not_count_even_when_the_clock_was_set(away: int) -> None:
    assert numbers(line(ME, ELSEWHERE), None, now=NOW + away) == []


def test_the_first_looks_often_and_those_behind_less() -> None:
    assert pause(0, 1) < pause(1, 0) < pause(5, 0) < pause(100, 0) <= 0.5
    assert pause(0, 1) < pause(0, 100) <= 0.1
