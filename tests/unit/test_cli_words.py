"""Words for people: times, counts, sizes, and other people's text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handstamp.cli.words import count, moment, printable, size, span, when

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (1, "1 s"), (59.9, "59 s"), (60, "1 min"), (7200, "2 h"), (86400, "1 day"), (2 * 86400, "2 days"), (86400 * 400, "1 year")],
)
def test_a_span_is_told_in_its_largest_unit(seconds: float, words: str) -> None:
    assert span(seconds) == words


@pytest.mark.parametrize(("seconds", "words"), [(-180, "3 min ago"), (39600, "in 11 h"), (0.4, "now"), (-0.4, "now"), (90 * 86400, "in 3 months")])
def test_a_moment_is_told_as_seen_from_now(seconds: float, words: str) -> None:
    assert when(NOW + timedelta(seconds=seconds), NOW) == words


def test_what_never_was_has_a_word_of_its_own() -> None:
    assert when(None, NOW) == "never"
    assert when(None, NOW, never="not known") == "not known"


def test_counts_and_sizes_read_as_people_write_them() -> None:
    assert [count(0, "cookie"), count(1, "cookie"), count(2, "cookie")] == ["0 cookies", "1 cookie", "2 cookies"]
    assert [size(812), size(1400), size(20_000_000), size(3_200_000_000)] == ["812 B", "1.4 kB", "20 MB", "3.2 GB"]


@given(st.text())
def test_no_text_of_a_site_reaches_the_terminal_as_a_command(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert shown.isprintable()


def test_the_words_of_an_escape_sequence_stay_readable() -> None:
    assert printable("a\x1b[2Jb") == "a�[2Jb"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("15m", NOW - timedelta(minutes=15)),
        ("2h", NOW - timedelta(hours=2)),
        ("3d", NOW - timedelta(days=3)),
        ("2026-02-28T10:00:00Z", datetime(2026, 2, 28, 10, tzinfo=UTC)),
        ("2026-02-28T10:00:00.250+02:00", datetime(2026, 2, 28, 10, 0, 0, 250_000, tzinfo=timezone(timedelta(hours=2)))),
    ],
)
def test_a_time_can_be_typed_as_an_instant_or_as_long_ago(typed: str, meant: datetime) -> None:
    assert moment(typed, NOW) == meant


@pytest.mark.parametrize("typed", ["", "yesterday", "m", "-5m", "15", "1e3s"])
def test_what_is_no_time_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        moment(typed, NOW)
