"""The http-state working group's vectors, read as RFC 6265bis reads them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from handstamp.state import cookie_date, cookie_header, cookies_to_send, set_cookie, store

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors"
NOW = datetime(2026, 1, 1, tzinfo=UTC).timestamp()

pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason=f"no conformance vectors at {VECTORS}")


def load(name: str) -> Any:
    path = VECTORS / name
    return json.loads(path.read_text()) if path.exists() else {"cases": []}


BIS = load("http_state_rfc6265bis.json")
# A NUL or a line end cannot come in a header field; the old expectation for them is that of a parser of raw bytes.
CASES = [case for case in load("http_state.json")["cases"] if not any(control in line for control in "\0\r\n" for line in case["steps"][0]["set_cookie"])]
DATES = load("http_state_dates.json")["cases"]


def expectations(case: dict[str, Any], step: int) -> set[str]:
    old = case["steps"][step]["expect"] or ""
    newer = BIS.get(case["id"], {})
    new = newer.get("expect", {}).get(str(step), old)
    return {old, new} if newer.get("contested") else {new}


def test_all_cases_that_can_go_over_a_wire_are_here() -> None:
    assert len(CASES) == 220
    assert len(DATES) > 60


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"].removeprefix("http-state/"))
def test_the_cookie_header_is_the_expected_one(case: dict[str, Any]) -> None:
    jar: dict[tuple[str, ...], Any] = {}
    for index, step in enumerate(case["steps"]):
        if step["op"] == "receive":
            for line in step["set_cookie"]:
                cookie = set_cookie(line, step["url"], now=NOW)
                jar = store(jar, cookie, step["url"], now=NOW).applied(jar) if cookie else jar
        else:
            assert cookie_header(cookies_to_send(jar.values(), step["url"], now=NOW)) in expectations(case, index)


@pytest.mark.parametrize("case", DATES, ids=lambda case: case["id"].rpartition("/")[2])
def test_the_date_is_the_expected_one(case: dict[str, Any]) -> None:
    seconds = cookie_date(case["input"])
    assert (seconds if seconds is None else format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True)) == case["expected"]
