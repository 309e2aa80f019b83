"""The search for the smallest set, against every monotone answer that Hypothesis can think of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from handstamp.learn.minimal import minimal_set

if TYPE_CHECKING:
    from collections.abc import Callable


def searched(things: list[int], enough: Callable[[frozenset[int]], bool]) -> tuple[frozenset[int], int]:
    """The result, and how often was asked."""
    search, asked = minimal_set(things), 0
    try:
        trial = next(search)
        while True:
            asked += 1
            trial = search.send(enough(frozenset(trial)))
    except StopIteration as end:
        return frozenset(end.value), asked


@st.composite
def things_and_ways(draw: st.DrawFn) -> tuple[list[int], list[frozenset[int]]]:
    """Things, and sets of them each of which is enough: every monotone question is of that form."""
    things = draw(st.permutations(range(draw(st.integers(1, 24)))))
    ways = draw(st.lists(st.frozensets(st.sampled_from(things), max_size=6), min_size=1, max_size=4))
    return list(things), ways


@given(things_and_ways())
def test_the_result_is_enough_and_no_member_can_be_left_out(case: tuple[list[int], list[frozenset[int]]]) -> None:
    things, ways = case

    def enough(some: frozenset[int]) -> bool:
        return any(way <= some for way in ways)

    found, _ = searched(things, enough)
    assert enough(found)
    assert not any(enough(found - {one}) for one in found)


@given(things_and_ways())
def test_it_asks_a_logarithm_for_each_that_is_needed(case: tuple[list[int], list[frozenset[int]]]) -> None:
    things, ways = case
    found, asked = searched(things, lambda some: any(way <= some for way in ways))
    assert asked <= (len(found) + 1) * (math.ceil(math.log2(len(things))) + 1)


def test_nothing_is_needed_where_nothing_is_enough_already() -> None:
    assert searched([1, 2, 3], lambda _: True) == (frozenset(), 1)


def test_all_of_one_kind_of_answer_ends() -> None:
    assert searched([1, 2, 3], lambda _: False)[0] <= {1, 2, 3}


def test_what_comes_first_is_taken_where_either_would_do() -> None:
    assert searched([5, 6, 7], lambda some: bool(some & {5, 7}))[0] == {5}
