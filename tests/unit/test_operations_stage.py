"""Where a workflow stands and goes on. Every stage, whatever was given before and is corrected now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, strategies
from pydantic import BaseModel

from handstamp.errors import OperationFailed, WorkflowEnded
from handstamp.operations import stage
from handstamp.sites.operation import Run, workflow
from handstamp.vault import Waiting


class One(BaseModel):
    a: int


class Two(BaseModel):
    a: int
    b: int = 0


class Three(BaseModel):
    c: int


async def one(run: Run, given: One) -> None: ...
async def two(run: Run, given: Two) -> None: ...
async def three(run: Run, given: Three) -> One: ...


ONCE = workflow("book", one, two, three, gives=One, about="")
AGAIN = workflow("book", one, two, three, gives=One, about="", repeatable=True)
ID = "0" * 32


def _waiting(phase: int, *, ended: bool = False, **known: Any) -> Waiting:
    return Waiting(ID, "s1", "book", phase, known, datetime(2026, 3, 1, 12, tzinfo=UTC), ended=ended)


def _refusal(waiting: Waiting | None, session_id: str = "s1") -> Any:
    return stage.refusal(ONCE, waiting, workflow_id=ID, session_id=session_id)


def test_one_that_waits_goes_on_in_each_of_its_phases() -> None:
    assert [_refusal(_waiting(phase)) for phase in range(3)] == [None] * 3


def test_why_one_does_not_go_on_is_told() -> None:
    reasons = {
        "does not wait: it is over, or there never was one": _refusal(None),
        "had its time until 2026-03-01 12:00:00Z": _refusal(_waiting(1, ended=True)),
    }
    for why, error in reasons.items():
        assert isinstance(error, WorkflowEnded)
        assert str(error) == f"workflow {ID} {why}; begin book again without it"
        assert error.repeatable


def test_one_that_is_done_or_somebody_elses_is_not_to_be_begun_again() -> None:
    other = stage.refusal(workflow("look", one, two, gives=One, about=""), _waiting(1), workflow_id=ID, session_id="s1")
    reasons = {
        "is done: book has ended well. Begun again it would be done twice": _refusal(_waiting(stage.done(ONCE))),
        "is another session's; go on with it there": _refusal(_waiting(1), "s2"),
        "is one of book; go on with it by that name": other,
    }
    for why, error in reasons.items():
        assert isinstance(error, WorkflowEnded)
        assert (str(error), error.repeatable) == (f"workflow {ID} {why}", False)


def test_one_that_is_done_may_be_begun_again_where_doing_it_twice_does_no_more() -> None:
    error = stage.refusal(AGAIN, _waiting(stage.done(AGAIN)), workflow_id=ID, session_id="s1")
    assert error is not None
    assert (str(error), error.repeatable) == (f"workflow {ID} is done: book has ended well; begin book again without it", True)


def test_a_last_phase_that_was_begun_is_never_begun_again_also_when_the_time_is_over() -> None:
    for ended in (False, True):
        error = _refusal(_waiting(stage.begun(ONCE), ended=ended))
        assert isinstance(error, OperationFailed)
        assert error.repeatable is False
    assert isinstance(_refusal(_waiting(stage.begun(ONCE)), "s2"), WorkflowEnded)  # nobody else is told of it


def test_only_the_last_phase_of_what_is_not_repeatable_is_once_only() -> None:
    assert [stage.is_once_only(ONCE, number) for number in range(3)] == [False, False, True]
    assert [stage.is_once_only(AGAIN, number) for number in range(3)] == [False] * 3


def test_the_same_value_written_in_another_way_is_no_correction() -> None:
    assert stage.first_phase(ONCE, _waiting(1, a=1), {"a": "1"}, has_page=True) == 1
    assert stage.first_phase(ONCE, _waiting(2, a=1), {"a": 1, "b": 0}, has_page=True) == 2  # what it was by default


_values = strategies.fixed_dictionaries({"a": strategies.integers(0, 2)}, optional={"b": strategies.integers(0, 2), "c": strategies.integers(0, 2)})


@given(phase=strategies.integers(0, 2), before=_values, new=_values, has_page=strategies.booleans())
def test_it_goes_on_where_it_stopped_or_from_the_first_phase_and_the_latter_when_an_earlier_phase_saw_other_values(
    phase: int, before: dict[str, int], new: dict[str, int], *, has_page: bool
) -> None:
    known = {**before, **new}
    start = stage.first_phase(ONCE, _waiting(phase, **before), known, has_page=has_page)
    seen = [{"a"}, {"a", "b"}, {"c"}][:phase]
    corrected = any(before.get(name, 0) != known.get(name, 0) for names in seen for name in names)
    assert start == (phase if has_page and not corrected else 0)
