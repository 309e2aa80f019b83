"""Who gets a window: never more than there are, never one that somebody uses, nobody forgotten."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from handstamp.pool.board import Board, Window

KEYS = [f"session-{number}" for number in range(8)]


def test_a_free_window_is_granted_at_once() -> None:
    board = Board(2)
    assert board.ask("a").grant == ("a",)
    assert board.window("a") is Window.BUSY


def test_for_a_new_one_the_idle_one_that_was_used_longest_ago_makes_room() -> None:
    board = Board(3)
    for number, key in enumerate("abc"):
        board.ask(key)
        board.leave(key, now=float(number))
    board.use("a")
    board.leave("a", now=9.0)
    decisions = board.ask("d")
    assert (decisions.grant, decisions.close) == ((), ("b",))
    assert board.closed("b").grant == ("d",)


def test_one_in_use_is_not_closed_and_who_waits_gets_it_when_it_is_left() -> None:
    board = Board(1)
    board.ask("a")
    assert board.ask("b").close == ()
    assert board.leave("a", now=1.0).close == ("a",)
    assert board.closed("a").grant == ("b",)


def test_who_asked_first_is_served_first() -> None:
    board = Board(1)
    board.ask("a")
    board.ask("b")
    board.ask("c")
    board.leave("a", now=1.0)
    assert board.closed("a").grant == ("b",)
    board.leave("b", now=2.0)
    assert board.closed("b").grant == ("c",)


def test_who_gave_up_does_not_keep_a_window_from_others() -> None:
    board = Board(1)
    board.ask("a")
    board.ask("b")
    board.ask("c")
    board.withdraw("b")
    board.leave("a", now=1.0)
    assert board.closed("a").grant == ("c",)


def test_a_window_that_was_granted_to_one_who_gave_up_goes_to_the_next() -> None:
    board = Board(1)
    board.ask("a")
    board.ask("b")
    assert board.withdraw("a").grant == ("b",)


def test_with_fewer_windows_the_idle_ones_that_are_too_many_close() -> None:
    board = Board(3)
    for number, key in enumerate("abc"):
        board.ask(key)
        if key != "a":
            board.leave(key, now=float(number))
    assert board.resize(1).close == ("b", "c")
    assert board.window("a") is Window.BUSY


def test_a_wrong_step_is_refused() -> None:
    board = Board(1)
    with pytest.raises(RuntimeError, match="the window of a"):
        board.leave("a", now=0.0)


class Schedules(RuleBasedStateMachine):
    """Any order of asking, using, leaving, closing, dying and giving up."""

    def __init__(self) -> None:
        super().__init__()
        self.board = Board(3)
        self.now = 0.0
        self.asked: list[str] = []
        self.busy: set[str] = set()
        self.closing: set[str] = set()

    def follow(self, decisions: object) -> None:
        for key in decisions.grant:  # type: ignore[attr-defined]
            assert key == self.asked.pop(0)
            assert self.board.taken <= self.board.capacity
            self.busy.add(key)
        for key in decisions.close:  # type: ignore[attr-defined]
            assert key not in self.busy
            self.closing.add(key)

    @rule(key=st.sampled_from(KEYS))
    def ask(self, key: str) -> None:
        if self.board.window(key) is None and key not in self.asked:
            self.asked.append(key)
            self.follow(self.board.ask(key))

    @rule(key=st.sampled_from(KEYS))
    def use(self, key: str) -> None:
        if self.board.window(key) is Window.IDLE:
            self.board.use(key)
            self.busy.add(key)

    @precondition(lambda self: self.busy)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.busy)))
        self.now += 1
        self.busy.discard(key)
        self.follow(self.board.leave(key, self.now))

    @precondition(lambda self: self.closing)
    @rule(data=st.data())
    def closed(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.closing)))
        self.closing.discard(key)
        self.follow(self.board.closed(key))

    @precondition(lambda self: self.busy)
    @rule(data=st.data())
    def dies(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.busy)))
        self.busy.discard(key)
        self.closing.add(key)
        self.board.close(key)

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def gives_up(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(self.asked))
        self.asked.remove(key)
        self.follow(self.board.withdraw(key))

    @rule(capacity=st.integers(1, 4))
    def resize(self, capacity: int) -> None:
        self.follow(self.board.resize(capacity))

    @invariant()
    def no_more_are_granted_than_there_are(self) -> None:
        if self.asked:
            assert self.board.taken >= self.board.capacity  # else somebody waits for nothing

    @invariant()
    def nobody_waits_while_an_idle_one_could_make_room(self) -> None:
        idle, closing = len(self.board.of(Window.IDLE)), len(self.board.of(Window.CLOSING))
        missing = len(self.asked) + max(0, self.board.taken - self.board.capacity)
        assert not idle or closing >= missing

    @invariant()
    def what_is_used_is_busy(self) -> None:
        assert set(self.board.of(Window.BUSY)) == self.busy
        assert set(self.board.of(Window.CLOSING)) == self.closing


Schedules.TestCase.settings = settings(max_examples=200, stateful_step_count=60)
TestSchedules = Schedules.TestCase


def test_there_are_never_more_windows_than_capacity() -> None:
    board = Board(2)
    for key in KEYS:
        board.ask(key)
    assert board.taken == 2
    assert board.waiting == len(KEYS) - 2
