"""Dates in Set-Cookie, read as browsers read them (RFC 6265bis §5.1.1): leniently, in any order, always as UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_TOKENS = re.compile(r"[^\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
_TIME = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?!\d)", re.ASCII)
_DAY = re.compile(r"(\d{1,2})(?!\d)", re.ASCII)
_YEAR = re.compile(r"(\d{2,4})(?!\d)", re.ASCII)
_MONTHS = {name: number for number, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)}
_FIRST_YEAR = 1601
_CENTURY_TURNS = 70


def cookie_date(text: str) -> float | None:
    """Seconds since the Unix epoch of a cookie date; None when it is none.

    Time zones in the text are ignored, as the standard says.
    """
    time: tuple[int, int, int] | None = None
    day: int | None = None
    month: int | None = None
    year: int | None = None
    for token in _TOKENS.findall(text):
        if time is None and (match := _TIME.match(token)):
            time = (int(match[1]), int(match[2]), int(match[3]))
        elif day is None and (match := _DAY.match(token)):
            day = int(match[1])
        elif month is None and (number := _MONTHS.get(token[:3].lower())):
            month = number
        elif year is None and (match := _YEAR.match(token)):
            year = _full_year(int(match[1]))
    if time is None or day is None or month is None or year is None:
        return None
    return _timestamp(year, month, day, time)


def _full_year(year: int) -> int:
    if year >= 100:  # written with three or four digits
        return year
    return year + (1900 if year >= _CENTURY_TURNS else 2000)


def _timestamp(year: int, month: int, day: int, time: tuple[int, int, int]) -> float | None:
    if year < _FIRST_YEAR:
        return None
    hour, minute, second = time
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:
        return None
