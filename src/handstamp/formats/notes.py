"""Sentences about what a format cannot say: names, never values."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_NAMES = 5
MOST_LETTERS = 60


def several(names: Sequence[str]) -> str:
    """``a, b and 3 more``: all names of a short list, the first ones of a long one."""
    shown = list(names) if len(names) <= MOST_NAMES + 1 else [*names[:MOST_NAMES], f"{len(names) - MOST_NAMES} more"]
    return ", ".join(shown[:-1]) + " and " + shown[-1] if len(shown) > 1 else "".join(shown)


def shown(name: str) -> str:
    """A name out of a file, fit for a line on a terminal: short, and without what would move the cursor."""
    short = name if len(name) <= MOST_LETTERS else name[:MOST_LETTERS] + "…"
    return short if short.isprintable() else ascii(short)[1:-1]
