"""What portside's operations decide over values: numbers, choices, times, rows, pictures, and the workbook."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import TypeAdapter, ValidationError

from handstamp.demo.portside.fleet import records_of
from handstamp.demo.portside.pregate import draw
from handstamp.errors import OperationFailed, OperationRefused
from handstamp.sites.portside.operations.badge import read_badge
from handstamp.sites.portside.operations.containers import ContainerRow, Progress, progress_of, rows_of
from handstamp.sites.portside.operations.given import ContainerId
from handstamp.sites.portside.operations.timeline import in_words
from handstamp.sites.portside.operations.wizard import Times, left_over, pick, pick_time, refusal, times_of
from handstamp.sites.portside.operations.workbook import COLUMNS, workbook

HEADINGS = ["Container", "Reference", "Arrived", "Type", "Line", "Vessel / voyage", "Port", "Status", "Position", "Hold", "Weight", "Free days"]
CELLS = ["HBRU1112085", "demo-1", "2026-01-02", "40' HC", "Tideland", "Maren Oak 30W", "Gdańsk", "In yard", "A01-1-1", "", "14,980 kg", "\N{MINUS SIGN}2"]
TIMES = Times(("2026-01-12 08:00", "2026-01-12 08:30"), ("2026-01-12 09:00",))


@pytest.mark.parametrize("typed", ["HBRU1112085", " hbru 111208-5 ", "HBRU-1112085"])
def test_a_container_number_is_taken_however_it_is_typed(typed: str) -> None:
    assert TypeAdapter(ContainerId).validate_python(typed) == "HBRU1112085"


@pytest.mark.parametrize("typed", ["", " ", "--", "../account", "a/b", "é", "A" * 25, "HBRU\n"])
def test_what_can_be_no_container_number_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(ContainerId).validate_python(typed)


def test_rows_are_read_by_their_headings_in_whatever_order() -> None:
    (row,) = rows_of(HEADINGS, [CELLS])
    assert (row.number, row.arrived, row.weight_kg, row.free_days, row.hold) == ("HBRU1112085", date(2026, 1, 2), 14980, -2, "")
    assert rows_of(HEADINGS[::-1], [CELLS[::-1]]) == [row]


def test_an_empty_cell_of_days_is_none() -> None:
    assert rows_of(HEADINGS, [[*CELLS[:-1], ""]])[0].free_days is None


def test_a_column_that_is_missing_is_named() -> None:
    with pytest.raises(OperationFailed, match=r"no column 'Weight'; there are: Container, .*Hold, Free days"):
        rows_of([heading for heading in HEADINGS if heading != "Weight"], [])


def test_a_cell_that_does_not_say_what_it_must_is_named() -> None:
    with pytest.raises(OperationFailed, match=r"'heavy' as weight_kg of 'HBRU1112085'"):
        rows_of(HEADINGS, [[*CELLS[:10], "heavy", ""]])


@pytest.mark.parametrize(("says", "total"), [("200 of 2,984 containers", 2984), ("0 of 0 containers", 0), ("Loading …", None)])
def test_the_pages_count_is_read(says: str, total: int | None) -> None:
    assert progress_of({"shown": 200, "says": says, "problem": " "}) == Progress(200, total)


def test_a_choice_is_found_whatever_its_case_and_spaces() -> None:
    assert pick("terminal", " north  QUAY", ["Heron Basin", "North Quay"]) == "North Quay"


def test_a_choice_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(OperationRefused, match=r"^terminal: .*'Elsewhere'.*there are: Heron Basin, North Quay$"):
        pick("terminal", "Elsewhere", ["Heron Basin", "North Quay"])


@pytest.mark.parametrize("wanted", ["2026-01-12 08:30", "2026-01-12T08:30", " 2026-01-12  08:30 ", "2026-01-12t08:30"])
def test_a_time_is_found_in_either_spelling(wanted: str) -> None:
    assert pick_time(wanted, TIMES) == "2026-01-12 08:30"


def test_a_time_that_is_sold_or_unknown_names_those_that_are_left() -> None:
    left = r"; left: 2026-01-12 08:00, 2026-01-12 08:30$"
    with pytest.raises(OperationRefused, match=rf"2026-01-12 09:00 is sold out{left}"):
        pick_time("2026-01-12 09:00", TIMES)
    with pytest.raises(OperationRefused, match=rf"no time 'noon'{left}"):
        pick_time("noon", TIMES)


def test_of_many_times_that_are_left_some_are_named() -> None:
    many = times_of({"at": f"2026-01-12 {hour:02d}:00", "sold": False} for hour in range(20))
    assert left_over(many).endswith("11:00 and 8 more")
    assert left_over(Times((), ())) == "no time is left"


def test_the_sites_words_are_given_under_the_operations_names() -> None:
    assert str(refusal({"company": "Choose one.", "plate": "Too long."})) == "trucking_company: Choose one.; truck_plate: Too long."


@pytest.mark.parametrize(("text", "passed"), [("Passed", True), (" Not  passed ", False), ("not checked yet", None)])
def test_a_written_status_is_read(text: str, passed: bool | None) -> None:
    assert in_words(text) is passed


@pytest.mark.parametrize("text", ["", "Passed once", "Trucks are let in for containers that have passed."])
def test_words_that_are_no_status_are_not_taken_for_one(text: str) -> None:
    with pytest.raises(OperationFailed, match="which is none of: passed, not passed, not checked yet"):
        in_words(text)


@given(st.sampled_from(records_of("demo")), st.sampled_from([True, False, None]), st.integers(24, 200))
def test_a_status_picture_is_read_in_any_size(record: Any, passed: bool | None, side: int) -> None:
    out = io.BytesIO()
    with Image.open(io.BytesIO(draw(record, passed=passed))) as image:
        image.resize((side, side)).save(out, "PNG")
    assert read_badge(out.getvalue()) is passed


@pytest.mark.parametrize("colour", ["white", "black", "#888", "blue", "#222"])
def test_a_picture_without_a_status_says_nothing(colour: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (96, 96), colour).save(out, "PNG")
    assert read_badge(out.getvalue()) is None


def test_a_picture_that_is_half_green_and_half_red_says_nothing() -> None:
    image, out = Image.new("RGB", (96, 96), "green"), io.BytesIO()
    image.paste("red", (0, 0, 48, 96))
    image.save(out, "PNG")
    assert read_badge(out.getvalue()) is None


def test_text_stays_text_in_the_workbook() -> None:
    planted = ["=1+1", "https://elsewhere.example", "007"]
    row = ContainerRow.model_validate(dict(zip([column.name for column in COLUMNS], CELLS, strict=True)) | {"weight_kg": 1, "free_days": None})
    rows = [row.model_copy(update={"reference": text, "line": text}) for text in planted]
    sheet = openpyxl.load_workbook(io.BytesIO(workbook(rows, username="demo"))).active
    assert sheet is not None
    cells = [(sheet.cell(line, 2), sheet.cell(line, 5)) for line in (2, 3, 4)]
    assert [cell.value for pair in cells for cell in pair] == [text for text in planted for _ in range(2)]
    assert {cell.data_type for pair in cells for cell in pair} == {"s"}
    assert not any(cell.hyperlink for pair in cells for cell in pair)


def test_a_workbook_of_no_rows_can_be_opened() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(workbook([], username="demo"))).active
    assert sheet is not None
    assert [cell.value for cell in sheet[1]] == [column.title for column in COLUMNS]
