"""What an answer of a server comes to."""

from __future__ import annotations

import inspect
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handstamp import errors
from handstamp.errors import HandstampError, InputMissing, LeaseHeld, OperationFailed, PoolFull, ServerError
from handstamp.remote.answers import Answer, document_of, error_of, pause_before_again, seconds_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KINDS = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, HandstampError)]


def answer(status: int, document: object, **headers: str) -> Answer:
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, json.dumps(document).encode())


def error(document: dict[str, object], status: int = 400, **headers: str) -> HandstampError:
    return error_of(answer(status, {"success": False, "error": "it is so", **document}, **headers), url="https://a.example/x", has_token=True)


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_of_ours_comes_back_as_itself(kind: type[HandstampError]) -> None:
    back = error({"code": kind.code}, kind.http_status)
    assert (type(back), str(back)) == (kind, "it is so")


def test_facts_come_along() -> None:
    missing = error({"code": "input-missing", "missing": ["truck_plate"], "appointment_session_id": "a", "current_phase": 2, "debug_bundle_url": "/files/b"})
    assert isinstance(missing, InputMissing)
    assert (missing.missing, missing.appointment_session_id, missing.phase, missing.bundle) == (("truck_plate",), "a", 2, "/files/b")
    failed = error({"code": "operation-failed", "operation": "make_appointment", "repeatable": True, "phase": 3})
    assert isinstance(failed, OperationFailed)
    assert (failed.operation, failed.repeatable, failed.phase, failed.bundle) == ("make_appointment", True, 3, "")
    held = error({"code": "lease-held", "holder": "pid 1 on a", "since": "2026-03-01T12:00:00Z"})
    assert isinstance(held, LeaseHeld)
    assert (held.holder, held.since) == ("pid 1 on a", NOW)
    full = error({"code": "pool-full"}, 429, retry_after="7")
    assert isinstance(full, PoolFull)
    assert full.retry_after == 7.0
    assert error({"code": "pool-full", "retry_after": 8}).retry_after == 8.0
    unknown = error({"code": "of-tomorrow"})
    assert isinstance(unknown, ServerError)
    assert unknown.remote_code == "of-tomorrow"


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)
names = ["success", "error", "code", "missing", "phase", "current_phase", "debug_bundle_url", "retry_after", "since", "until", "holder", "repeatable"]


@given(st.dictionaries(st.sampled_from(names), json_values | st.sampled_from([kind.code for kind in KINDS])), st.integers(200, 599))
def test_whatever_a_server_says_is_a_document_or_an_error_of_ours(said: dict[str, object], status: int) -> None:
    asked = answer(status, said)
    if status < 300 and said.get("success") is not False:
        assert document_of(asked, url="https://a.example/x", has_token=False) == said
    else:
        with pytest.raises(HandstampError, match=r"."):
            document_of(asked, url="https://a.example/x", has_token=False)


@given(st.binary(max_size=200), st.integers(100, 599))
def test_whatever_bytes_come_are_an_error_of_ours(body: bytes, status: int) -> None:
    assert isinstance(error_of(Answer(status, {}, body), url="https://a.example/x", has_token=True), HandstampError)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("5", 5.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Sun, 01 Mar 2026 12:00:09 GMT", 9.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        (None, None),
        ("", None),
        ([], None),
    ],
)
def test_retry_after_is_seconds_or_a_date(said: object, seconds: float | None) -> None:
    assert seconds_of(said, NOW) == seconds


def test_a_date_that_is_over_is_now() -> None:
    assert seconds_of("Sun, 01 Mar 2026 12:00:09 GMT", NOW + timedelta(minutes=1)) == 0.0


def test_only_want_of_room_is_worth_waiting_for() -> None:
    assert pause_before_again(answer(429, {"code": "pool-full"}, retry_after="5")) == 5.0
    assert pause_before_again(answer(429, {"code": "too-many-requests"}, retry_after="5")) == 5.0
    assert pause_before_again(answer(429, {"code": "login-budget-spent"}, retry_after="5")) is None
    assert pause_before_again(answer(503, {"code": "stopping"}, retry_after="5")) == 5.0
    assert pause_before_again(answer(503, {"code": "vault-unavailable"}, retry_after="5")) is None
    assert pause_before_again(answer(503, {"code": []}, retry_after="5")) is None
    assert pause_before_again(answer(429, {"code": "pool-full"})) is None
