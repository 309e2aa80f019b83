"""What an exception in an operation is called for whoever called it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import Any, cast

import pytest
from playwright.async_api import Error
from playwright.async_api import TimeoutError as PlaywrightTimeout
from pydantic import BaseModel

from handstamp.errors import (
    BrowserGone,
    HandstampError,
    InputInvalid,
    LoginRequired,
    OperationFailed,
    OperationRefused,
    VaultFull,
    WorkflowEnded,
)
from handstamp.operations.failures import failure, wrong_result
from handstamp.operations.outcome import Outcome
from handstamp.sites.operation import Run, operation

UNKNOWN = "it is not known whether the site has done it. Look there before you call it again"


class Nothing(BaseModel):
    pass


class Some(Nothing):
    value: Any


@operation(gives=Nothing)
async def pay(_: Run, given: Nothing) -> Nothing:
    return given


@dataclass
class Page:
    """As much of Playwright's as is asked."""

    closed: bool = False

    def is_closed(self) -> bool:
        return self.closed


def _told(error: Exception, *, closed: bool = False, once_only: bool = False) -> HandstampError:
    return failure(error, cast("Any", Page(closed)), pay, once_only=once_only, phase=3)


@pytest.mark.parametrize("once_only", [True, False])
@pytest.mark.parametrize("error", [OperationRefused("sold out"), InputInvalid("plate: no such truck")])
def test_a_refusal_is_one_also_where_things_are_done_once(error: Any, *, once_only: bool) -> None:
    told: Any = _told(error, once_only=once_only)
    assert (type(told), str(told), told.operation, told.phase, told.repeatable) == (type(error), str(error), "pay", 3, True)


@pytest.mark.parametrize(
    ("error", "closed"),
    [(Error("Target crashed"), False), (Error("Target page, context or browser has been closed"), False), (ValueError("x"), True), (BrowserGone("x"), False)],
)
def test_an_end_of_the_browser_is_told_apart_by_whether_it_may_be_repeated(error: Exception, *, closed: bool) -> None:
    assert isinstance(_told(error, closed=closed), BrowserGone)
    told: Any = _told(error, closed=closed, once_only=True)
    assert (type(told), told.repeatable, told.phase) == (OperationFailed, False, 3)
    assert str(told) == f"pay was cut off (the browser ended): {UNKNOWN}"


@pytest.mark.parametrize("error", [KeyError("a value"), PlaywrightTimeout("a value"), LoginRequired("a value"), WorkflowEnded("a value"), VaultFull("a value")])
def test_what_is_done_once_and_fails_for_whatever_reason_is_in_doubt(error: Exception) -> None:
    told: Any = _told(error, once_only=True)
    assert (type(told), told.repeatable) == (OperationFailed, False)
    assert str(told) == f"pay was cut off ({type(error).__name__}): {UNKNOWN}"


def test_an_authors_own_sentence_is_kept_and_the_doubt_put_to_it_where_they_did_not() -> None:
    early: Any = _told(OperationFailed("no row is there"))  # where everything may be repeated, that need not be said
    assert (str(early), early.repeatable) == ("no row is there", True)
    assert str(_told(OperationFailed("no answer came"), once_only=True)) == f"no answer came: {UNKNOWN}"
    thought: Any = _told(OperationFailed("no answer came; look into the list", repeatable=False), once_only=True)
    assert (str(thought), thought.repeatable) == ("no answer came; look into the list", False)


def test_what_its_author_says_was_not_sent_yet_may_be_done_again() -> None:
    told: Any = _told(OperationFailed("the session has ended before the form was sent", repeatable=True), once_only=True)
    assert (str(told), told.repeatable) == ("the session has ended before the form was sent", True)
    gone: Any = _told(OperationFailed("the form did not open", repeatable=True), closed=True, once_only=True)
    assert gone.repeatable is False  # its page is gone: who knows what its author could see


@pytest.mark.parametrize(
    "error", [KeyError("a value"), Error("a value\nCall log: fill('a value')"), PlaywrightTimeout("a value"), ExceptionGroup("a value", [OSError()])]
)
def test_the_words_of_other_errors_are_not_handed_on(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        told: Any = _told(error)
    assert isinstance(told, OperationFailed)
    assert told.repeatable
    assert "a value" not in str(told) + caplog.text
    assert type(error).__name__ in str(told)


@pytest.mark.parametrize("error", [LoginRequired("log in"), VaultFull("full")])
def test_errors_of_ours_stay_what_they_are(error: HandstampError) -> None:
    assert _told(error) is error


def test_a_result_of_another_kind_or_that_is_no_json_is_the_packages_fault() -> None:
    for result, said in (({"a": 1}, "gave a dict instead of a Nothing"), (Some.model_construct(value=object()), "gave a Some that JSON cannot say")):
        told = wrong_result(pay, result, phase=2)
        assert told is not None
        assert (told.repeatable, told.phase) == (False, 2)
        assert said in str(told)
    assert wrong_result(pay, Some(value=1)) is None


def test_a_number_that_json_has_no_form_for_is_null() -> None:
    assert Outcome(Some(value=[float("nan"), {"far": float("-inf")}, 1.5])).facts() == {"value": [None, {"far": None}, 1.5]}


def test_who_only_logs_in_loads_nothing_of_this() -> None:
    code = "import sys, handstamp, handstamp.cli.parser, handstamp.operations, handstamp.sites; print({'pydantic', 'PIL', 'xlsxwriter'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
