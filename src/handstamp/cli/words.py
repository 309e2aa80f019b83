"""Plain words for people: times, counts, sizes, and text of others without what a terminal would obey."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_UNITS = ((86400.0 * 365, "year"), (86400.0 * 30, "month"), (86400.0, "day"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))
_COUNTED = frozenset({"year", "month", "day"})
_NOW = 1.0  # seconds


def span(seconds: float) -> str:
    """How long, in its largest unit: ``45 s``, ``3 min``, ``11 h``, ``2 days``."""
    for size, unit in _UNITS:
        if seconds >= size:
            count = int(seconds / size)
            return f"{count} {unit}{'s' if unit in _COUNTED and count != 1 else ''}"
    return "0 s"


def when(moment: datetime | None, now: datetime, *, never: str = "never") -> str:
    """When something was or will be, as seen from `now`: ``3 min ago``, ``in 11 h``."""
    if moment is None:
        return never
    seconds = (moment - now).total_seconds()
    if abs(seconds) < _NOW:
        return "now"
    return f"in {span(seconds)}" if seconds > 0 else f"{span(-seconds)} ago"


def count(number: int, noun: str) -> str:
    """``1 cookie``, ``2 cookies``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def size(octets: int) -> str:
    """``812 B``, ``1.4 kB``, ``20 MB``."""
    value = float(octets)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 10 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def printable(text: str) -> str:
    """`text` with control characters (what a site or file says may hold a terminal's commands) shown as ``�``."""
    return "".join(character if character.isprintable() else "�" for character in text)


def moment(text: str, now: datetime) -> datetime:
    """The instant that a person typed: ``2026-03-01 14:00`` (their own time zone), with ``Z`` or an offset, or ``15m`` for that long ago.

    Raises:
        ValueError: it is none of these.
    """
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    if text[-1:] in units and text[:-1].isdecimal():
        return now - timedelta(seconds=int(text[:-1]) * units[text[-1]])
    return datetime.fromisoformat(text).astimezone(UTC)
