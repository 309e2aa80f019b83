"""How often handstamp logs in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handstamp.errors import ChallengeUnsolved, LoginBudgetSpent, LoginFailed
from handstamp.keeper.budget import Applicant, Budget, admitted, failed, is_spent
from handstamp.vault import Attempts
from handstamp.vault.attempts import REFUSED_KEPT

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DANA = Applicant("portside", "dana", "work", b"one")
BUDGET = Budget()


def refused(**more: object) -> LoginFailed:
    error = LoginFailed("refused")
    for name, value in more.items():
        setattr(error, name, value)
    return error


def after(known: Attempts, error: LoginFailed | ChallengeUnsolved, *, now: datetime = NOW, who: Applicant = DANA) -> Attempts:
    return failed(admitted(known, now, who, BUDGET), now, who, error, BUDGET, chance=0.5)


def test_a_refused_password_is_not_tried_again_by_anybody() -> None:
    known = after(Attempts(), refused())
    for who in (DANA, replace(DANA, by_itself=False)):
        with pytest.raises(LoginFailed, match=r"refused this password.*12:00:00Z.*`handstamp refresh portside --profile work --clear`"):
            admitted(known, NOW + timedelta(days=9), who, BUDGET)
    assert admitted(known, NOW + timedelta(days=9), replace(DANA, mark=b"two"), BUDGET).failures == 2


def test_a_password_that_was_refused_before_another_one_is_not_tried_again_either() -> None:
    known = after(after(Attempts(), refused()), refused(), who=replace(DANA, mark=b"two"), now=NOW + timedelta(days=1))
    for mark in (b"one", b"two"):
        with pytest.raises(LoginFailed, match="refused this password"):
            admitted(known, NOW + timedelta(days=9), replace(DANA, mark=mark), BUDGET)
    assert admitted(known, NOW + timedelta(days=9), replace(DANA, mark=b"three"), BUDGET).failures == 3


@given(st.lists(st.integers(0, 30), max_size=60))
def test_the_refused_passwords_that_are_known_are_the_latest_each_once(marks: list[int]) -> None:
    known = Attempts()
    for mark in marks:
        known = known.with_refused(bytes([mark]))
    latest = list(dict.fromkeys(reversed(marks)))
    assert known.refused == tuple(bytes([mark]) for mark in latest[:REFUSED_KEPT])


def test_three_failures_spend_the_budget_until_somebody_clears_it() -> None:
    known = Attempts()
    for number in range(3):
        known = after(known, refused(), now=NOW + timedelta(days=number), who=replace(DANA, mark=bytes([number])))
    assert is_spent(known, BUDGET)
    with pytest.raises(LoginBudgetSpent, match=r"failed 3 times.*refused.*--clear"):
        admitted(known, NOW + timedelta(days=99), replace(DANA, mark=b"new", by_itself=False), BUDGET)
    assert admitted(Attempts(), NOW, DANA, BUDGET).failures == 1


def test_a_program_waits_longer_after_each_failure_and_a_person_need_not() -> None:
    pauses = []
    known, now = Attempts(), NOW
    for number in range(2):
        who = replace(DANA, mark=bytes([number]))
        known = after(known, refused(), now=now, who=who)
        assert known.not_before is not None
        pauses.append((known.not_before - now).total_seconds())
        with pytest.raises(LoginBudgetSpent, match="by itself at"):
            admitted(known, known.not_before - timedelta(seconds=1), replace(DANA, mark=b"x"), BUDGET)
        assert admitted(known, now, replace(DANA, mark=b"x", by_itself=False), BUDGET)
        now = known.not_before
    assert pauses == [30.0, 60.0]


def test_a_refused_password_does_not_pause_another_that_a_caller_gives() -> None:
    known = after(Attempts(), refused())
    other = replace(DANA, mark=b"two", given=True)
    assert admitted(known, NOW, other, BUDGET).failures == 2
    with pytest.raises(LoginBudgetSpent, match="by itself at"):
        admitted(known, NOW, replace(other, given=False), BUDGET)
    with pytest.raises(LoginFailed, match="refused this password"):
        admitted(known, NOW, replace(DANA, given=True), BUDGET)


@pytest.mark.parametrize("later", [{"health": "unknown"}, {"health": "unknown", "sent": False}, {"health": "blocked"}, {"until": NOW + timedelta(hours=1)}])
def test_a_pause_that_the_site_gave_cause_for_holds_for_a_password_that_a_caller_gives(later: dict[str, object]) -> None:
    known = after(after(Attempts(), refused()), refused(**later), who=replace(DANA, mark=b"two", given=True))
    with pytest.raises(LoginBudgetSpent, match="by itself at"):
        admitted(known, NOW, replace(DANA, mark=b"three", given=True), BUDGET)


@given(st.lists(st.booleans(), max_size=12))
def test_passwords_that_callers_give_reach_the_site_no_oftener_than_the_budget_says(own: list[bool]) -> None:
    known, sent = Attempts(), 0
    for number, is_given in enumerate(own):
        who = replace(DANA, mark=b"mark %d" % number, given=is_given)
        try:
            known = after(known, refused(), who=who)
        except LoginBudgetSpent:
            continue
        sent += 1
    assert sent == known.failures <= BUDGET.limit
    assert sent >= min(BUDGET.limit, sum(own))


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_a_pause_stays_within_its_bounds(times: int, chance: float) -> None:
    assert 0.75 * BUDGET.first <= BUDGET.pause(times, chance) <= 1.25 * BUDGET.longest


def test_a_login_whose_program_was_killed_counts() -> None:
    known = admitted(Attempts(), NOW, DANA, BUDGET)
    assert (known.failures, known.refused) == (1, ())
    assert "nothing was heard" in known.reason


def test_a_login_that_never_came_to_the_password_counts_not_but_is_not_hurried() -> None:
    known = Attempts()
    for _ in range(9):
        known = after(known, refused(sent=False, health="unknown"), now=NOW if known.not_before is None else known.not_before)
    assert (known.failures, known.troubles, known.refused) == (0, 9, ())
    assert known.not_before is not None


def test_a_login_that_could_not_be_told_counts_and_its_password_may_be_right() -> None:
    known = after(Attempts(), refused(health="unknown"))
    assert (known.failures, known.refused) == (1, ())


def test_the_sites_own_word_on_waiting_is_kept() -> None:
    until = NOW + timedelta(hours=5)
    known = after(Attempts(), refused(health="blocked", until=until))
    assert known.not_before == until
    assert known.refused == ()


def test_a_challenge_is_no_wrong_password() -> None:
    unsolved = ChallengeUnsolved("a picture")
    unsolved.sent = False
    assert after(Attempts(), unsolved).failures == 0
