"""Container rows as an Excel workbook: typed columns, a header that stays in view, a filter."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import xlsxwriter  # type: ignore[import-untyped]  # it brings no types

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handstamp.sites.portside.operations.containers import ContainerRow

SHEET = "Containers"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the sheet.

    Args:
        title: in the header.
        name: of the field.
        width: in characters.
        number_format: Excel's; empty for text.
    """

    title: str
    name: str
    width: int
    number_format: str = ""


COLUMNS = (
    Column("Container", "number", 15),
    Column("Reference", "reference", 18),
    Column("Arrived", "arrived", 12, "yyyy-mm-dd"),
    Column("Type", "type", 9),
    Column("Line", "line", 20),
    Column("Vessel / voyage", "vessel", 24),
    Column("Port", "port", 14),
    Column("Status", "status", 12),
    Column("Position", "position", 11),
    Column("Hold", "hold", 10),
    Column("Weight (kg)", "weight_kg", 12, "#,##0"),
    Column("Free days", "free_days", 11, "0"),
)


def workbook(rows: Sequence[ContainerRow], *, username: str) -> bytes:
    """An .xlsx with a sheet of these rows. Text stays text, also where Excel would take it for a formula or a link."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.set_properties({"title": f"Containers of {username}"})
        sheet = book.add_worksheet(SHEET)
        head = book.add_format({"bold": True, "font_color": "#FFFFFF", "bg_color": "#0B2A3D"})
        for place, column in enumerate(COLUMNS):
            sheet.set_column(place, place, column.width)
            sheet.write_string(0, place, column.title, head)
            form = book.add_format({"num_format": column.number_format}) if column.number_format else None
            for line, row in enumerate(rows, 1):
                _write(sheet, line, place, getattr(row, column.name), form)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, len(rows), len(COLUMNS) - 1)
    return out.getvalue()


def _write(sheet: Any, line: int, place: int, value: object, form: Any) -> None:
    if isinstance(value, date):
        sheet.write_datetime(line, place, value, form)
    elif isinstance(value, int):
        sheet.write_number(line, place, value, form)
    elif value:
        sheet.write_string(line, place, str(value), form)
