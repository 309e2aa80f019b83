"""Cookie dates, whatever order and dress they come in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handstamp.state import cookie_date

moments = st.datetimes(datetime(1601, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0))  # noqa: DTZ001  (the strategy adds the zone)
DRESSES = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%Y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y", "%H:%M:%S %d %B %Y", "%Y %b %d %H:%M:%S")


@given(moments, st.sampled_from(DRESSES))
def test_every_common_dress_of_a_date_is_read(moment: datetime, dress: str) -> None:
    assert cookie_date(moment.strftime(dress)) == moment.timestamp()


@given(st.text())
def test_any_text_is_a_date_or_none(text: str) -> None:
    assert cookie_date(text) is None or isinstance(cookie_date(text), float)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Thu, 30 Feb 2040 00:00:00 GMT",
        "Thu, 01 Jan 1600 00:00:00 GMT",
        "1 Jan 2040 24:00:00",
        "1 Jan 2040 00:60:00",
        "1 Jan 2040 00:00:60",
        "Jan 2040 00:00:00",
        "0 Jan 2040 00:00:00",
    ],
)
def test_what_names_no_moment_is_no_date(text: str) -> None:
    assert cookie_date(text) is None


@pytest.mark.parametrize(("year", "full"), [("70", 1970), ("99", 1999), ("00", 2000), ("69", 2069), ("1970", 1970)])
def test_two_digits_of_a_year_are_of_the_nearest_century(year: str, full: int) -> None:
    assert cookie_date(f"1 Jan {year} 00:00:00") == datetime(full, 1, 1, tzinfo=UTC).timestamp()


def test_digits_of_other_scripts_are_no_digits() -> None:
    assert cookie_date("\u0661 Jan 2040 00:00:00") is None
