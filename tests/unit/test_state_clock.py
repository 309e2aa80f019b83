"""Stamps only grow, whatever the wall clock does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from handstamp.state import Clock, Stamp

walls = st.lists(st.integers(0, 2**41), min_size=1, max_size=30)


@given(walls)
def test_stamps_grow_while_the_wall_clock_jumps(times: list[int]) -> None:
    ticks = iter(times)
    clock = Clock("w", wall=lambda: next(ticks))
    stamps = [clock.stamp() for _ in times]
    assert all(earlier < later for earlier, later in pairwise(stamps))


@given(walls, st.integers(0, 2**42), st.integers(0, 99))
def test_no_stamp_falls_below_an_observed_one(times: list[int], time: int, counter: int) -> None:
    ticks = iter(times)
    clock = Clock("w", wall=lambda: next(ticks))
    clock.observe(Stamp(time, counter, "other"))
    assert all((stamp.time, stamp.counter) > (time, counter) for stamp in [clock.stamp() for _ in times])


def test_a_clock_that_steps_back_an_hour_counts_on_at_the_last_time() -> None:
    ticks = iter([3_600_000, 0, 1])
    clock = Clock("w", wall=lambda: next(ticks))
    assert [clock.stamp() for _ in range(3)] == [Stamp(3_600_000, 0, "w"), Stamp(3_600_000, 1, "w"), Stamp(3_600_000, 2, "w")]


def test_observing_an_older_stamp_changes_nothing() -> None:
    clock = Clock("w", wall=lambda: 10)
    first = clock.stamp()
    clock.observe(Stamp(3, 9))
    assert clock.stamp() == Stamp(first.time, first.counter + 1, "w")


def test_threads_never_get_the_same_stamp() -> None:
    clock = Clock("w", wall=lambda: 1)
    with ThreadPoolExecutor(8) as pool:
        stamps = list(pool.map(lambda _: clock.stamp(), range(800)))
    assert len(set(stamps)) == 800
