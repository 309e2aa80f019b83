"""One shape for all answers; what errors tell, and what they do not."""

from __future__ import annotations

import inspect
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator

from handstamp.errors import HandstampError, InputMissing, LeaseHeld, LoginBudgetSpent, LoginFailed, PoolFull, RecipeInvalid, SessionNotFound, Stopping
from handstamp.server import refusals
from handstamp.server.answers import encoded, failure, retry_after
from handstamp.server.bodies import GetSession, body_of
from handstamp.server.documents import document_of, failures, known_errors
from handstamp.server.mistakes import of_fields, of_routing
from handstamp.sites.operation import Run, operation, workflow

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ERRORS = sorted(known_errors(), key=lambda error: error.__name__)


def made(error: type[HandstampError]) -> HandstampError:
    needed = [name for name, one in inspect.signature(error.__init__).parameters.items() if one.kind is one.KEYWORD_ONLY and one.default is one.empty]
    return error("it went wrong", **dict.fromkeys(needed, 3.0))


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_every_error_has_the_shape_and_a_status_that_endpoints_document(error: type[HandstampError]) -> None:
    answer = failure(made(error), now=NOW)
    document = json.loads(answer.body)
    assert (document["success"], document["error"], document["code"]) == (False, "it went wrong", error.code)
    assert answer.status in failures(404, 409, 416, 502, 504, 507)


def test_codes_are_unique() -> None:
    assert len({error.code for error in ERRORS}) == len(ERRORS) > 35


def test_the_page_of_errors_has_those_of_the_server_with_their_status() -> None:
    page = (Path(__file__).parents[2] / "docs" / "errors.md").read_text(encoding="utf-8")
    own = [error for error in ERRORS if error.__module__ == refusals.__name__]
    assert len(own) == 10
    assert [error.code for error in own if f"| `{error.code}` | {error.http_status} |" not in page] == []


def test_facts_of_an_error_are_told() -> None:
    held = failure(LeaseHeld("held", holder="pid 7 on a", since=NOW), now=NOW).body
    assert json.loads(held) == {"success": False, "error": "held", "code": "lease-held", "holder": "pid 7 on a", "since": "2026-03-01T12:00:00Z"}


def test_other_attributes_of_an_error_are_not_told() -> None:
    error = LoginFailed("no")
    vars(error)["password"] = "canary"
    assert b"canary" not in failure(error, now=NOW).body


def test_what_is_missing_comes_with_how_to_go_on() -> None:
    error = InputMissing("Missing required field for Phase 2: truck_plate", missing=("truck_plate",), appointment_session_id="w1", phase=2, operation="make")
    document = json.loads(failure(error, now=NOW, given={"session_id": "s", "is_new_session": True, "debug_bundle_url": None}).body)
    assert document["error"] == "Missing required field for Phase 2: truck_plate"
    assert (document["session_id"], document["is_new_session"], document["appointment_session_id"]) == ("s", True, "w1")
    assert (document["current_phase"], document["missing"], document["debug_bundle_url"]) == (2, ["truck_plate"], None)
    assert document["message"] == "Call again with appointment_session_id and truck_plate; what was given so far is kept for some minutes."


def test_a_session_that_is_not_taken_is_a_wrong_field_and_no_missing_page() -> None:
    assert failure(SessionNotFound("Invalid or expired session_id"), now=NOW).status == 400


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (PoolFull("full", retry_after=7.2), 7.2),
        (LoginBudgetSpent("spent"), 3600.0),
        (LoginBudgetSpent("too soon", until=NOW + timedelta(seconds=30)), 30.0),
        (Stopping("stopping"), 10.0),
        (LoginFailed("blocked", health="blocked", until=NOW + timedelta(minutes=5)), 300.0),
        (LoginFailed("blocked", health="blocked"), 3600.0),
        (LoginFailed("wrong password"), None),
        (InputMissing("missing"), None),
    ],
)
def test_when_to_ask_again(error: HandstampError, seconds: float | None) -> None:
    assert retry_after(error, NOW) == seconds
    header = failure(error, now=NOW).headers.get("Retry-After")
    assert (header is None) is (seconds is None)
    assert header is None or int(header) >= seconds  # type: ignore[operator]


def test_text_of_sites_is_told_whatever_it_is() -> None:
    assert json.loads(encoded({"text": "\ud800 ü \x00"})) == {"text": "\ud800 ü \x00"}


# -- requests -------------------------------------------------------------------------------------------------


class First(BaseModel):
    terminal: str = Field(description="Where.", min_length=2)
    code: SecretStr | None = None


class Second(BaseModel):
    plate: str = Field(alias="truck-plate")
    terminal: str

    @field_validator("plate")
    @classmethod
    def _no_blanks(cls, value: str) -> str:
        if " " in value:
            raise ValueError(f"{value} has blanks")
        return value


class Clash(BaseModel):
    evidence: str


class Gives(BaseModel):
    done: bool


class Same(BaseModel):
    session_id: str


async def one(run: Run, given: First) -> Gives: ...
async def two(run: Run, given: Second) -> Gives: ...
async def clash(run: Run, given: Clash) -> Gives: ...


ONE = operation(gives=Gives)(one)
BOTH = workflow("both", one, two, gives=Gives, about="Both.")


def problems(model: type[BaseModel], given: Any) -> HandstampError:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(given)
    details = caught.value.errors()
    return of_fields([{**detail, "loc": ("body", *detail["loc"])} for detail in details])


def test_an_operations_request_has_its_fields_beside_those_that_all_have() -> None:
    schema = body_of(ONE).model_json_schema()
    assert schema["properties"].keys() >= {"session_id", "username", "password", "captcha_api_key", "keep_alive", "evidence", "terminal", "code"}
    assert "appointment_session_id" not in schema["properties"]
    assert schema["required"] == ["terminal"]
    assert schema["properties"]["terminal"]["description"] == "Where."


def test_a_workflow_takes_any_of_its_fields_and_asks_for_the_rest_later() -> None:
    body = body_of(BOTH)
    assert "required" not in body.model_json_schema()
    call = body.model_validate({"session_id": "s", "truck-plate": "B 1", "appointment_session_id": "w"})
    assert call.given() == {"truck-plate": "B 1"}


def test_what_was_not_given_is_not_handed_on() -> None:
    call = body_of(ONE).model_validate({"terminal": "T1", "keep_alive": False})
    assert call.given() == {"terminal": "T1"}


def test_a_field_that_meets_one_of_ours_is_refused_by_name() -> None:
    with pytest.raises(RecipeInvalid, match="'evidence'"):
        body_of(operation(gives=Gives)(clash))
    with pytest.raises(RecipeInvalid, match="'session_id'"):
        document_of(operation(gives=Same)(one))


def test_missing_fields_are_named() -> None:
    error = problems(GetSession, {"username": "dana"})
    assert isinstance(error, InputMissing)
    assert (str(error), error.missing) == ("Missing required field: password", ("password",))


@pytest.mark.parametrize(
    ("model", "given"),
    [
        (GetSession, {"username": ["canary"], "password": "canary"}),
        (GetSession, {"username": "dana", "password": {"canary": "canary"}}),
        (GetSession, {"username": "dana", "password": "canary" * 999, "canary canary": 1}),
        (GetSession, {"username": "dana", "password": "x", "keep_alive": "canary"}),
        (GetSession, "canary"),
        (Second, {"truck-plate": "canary canary", "terminal": "x"}),
    ],
)
def test_no_value_of_a_request_is_in_what_is_said_of_it(model: type[BaseModel], given: Any) -> None:
    error = problems(model, given)
    assert "canary" not in str(error)
    assert b"canary" not in failure(error, now=NOW).body


def test_not_even_the_name_of_an_unknown_field_is_repeated() -> None:
    error = problems(GetSession, {"username": "dana", "password": "x", "canary": "y", "canary2": 1})
    assert str(error) == "a field is not known here; /docs lists those that are"


@pytest.mark.parametrize(
    ("status", "code"), [(404, "not-found"), (405, "method-not-allowed"), (400, "invalid-request"), (422, "invalid-request"), (500, "unexpected")]
)
def test_what_the_framework_refuses_has_our_codes(status: int, code: str) -> None:
    assert of_routing(status).code == code


@pytest.mark.parametrize(("health", "status"), [("expired", 401), ("unknown", 502), ("blocked", 503)])
def test_a_login_that_failed_says_by_its_status_whose_fault_it_is(health: str, status: int) -> None:
    answer = failure(LoginFailed("the login failed", health=health), now=datetime.now(UTC))
    assert answer.status == status
