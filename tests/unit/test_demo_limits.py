"""How many wrong passwords the stand-in sites take."""

from __future__ import annotations

import pytest

from handstamp.demo.knobs import InterpalsKnobs, PortsideKnobs
from handstamp.demo.limits import Attempts, Lockouts

LOCKING = PortsideKnobs(lock_after=3, lock_seconds=60)
LIMITED = InterpalsKnobs(attempt_limit=2, attempt_seconds=60)


class Hands:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time


@pytest.fixture
def hands() -> Hands:
    return Hands()


def test_the_nth_failure_in_a_row_locks(hands: Hands) -> None:
    lockouts = Lockouts(hands.now)
    assert [lockouts.fail("demo", knobs=LOCKING) for _ in range(3)] == [False, False, True]
    assert lockouts.seconds_left("demo", knobs=LOCKING) == 60
    assert lockouts.seconds_left("dana", knobs=LOCKING) == 0


def test_failures_while_locked_do_not_lengthen_the_lock(hands: Hands) -> None:
    lockouts = Lockouts(hands.now)
    for _ in range(3):
        lockouts.fail("demo", knobs=LOCKING)
    hands.time = 30
    assert not lockouts.fail("demo", knobs=LOCKING)
    assert lockouts.seconds_left("demo", knobs=LOCKING) == 30


def test_after_the_lock_counting_starts_anew(hands: Hands) -> None:
    lockouts = Lockouts(hands.now)
    for _ in range(3):
        lockouts.fail("demo", knobs=LOCKING)
    hands.time = 60
    assert lockouts.seconds_left("demo", knobs=LOCKING) == 0
    assert not lockouts.fail("demo", knobs=LOCKING)


def test_a_login_clears_the_failures(hands: Hands) -> None:
    lockouts = Lockouts(hands.now)
    for _ in range(5):
        assert not lockouts.fail("demo", knobs=LOCKING)
        lockouts.clear("demo")


def test_no_number_of_failures_locks_when_the_knob_is_zero(hands: Hands) -> None:
    lockouts, knobs = Lockouts(hands.now), PortsideKnobs(lock_after=0)
    assert not any(lockouts.fail("demo", knobs=knobs) for _ in range(50))


def test_attempts_wait_until_the_oldest_that_counts_is_out_of_the_window(hands: Hands) -> None:
    attempts = Attempts(hands.now)
    for moment in (0, 20):
        hands.time = moment
        assert attempts.seconds_left("demo", knobs=LIMITED) == 0
        attempts.fail("demo")
    hands.time = 25
    assert attempts.seconds_left("demo", knobs=LIMITED) == 35
    hands.time = 60
    assert attempts.seconds_left("demo", knobs=LIMITED) == 0


def test_a_limit_of_zero_refuses_every_attempt(hands: Hands) -> None:
    assert Attempts(hands.now).seconds_left("demo", knobs=InterpalsKnobs(attempt_limit=0)) == 60


def test_attempts_of_others_do_not_count(hands: Hands) -> None:
    attempts = Attempts(hands.now)
    for _ in range(9):
        attempts.fail("demo")
    assert attempts.seconds_left("dana", knobs=LIMITED) == 0
    attempts.clear("demo")
    assert attempts.seconds_left("demo", knobs=LIMITED) == 0
