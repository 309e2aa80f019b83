"""The text that goes into a page."""

from __future__ import annotations

import json

from handstamp.browser.idb import capture_call, library, restore_call
from handstamp.browser.idb.scripts import STAGE, staged_calls


def test_the_library_is_one_expression_made_once_in_a_world() -> None:
    assert library() is library()
    assert library().startswith("(globalThis.handstampStorage ??= (() => {\n'use strict';")
    assert library().endswith("})())")


def test_lone_surrogates_and_line_separators_travel_as_escapes() -> None:
    call = restore_call([{"name": "\ud800\u2028</script>", "version": 1, "stores": []}])
    argument = call.removeprefix(f"{library()}.restore(").removesuffix(")")
    assert argument.isascii()
    assert json.loads(argument)[0]["name"] == "\ud800\u2028</script>"


def test_what_is_long_goes_over_in_messages_of_bounded_length() -> None:
    data = [{"name": "db", "text": "\u00e9\ud800" * STAGE}]
    *stages, last = staged_calls("restoreAbsent", data)
    prefix = f"{library()}.stage("
    pieces = [json.loads(stage.removeprefix(prefix).removesuffix(")")) for stage in stages]
    assert json.loads("".join(pieces)) == data
    assert max(map(len, pieces)) == STAGE
    assert last == f"{library()}.restoreAbsent({library()}.take())"


def test_a_reading_says_what_it_wants() -> None:
    call = capture_call([("db", ["a"]), ("all", None)], known="token", counters="all", open_within=1.5)
    assert json.loads(call.removeprefix(f"{library()}.capture(").removesuffix(")")) == {
        "databases": [["db", ["a"]], ["all", None]],
        "known": "token",
        "counters": "all",
        "openWithin": 1.5,
        "mostOfRecord": 64 << 20,
        "mostOfDatabase": 256 << 20,
    }
    assert '"databases":null' in capture_call()
