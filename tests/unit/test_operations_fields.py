"""What an operation takes: what is missing, what is wrong, what is secret."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, strategies
from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from handstamp.errors import InputInvalid, InputMissing
from handstamp.operations import fields
from handstamp.sites.operation import Run, operation, workflow


class Where(BaseModel):
    terminal: str
    move_type: Literal["import", "export"] = "import"


class Truck(BaseModel):
    terminal: str  # the same field as in the phase before
    truck_plate: Annotated[str, Field(min_length=3, alias="plate")]
    day: dt.date | None = None


class Pay(BaseModel):
    card_pin: SecretStr
    access: SecretStr | None = None

    @field_validator("card_pin")
    @classmethod
    def _long(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < 4:
            raise ValueError(f"too short: {value.get_secret_value()}")
        return value


class Done(BaseModel):
    text: str = ""


async def where(run: Run, given: Where) -> None: ...
async def truck(run: Run, given: Truck) -> None: ...
async def pay(run: Run, given: Pay) -> Done: ...


BOOK = workflow("book", where, truck, pay, gives=Done, about="Book.")
ONCE = operation(gives=Done)(where)


def test_fields_are_called_as_callers_call_them_and_each_once() -> None:
    assert list(fields.all_fields(BOOK)) == ["terminal", "move_type", "plate", "day", "card_pin", "access"]


def test_what_is_missing_is_named_with_its_phase() -> None:
    found = fields.read(BOOK.phases[1], {"terminal": "T1"})
    assert (found.model, found.missing, found.problems) == (None, ("plate",), ())
    assert fields.missing_sentence(found.missing, BOOK.phases[1]) == "Missing required field for Phase 2: plate"
    assert fields.missing_sentence(("a", "b"), BOOK.phases[0]) == "Missing required fields for Phase 1: a, b"
    assert fields.missing_sentence(("a",)) == "Missing required field: a"


def test_a_field_that_is_none_was_not_given() -> None:
    assert fields.plain(BOOK, {"terminal": None, "plate": "ZH 1"}) == {"plate": "ZH 1"}
    with pytest.raises(InputMissing, match="Missing required field: terminal"):
        fields.model_of(ONCE, {})


def test_an_unknown_field_is_refused_with_what_comes_near() -> None:
    with pytest.raises(InputInvalid, match=r"book has no field 'termnal'; did you mean terminal\?"):
        fields.plain(BOOK, {"termnal": "T1"})
    with pytest.raises(InputInvalid, match=r"where has no field 'x'; it takes terminal, move_type\."):
        fields.plain(ONCE, {"x": "T1"})


def test_a_value_that_cannot_be_says_what_may_be() -> None:
    with pytest.raises(InputInvalid, match="move_type: input should be 'import' or 'export'") as caught:
        fields.check(BOOK, {"move_type": "sideways", "plate": "Z"})
    assert "plate: string should have at least 3 characters" in str(caught.value)
    assert caught.value.operation == "book"


def test_a_problem_of_a_later_phase_is_told_at_once_and_missing_ones_are_no_problem() -> None:
    fields.check(BOOK, {})
    with pytest.raises(InputInvalid, match="plate"):
        fields.check(BOOK, {"plate": "Z"})


@pytest.mark.parametrize("value", ["123", 99, {"a": "99x99"}])
def test_the_value_of_a_secret_field_is_in_no_message(value: Any) -> None:
    with pytest.raises(InputInvalid) as caught:
        fields.check(BOOK, {"card_pin": value})
    assert str(caught.value) == "card_pin is not what it must be"


def test_a_rule_about_several_fields_says_its_own_sentence_unless_one_is_secret() -> None:
    class Pair(BaseModel):
        first: int
        last: int

        @model_validator(mode="after")
        def _order(self) -> Pair:
            if self.first > self.last:
                raise ValueError("First comes before last")
            return self

    class Hidden(Pair):
        token: str = "t0k"

    for model, said in ((Pair, "first comes before last"), (Hidden, "first, last, token do not go together")):

        async def act(run: Run, given: Any) -> Done: ...

        act.__annotations__["given"] = model
        with pytest.raises(InputInvalid, match=f"^{said}$"):
            fields.check(operation(gives=Done)(act), {"first": 2, "last": 1})


def test_secrets_are_known_by_type_or_name() -> None:
    known = fields.all_fields(BOOK)
    assert {name for name in known if fields.is_secret(name, known[name])} == {"card_pin", "access"}
    for name in ("password", "api_key", "apikey", "otp", "pin", "access_token", "captcha_api_key", "code"):
        assert fields.is_secret(name), name
    for name in ("spinner", "shipping", "container_id", "postcode_area", "keyboard"):
        assert not fields.is_secret(name), name
    assert fields.secret_values(BOOK, {"card_pin": 4711, "plate": "ZH 1"}) == {"4711"}


def test_what_was_given_is_kept_as_json_and_secrets_are_kept_whole() -> None:
    kept = fields.plain(BOOK, {"day": dt.date(2026, 3, 1), "card_pin": SecretStr("4711")})
    assert kept == {"day": "2026-03-01", "card_pin": "4711"}
    assert fields.read(BOOK.phases[2], kept).model == Pay(card_pin=SecretStr("4711"))


def test_what_is_no_json_is_refused_by_name() -> None:
    with pytest.raises(InputInvalid, match="terminal is a object, which cannot be kept"):
        fields.plain(BOOK, {"terminal": object()})


@given(
    strategies.dictionaries(strategies.sampled_from(["terminal", "move_type", "plate", "day"]), strategies.text() | strategies.integers() | strategies.none())
)
def test_whatever_is_given_each_phase_has_a_model_or_says_what_it_lacks(known: dict[str, Any]) -> None:
    for phase in BOOK.phases:
        found = fields.read(phase, fields.plain(BOOK, known))
        assert (found.model is None) == bool(found.missing or found.problems)
        assert set(found.missing) <= set(fields.fields_of(phase)) - {name for name, value in known.items() if value is not None}
