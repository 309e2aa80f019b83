"""portside's long lists, timelines, pictures and times: made up, and always the same."""

from __future__ import annotations

import itertools
from datetime import date

import pytest

from handstamp.demo.front import counted_as
from handstamp.demo.portside.appointments import Appointments, choices_of, day_slots
from handstamp.demo.portside.fleet import containers_of, record_of, records_of
from handstamp.demo.portside.pregate import draw, events_of, pregate_of

DAY = date(2026, 5, 4)


@pytest.mark.parametrize("username", ["demo", "dana", "a.b@example.com"])
def test_a_long_list_has_thousands_of_rows_each_with_its_account(username: str) -> None:
    rows = records_of(username)
    records_of.cache_clear()
    assert rows == records_of(username)
    assert 2000 <= len(rows) <= 4000
    assert len({row.container.number for row in rows}) == len({row.reference for row in rows}) == len(rows)
    assert {row.container for row in rows} >= set(containers_of(username))
    assert all(row.reference.startswith(f"{username}-") for row in rows)
    assert [row.arrived for row in rows] == sorted((row.arrived for row in rows), reverse=True)


def test_a_record_is_found_in_its_account_only() -> None:
    mine = records_of("demo")[7]
    assert record_of("demo", mine.container.number) == mine
    assert record_of("dana", mine.container.number) is None


def test_pregate_checks_are_of_all_kinds_and_an_undone_one_is_told_in_words() -> None:
    checks = [pregate_of(row) for row in records_of("demo")]
    assert {(check.passed, check.drawn) for check in checks} == {(True, True), (True, False), (False, True), (False, False), (None, False)}
    assert all(pregate_of(row, always_drawn=True).drawn for row in records_of("demo")[:50])


def test_pictures_of_the_same_status_differ_in_their_bytes() -> None:
    passed = [row for row in records_of("demo") if pregate_of(row).passed][:10]
    assert len({draw(row, passed=True) for row in passed}) > 5


def test_a_timeline_goes_forward() -> None:
    for row in records_of("demo")[:100]:
        times = [event.at for event in events_of(row)]
        assert all(earlier < later for earlier, later in itertools.pairwise(times))


def test_choices_depend_on_the_account() -> None:
    assert choices_of("demo") == choices_of("demo")
    assert len({choices_of(name) for name in ("demo", "dana", "omar", "eve")}) > 1


def test_a_booked_time_is_taken_at_its_terminal_only() -> None:
    book = Appointments()
    free = next(slot for slot in book.slots("North Quay", DAY) if not slot.sold)
    book.take("North Quay", free.key)
    assert next(slot for slot in book.slots("North Quay", DAY) if slot.key == free.key).sold
    assert book.slots("Heron Basin", DAY) == day_slots("Heron Basin", DAY)
    assert all(slot.sold for slot in book.slots("Heron Basin", DAY, sold_out=True))


def test_some_times_are_sold_from_the_start() -> None:
    sold = [slot.sold for slot in day_slots("North Quay", DAY)]
    assert 0.1 < sum(sold) / len(sold) < 0.6


def test_a_path_is_counted_under_the_route_that_it_fits() -> None:
    known = {"/containers/all", "/containers/{number}", "/containers/{number}/pregate.png"}
    paths = ("/containers/all", "/containers/ABCU1", "/containers/ABCU1/pregate.png", "/containers/", "/containers/a/b", "/elsewhere/a")
    assert [counted_as(path, known) for path in paths] == [*("/containers/all", "/containers/{number}", "/containers/{number}/pregate.png"), *["(other)"] * 3]
