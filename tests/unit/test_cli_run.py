"""`handstamp run`: options made from an operation's fields; what it says when something is missing."""

from __future__ import annotations

import sys
from enum import Enum
from io import StringIO
from typing import TYPE_CHECKING, Any, Literal

import pytest
from pydantic import BaseModel, Field, SecretStr

from handstamp.cli.commands.run import go_on
from handstamp.cli.operation_options import PREFIX, add_fields, given_fields
from handstamp.cli.parser import Parser, Usage, parse
from handstamp.errors import ConfigError, InputMissing, OperationFailed
from handstamp.sites.operation import Run, workflow

if TYPE_CHECKING:
    from pathlib import Path


class Size(Enum):
    SMALL = "20"
    LARGE = "40"


class First(BaseModel):
    container_id: str = Field(description="100% of it")
    infinite_scrolling: bool = False
    size: Size | None = None
    move: Literal["import", "export"] = "import"
    marks: list[int] = []


class Second(BaseModel):
    container_id: str
    profile: str = ""
    pin: SecretStr
    extra: dict[str, int] | None = None


class Done(BaseModel):
    pass


async def first(run: Run, given: First) -> None: ...
async def second(run: Run, given: Second) -> Done: ...


BOOK = workflow("book", first, second, gives=Done, about="")


def _typed(*words: str) -> dict[str, Any]:
    parser = Parser(prog="p", allow_abbrev=False)
    parser.add_argument("--profile")
    add_fields(parser, BOOK, taken=["--profile"])
    return vars(parser.parse_args(words))


def test_each_field_is_an_option_of_its_kind() -> None:
    typed = _typed(
        "--container-id", "C1", "--infinite-scrolling", "--size", "40", "--marks", "1", "--marks", "2", "--field-profile", "p", "--extra", '{"a": 1}'
    )
    assert given_fields(BOOK, typed) == {
        "container_id": "C1",
        "infinite_scrolling": True,
        "size": "40",
        "marks": ["1", "2"],
        "profile": "p",
        "extra": {"a": 1},
    }
    assert given_fields(BOOK, _typed("--no-infinite-scrolling")) == {"infinite_scrolling": False}


def test_what_is_not_typed_is_not_given() -> None:
    assert given_fields(BOOK, _typed()) == {}


def test_a_secret_comes_from_stdin_and_never_from_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO("4711\n"))
    assert given_fields(BOOK, _typed("--pin")) == {"pin": "4711"}
    with pytest.raises(Usage, match="unrecognized arguments: 4711"):
        _typed("--pin", "4711")
    monkeypatch.setattr(sys, "stdin", StringIO(""))
    with pytest.raises(ConfigError, match="stdin has no pin"):
        given_fields(BOOK, _typed("--pin"))


def test_what_must_be_json_is_refused_by_its_option() -> None:
    with pytest.raises(ConfigError, match="--extra must be JSON"):
        given_fields(BOOK, _typed("--extra", "{a"))


def test_the_parser_knows_the_fields_of_the_operation_that_was_typed(tmp_path: Path) -> None:
    before = ["run", "portside", "get_container_timeline"]
    wanted = parse(["--home", str(tmp_path), *before, "--container-id", "C1", "--profile", "p"])
    assert wanted.given is not None
    assert (wanted.given["operation"], wanted.given[f"{PREFIX}container_id"], wanted.given["profile"]) == ("get_container_timeline", "C1", "p")
    again = parse(["run", "portside", "--profile", "p", "get_container_timeline", "--container-id=C1"])
    assert again.given is not None
    assert (again.given["operation"], again.given[f"{PREFIX}container_id"]) == ("get_container_timeline", "C1")
    with pytest.raises(Usage, match="unrecognized arguments: --infinite-scrolling"):
        parse([*before, "--infinite-scrolling"])
    with pytest.raises(ConfigError, match="did you mean get_containers"):
        parse(["run", "portside", "get_container"])


def test_the_way_on_is_told_for_a_workflow_that_waits_and_for_no_other() -> None:
    waits = InputMissing("…", operation="book", missing=("truck_plate", "pin"), appointment_session_id="0f", phase=2)
    assert go_on(waits, BOOK, "portside", "work") == "handstamp run portside book --profile work --resume 0f --truck-plate … --pin"
    assert go_on(OperationFailed("…", appointment_session_id="0f", repeatable=False), BOOK, "portside", "default") == ""
    assert go_on(InputMissing("…", missing=("a",)), BOOK, "portside", "default") == ""
