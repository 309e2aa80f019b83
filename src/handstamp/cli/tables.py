"""Tables for people: columns without lines, colours for what matters. Rich (80 ms) is loaded when the first one is made."""

# ruff: noqa: PLC0415  (see above)

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.cli.words import printable
from handstamp.state import Health

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table
    from rich.text import Text

    Cell = str | Text

COLOURS = {
    Health.VALID: "green",
    Health.EXPIRED: "red",
    Health.CHALLENGED: "yellow",
    Health.BLOCKED: "yellow",
    Health.UNKNOWN: "dim",
}


def columns(titles: Iterable[str], rows: Iterable[Iterable[Cell]]) -> Table:
    """Rows under titles (empty ones for none). Text is shown as it is: no markup, no control characters."""
    from rich.table import Table

    titles = list(titles)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_header=any(titles))
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(cell) for cell in row))
    return table


def pairs(rows: Iterable[tuple[str, Cell]]) -> Table:
    """Names and what they are, one a line."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, cell in rows:
        table.add_row(name, _cell(cell))
    return table


def heading(text: str) -> Text:
    """A line above a table."""
    from rich.text import Text

    return Text(f"\n{printable(text)}", style="bold")


def coloured(text: str, style: str) -> Text:
    """A word in a colour."""
    from rich.text import Text

    return Text(printable(text), style=style)


def health_cell(health: Health) -> Text:
    """A session's health in its colour."""
    return coloured(health.value, COLOURS[health])


def _cell(cell: Cell) -> Text:
    from rich.text import Text

    return cell if isinstance(cell, Text) else Text(printable(cell))
