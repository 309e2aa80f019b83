"""The account's container list, read from the page where it loads as one scrolls, and written as a workbook."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from datetime import date  # noqa: TC003  (pydantic reads the annotation at run time)
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field, ValidationError

from handstamp.errors import OperationFailed
from handstamp.sites.operation import operation
from handstamp.sites.portside.operations.visiting import account_of, driving, visit
from handstamp.sites.portside.operations.workbook import workbook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handstamp.sites.operation import Run

PAGE = "/containers/all"
LONGEST = 180.0
"""Seconds in which the whole list must have come."""
PATIENCE = 15.0
"""Seconds in which the next rows must come, before they are asked for once more."""
RETRIES = 3

_COUNT = re.compile(r"([0-9,]+) of ([0-9,]+) containers")
_FIELDS = {
    "Container": "number",
    "Reference": "reference",
    "Arrived": "arrived",
    "Type": "type",
    "Line": "line",
    "Vessel / voyage": "vessel",
    "Port": "port",
    "Status": "status",
    "Position": "position",
    "Hold": "hold",
    "Weight": "weight_kg",
    "Free days": "free_days",
}
"""Heading of the page -> field of a row."""

# Scrolls down and waits, in the page, until there are more rows than `shown` or a problem is told. With `again`, the button that the
# page has for that is pressed instead; it works also in a window that nobody sees, where scrolling loads nothing.
_ADVANCE = """async ({shown, again, milliseconds}) => {
  const rows = document.querySelector("#containers").tBodies[0].rows;
  const problem = document.querySelector("#problem");
  const count = document.querySelector("#count");
  const complete = () => { const said = /([0-9,]+) of ([0-9,]+)/.exec(count.textContent); return said !== null && said[1] === said[2]; };
  if (again) document.querySelector("#again").click();
  const end = performance.now() + milliseconds;
  while (rows.length === shown && !complete() && problem.hidden && performance.now() < end) {
    window.scrollTo(0, document.documentElement.scrollHeight);
    await new Promise((done) => setTimeout(done, 15));
  }
  return {shown: rows.length, says: count.textContent, problem: problem.hidden ? "" : problem.querySelector("span").textContent};
}"""

_READ = """() => {
  const table = document.querySelector("#containers");
  const texts = (row) => [...row.cells].map((cell) => cell.textContent.trim());
  return {headings: texts(table.tHead.rows[0]), rows: [...table.tBodies[0].rows].map(texts)};
}"""


class Query(BaseModel):
    """What to read."""

    infinite_scrolling: bool = Field(default=False, description="Scroll to the end of the list; otherwise only what the page shows first is read.")


class ContainerRow(BaseModel):
    """One container of the list."""

    number: str
    reference: str = Field(description="The account's own number for it.")
    arrived: date
    type: str
    line: str
    vessel: str = Field(description="Vessel and voyage.")
    port: str
    status: str
    position: str = Field(description="In the yard; empty elsewhere.")
    hold: str = Field(description="Who holds it; empty when nobody does.")
    weight_kg: int
    free_days: int | None = Field(description="Until storage costs money; null when it is not in the yard.")


class Containers(BaseModel):
    """The list."""

    username: str = Field(description="Whose list it is, as the page says.")
    count: int = Field(description="Rows that were read.")
    total: int = Field(description="Rows that the site says there are.")
    file_url: str = Field(description="Where the rows are as an .xlsx.")
    containers: list[ContainerRow]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the list has come.

    Args:
        shown: rows on the page.
        total: rows that there are; None while the page does not say it.
        problem: what the page says went wrong; empty when nothing did.
    """

    shown: int
    total: int | None
    problem: str = ""


@operation(gives=Containers, repeatable=True)
async def get_containers(run: Run, given: Query) -> Containers:
    """The containers of this account, as rows and as an Excel file."""
    await visit(run, PAGE, wants="#containers")
    with driving(run, "reading the container list"):
        progress = await _first_rows(run)
        if given.infinite_scrolling:
            progress = await _to_the_end(run, progress)
        username, found = await account_of(run), await run.page.evaluate(_READ)
    rows = rows_of(found["headings"], found["rows"])
    run.tell(f"writing {len(rows)} containers to a workbook")
    data = await asyncio.to_thread(workbook, rows, username=username)
    file_url = await run.keep("containers.xlsx", data)
    return Containers(username=username, count=len(rows), total=progress.total or len(rows), file_url=file_url, containers=rows)


def progress_of(seen: dict[str, Any]) -> Progress:
    """What the page said about itself."""
    said = _COUNT.search(seen["says"])
    return Progress(seen["shown"], int(said[2].replace(",", "")) if said else None, seen["problem"].strip())


def rows_of(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[ContainerRow]:
    """The rows of a table, by its headings.

    Raises:
        OperationFailed: a column is missing, or a cell does not say what it must; names it.
    """
    missing = [heading for heading in _FIELDS if heading not in headings]
    if missing:
        raise OperationFailed(f"portside's container list has no column {missing[0]!r}; there are: {', '.join(headings)}", repeatable=True)
    places = {name: headings.index(heading) for heading, name in _FIELDS.items()}
    return [_row({name: row[place] if place < len(row) else "" for name, place in places.items()}) for row in rows]


def _row(texts: dict[str, str]) -> ContainerRow:
    weight = texts["weight_kg"].removesuffix("kg").replace(",", "").strip()
    free_days = texts["free_days"].replace("\N{MINUS SIGN}", "-") or None
    try:
        return ContainerRow.model_validate(texts | {"weight_kg": weight, "free_days": free_days})
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        raise OperationFailed(f"portside's container list has {texts[name]!r} as {name} of {texts['number']!r}", repeatable=True) from None


async def _first_rows(run: Run) -> Progress:
    """Until the page has rows or says that there are none."""
    progress = await _more(run, Progress(0, None))
    if progress.total is None:
        raise OperationFailed("portside's container list does not say how many there are (#count)", repeatable=True)
    return progress


async def _to_the_end(run: Run, progress: Progress) -> Progress:
    deadline = time.monotonic() + LONGEST
    while progress.total is not None and progress.shown < progress.total:
        run.tell(f"{progress.shown} of {progress.total} containers")
        if time.monotonic() > deadline:
            raise OperationFailed(f"portside's container list had {progress.shown} of {progress.total} rows after {LONGEST:g} s", repeatable=True)
        progress = await _more(run, progress)
    run.tell(f"{progress.shown} of {progress.total} containers")
    return progress


async def _more(run: Run, before: Progress) -> Progress:
    """The next rows, which the page is asked for again when they do not come."""
    problem = ""
    for attempt in range(RETRIES + 1):
        if attempt:
            run.tell(f"no more containers after {before.shown}: {problem}")
            await asyncio.sleep(0.1 * 2**attempt)
        asked = {"shown": before.shown, "again": attempt > 0, "milliseconds": PATIENCE * 1000}
        after = progress_of(await run.page.evaluate(_ADVANCE, asked))
        if after.shown > before.shown or (after.shown == after.total and not after.problem):
            return after
        problem = after.problem or "the next do not come"
    of = f" of {before.total}" if before.total is not None else ""
    raise OperationFailed(f"portside's container list ends after {before.shown}{of} rows: {problem}", repeatable=True)
