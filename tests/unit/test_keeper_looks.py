"""What a look brings back lies behind what others saved since."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from handstamp.keeper.looks import changed_by
from handstamp.state import Clock, Cookie, Entry, Part, PartId, PartKind, Stamp, StorageState, merge

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PART = PartId(PartKind.COOKIES, "portside.example")
SID = Cookie("sid", "one", "portside.example", host_only=True)
SENT = StorageState.of([Part(PART, {SID.key: Entry(SID, Stamp(1000, 3, "login"))})], epoch=2)


def change(cookie: Cookie) -> Part:
    state = changed_by(SENT, [cookie], Clock("look"), now=NOW)
    assert state.epoch == 2
    return state.parts[PART]


def value(part: Part) -> str | None:
    entry = part.entries[SID.key].value
    return None if entry is None else str(entry.value)


GONE = replace(SID, value="", expires=0.0)


def test_a_new_id_takes_the_place_of_the_one_that_was_sent() -> None:
    assert value(merge(SENT.parts[PART], change(replace(SID, value="two")))) == "two"


def test_a_deletion_takes_away_what_was_sent() -> None:
    assert value(merge(SENT.parts[PART], change(GONE))) is None


def test_neither_touches_what_a_login_saved_meanwhile() -> None:
    login = Part(PART, {SID.key: Entry(replace(SID, value="new login"), Stamp(1001, 0, "other"))})
    assert value(merge(login, change(replace(SID, value="two")))) == "new login"
    assert value(merge(login, change(GONE))) == "new login"


def test_a_deletion_does_not_touch_a_newer_id_that_another_look_got() -> None:
    rotated = merge(SENT.parts[PART], change(replace(SID, value="two")))
    assert value(merge(rotated, change(GONE))) == "two"


def test_what_did_not_change_is_no_change() -> None:
    assert not changed_by(SENT, [SID], Clock("look"), now=NOW)
