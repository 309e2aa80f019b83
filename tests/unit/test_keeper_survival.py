"""How long logins live, beside scipy's own curve, and what is planned by it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handstamp.cli.commands.stats import plot
from handstamp.keeper.plan import duration, planned
from handstamp.keeper.survival import Curve, Life, curve_of
from handstamp.sites import Evidence, Verdict
from handstamp.state import Health, Session

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
lives = st.lists(st.builds(Life, st.integers(1, 20).map(float), ended=st.booleans()), min_size=1, max_size=60)


@given(lives)
def test_the_curve_is_scipys(found: list[Life]) -> None:
    stats = pytest.importorskip("scipy.stats")
    data = stats.CensoredData(uncensored=[life.seconds for life in found if life.ended], right=[life.seconds for life in found if not life.ended])
    theirs = stats.ecdf(data).sf
    ours = curve_of(found)
    for age, surviving in zip(theirs.quantiles, theirs.probabilities, strict=True):
        assert ours.surviving(float(age)) == pytest.approx(float(surviving))
    assert ours.surviving(0.0) == 1.0


@given(lives)
def test_a_curve_only_falls(found: list[Life]) -> None:
    surviving = [step.surviving for step in curve_of(found).steps]
    assert surviving == sorted(surviving, reverse=True)
    assert all(0 <= share <= 1 for share in surviving)


def test_a_login_that_still_lives_counts_for_as_long_as_it_did() -> None:
    curve = curve_of([Life(10, ended=True), Life(20, ended=False), Life(30, ended=True)])
    assert [(step.seconds, step.at_risk, step.ended) for step in curve.steps] == [(10, 3, 1), (30, 1, 1)]
    assert curve.surviving(15) == pytest.approx(2 / 3)
    assert (curve.lives, curve.ended, curve.longest) == (3, 2, 30)


def test_nothing_is_known_of_no_logins() -> None:
    curve = curve_of([])
    assert (curve.surviving(5), curve.quantile(0.5), curve.likely_end(1)) == (1.0, None, None)
    assert curve_of([Life(5, ended=False)]).quantile(0.5) is None


def test_what_has_grown_old_is_judged_among_the_old() -> None:
    curve = curve_of([Life(1, ended=True)] * 5 + [Life(100, ended=True)] * 3 + [Life(200, ended=True)] * 2)
    assert curve.likely_end(0) == 1
    assert curve.likely_end(50) == 100
    assert curve.likely_end(150) == 200
    assert curve.likely_end(300) is None


def verdict(health: Health, *, until: datetime | None = None) -> Verdict:
    return Verdict(health, (Evidence("http", "rule", "why", NOW),), until=until)


def session(age: float) -> Session:
    return Session("id", "work", "portside", health=Health.VALID, logged_in_at=NOW - timedelta(seconds=age))


TWELVE_HOURS = curve_of([Life(43_200, ended=True)] * 5)


def test_a_look_comes_before_the_likely_end_and_says_why() -> None:
    plan = planned(NOW, session(43_000), verdict(Health.VALID), every=300, curve=TWELVE_HOURS)
    assert plan.at == NOW + timedelta(seconds=140)
    assert plan.why == "likely to end: of 5 logins at portside, 5 of them over, half of those as old as this one end by 12.0 h"


@pytest.mark.parametrize(
    ("age", "curve"),
    [(60.0, TWELVE_HOURS), (43_190.0, TWELVE_HOURS), (50_000.0, TWELVE_HOURS), (43_000.0, curve_of([Life(43_200, ended=True)])), (43_000.0, None)],
)
def test_otherwise_looks_are_regular(age: float, curve: Curve | None) -> None:
    assert planned(NOW, session(age), verdict(Health.VALID), every=300, curve=curve).at == NOW + timedelta(seconds=300)


def test_looks_are_spread_to_the_early_side() -> None:
    assert planned(NOW, session(1), verdict(Health.VALID), every=300, chance=1.0).at == NOW + timedelta(seconds=270)


def test_a_site_that_names_a_time_is_left_alone_until_then() -> None:
    until = NOW + timedelta(hours=2)
    assert planned(NOW, session(1), verdict(Health.BLOCKED, until=until), every=300).at == until
    assert planned(NOW, session(1), verdict(Health.UNKNOWN), every=300).at == NOW + timedelta(seconds=300)


@pytest.mark.parametrize("health", [Health.CHALLENGED, Health.EXPIRED])
def test_what_only_a_person_can_bring_back_is_looked_at_seldom(health: Health) -> None:
    assert planned(NOW, session(1), verdict(health), every=300).at == NOW + timedelta(hours=1)


def test_durations_are_for_people() -> None:
    assert [duration(seconds) for seconds in (45, 720, 27_000, 276_480)] == ["45 s", "12 min", "7.5 h", "3.2 d"]


def test_a_plot_begins_full_and_ends_at_what_is_left() -> None:
    lines = list(plot(curve_of([Life(10, ended=True), Life(20, ended=False)]), width=20, height=4))
    assert lines[0].startswith(" 100% ┤███")
    assert lines[2].endswith("█")  # half of them live to the end
    assert not lines[1].endswith("█")
