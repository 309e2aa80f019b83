"""Readings of databases as entries of parts: what is there, what has gone, what is only unknown."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handstamp.browser.idb import (
    Captured,
    Database,
    Read,
    Restored,
    after_restore,
    changes,
    dump,
    file_changes,
    file_entries,
    not_restored,
    part_of_database,
    seen,
)
from handstamp.browser.idb.captured import captured, captured_files, facts
from handstamp.errors import BrowserError
from handstamp.state import Clock, Loss, Part, merge, observed
from handstamp.state.codec import decode, encode

SCHEMA = ("schema",)


def store(name: str = "kv", *, auto: bool = False) -> dict:
    return {"name": name, "keyPath": None, "autoIncrement": auto, "indexes": []}


def database(*reads: tuple[str, Read], auto: bool = False, version: int = 1) -> Database:
    return Database(version, tuple(store(name, auto=auto) for name, _ in reads), dict(reads))


def record(key: str, name: str = "kv") -> tuple[str, str, str]:
    return ("record", name, key)


class TestChanges:
    def test_a_whole_reading_shows_what_is_there_and_what_has_gone(self) -> None:
        before = {SCHEMA: {}, record("1"): "a", record("2"): "b", ("counter", "kv"): 3}
        values, gone = changes(before, database(("kv", Read({"1": "a", "3": "c"}, counter=4)), auto=True))
        assert values == {SCHEMA: {"version": 1, "stores": [store(auto=True)]}, record("1"): "a", record("3"): "c", ("counter", "kv"): 4}
        assert gone == {record("2")}

    def test_a_reading_of_differences_says_itself_what_has_gone(self) -> None:
        before = {record("1"): "a", record("2"): "b", record("3"): "c"}
        values, gone = changes(before, database(("kv", Read({"3": "new"}, whole=False, gone=frozenset({"2"})))))
        assert values[record("3")] == "new"
        assert gone == {record("2")}

    def test_what_could_not_be_read_this_time_is_neither_there_nor_gone(self) -> None:
        values, gone = changes({record("1"): "a", record("2"): "b"}, database(("kv", Read({}, kept=frozenset({"1"})))))
        assert set(values) == {SCHEMA}
        assert gone == {record("2")}

    def test_a_store_that_was_not_read_is_left_alone_and_one_that_is_no_more_has_gone(self) -> None:
        before = {record("1"): "a", record("1", "unread"): "b", record("1", "dropped"): "c", ("counter", "dropped"): 2, ("counter", "unread"): 5}
        read = Database(2, (store("kv"), store("unread", auto=True)), {"kv": Read({"1": "a"})})
        assert changes(before, read)[1] == {record("1", "dropped"), ("counter", "dropped")}

    def test_a_counter_that_was_not_looked_at_stays_and_one_of_a_store_without_goes(self) -> None:
        before = {("counter", "kv"): 7}
        assert changes(before, database(("kv", Read({})), auto=True))[1] == set()
        assert changes(before, database(("kv", Read({})), auto=False))[1] == {("counter", "kv")}

    def test_of_a_database_that_is_no_more_all_has_gone(self) -> None:
        before = {SCHEMA: {}, record("1"): "a"}
        assert changes(before, None) == ({}, set(before))
        assert seen(before, None) == {}

    def test_what_was_never_seen_in_this_browser_cannot_have_gone_there(self) -> None:
        saved = Part(part_of_database("https://a", "db"), observed(None, part_of_database("https://a", "db"), {record("1"): "a"}, Clock("w")).entries)
        values, gone = changes({}, database(("kv", Read({}))))
        assert not observed(saved, saved.id, values, Clock("w"), gone=gone).entries.keys() & {record("1")}


texts = st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=3)
contents = st.dictionaries(st.sampled_from(["1", "2", '"k"', '["d",5]']), texts, max_size=4)


@given(contents, contents, st.sets(st.sampled_from(["1", "2", '"k"'])))
def test_differences_and_a_whole_reading_lead_to_the_same(before: dict[str, str], after: dict[str, str], unreadable: set[str]) -> None:
    readable = {key: value for key, value in after.items() if key not in unreadable}
    known = seen({}, database(("kv", Read(before))))
    whole = Read(readable, kept=frozenset(unreadable))
    differing = {key: value for key, value in readable.items() if before.get(key) != value}
    parted = Read(differing, whole=False, gone=frozenset(before.keys() - after.keys() - unreadable), kept=frozenset(unreadable))
    assert seen(known, database(("kv", whole))) == seen(known, database(("kv", parted)))


@given(contents, contents)
def test_what_was_observed_merges_into_what_is_there_now(before: dict[str, str], after: dict[str, str]) -> None:
    clock, part_id = Clock("w"), part_of_database("https://a", "db")
    first, gone = changes({}, database(("kv", Read(before))))
    saved = observed(None, part_id, first, clock, gone=gone)
    values, gone = changes(saved.live(), database(("kv", Read(after)), version=2))
    now = merge(saved, observed(saved, part_id, values, clock, gone=gone))
    assert {key[2]: value for key, value in now.live().items() if key[0] == "record"} == after


@given(contents)
def test_a_part_survives_the_vaults_bytes_and_is_dumped_whole(content: dict[str, str]) -> None:
    part_id = part_of_database("https://a", "\ud800 odd")
    part = observed(None, part_id, changes({}, database(("kv", Read(content, counter=3)), auto=True))[0], Clock("w"))
    again = decode(encode(part))
    # A pair of surrogates comes back as the character that it means, which is the same string in a browser.
    same = {key: value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass") for key, value in content.items()}
    made = dump(again.id.name, again.live())
    assert made == {"name": "\ud800 odd", "version": 1, "stores": [{**store(auto=True), "counter": 3, "records": list(same.items())}]}


def test_a_part_without_a_schema_gives_nothing_to_restore() -> None:
    assert dump("db", {record("1"): "a"}) is None


def test_records_of_a_store_that_another_writer_removed_are_not_restored() -> None:
    made = dump("db", {SCHEMA: {"version": 2, "stores": [store("kv")]}, record("1"): "a", record("1", "old"): "b", ("counter", "old"): 2})
    assert made is not None
    assert [(one["name"], one["records"]) for one in made["stores"]] == [("kv", [("1", "a")])]


class TestAfterRestore:
    values = {SCHEMA: {"version": 1, "stores": []}, record("1"): "a", record("2"): "b"}  # noqa: RUF012

    def test_what_did_not_fit_was_never_there(self) -> None:
        assert after_restore(self.values, Restored("restored", "", (("kv", "2", "ConstraintError"),))) == {SCHEMA: self.values[SCHEMA], record("1"): "a"}

    @pytest.mark.parametrize("outcome", ["there", "failed", "pending"])
    def test_what_was_not_restored_was_never_there(self, outcome: str) -> None:
        assert after_restore(self.values, Restored(outcome, "", ())) == {}

    def test_what_is_missing_is_a_loss(self) -> None:
        assert not_restored("https://a", "db", Restored("restored", "", ())) == ()
        assert not_restored("https://a", "db", Restored("restored", "", (("kv", "1", "DataError"), ("kv", "2", "DataError")))) == (
            Loss("record", "https://a, database 'db', store 'kv'", "2 of its records were not given back (DataError)"),
        )


class TestAnswers:
    def test_pieces_of_a_store_are_put_together(self) -> None:
        told = [
            {"database": "db", "version": 3, "stores": [store()]},
            {"database": "db", "store": "kv", "records": [["1", "a"]]},
            {"database": "db", "store": "kv", "whole": True, "records": [["2", "b"]], "gone": [], "kept": ["3"], "counter": 5},
            {"versions": [["db", 3], ["other", 1]], "losses": [], "token": "t", "restored": {"db": {"outcome": "there", "why": "", "failed": []}}},
        ]
        pieces = [json.dumps({"facts": told[:2], "more": True}), json.dumps({"facts": told[2:], "more": False})]
        assert [facts(piece)[1] for piece in pieces] == [True, False]
        assert captured([fact for piece in pieces for fact in facts(piece)[0]], "https://a") == Captured(
            {"db": Database(3, (store(),), {"kv": Read({"1": "a", "2": "b"}, kept=frozenset({"3"}), counter=5)})},
            {"db": 3, "other": 1},
            (),
            "t",
            {"db": Restored("there", "", ())},
        )

    def test_an_answer_without_an_end_is_refused(self) -> None:
        with pytest.raises(BrowserError, match="cut it off"):
            captured([{"database": "db", "version": 3, "stores": []}], "https://a")
        with pytest.raises(BrowserError, match="cut it off"):
            captured_files([{"path": "a", "type": "directory"}], "https://a")

    def test_no_repr_shows_a_value(self) -> None:
        read = Read({"canary-key": "canary"}, gone=frozenset({"canary"}), kept=frozenset({"canary"}))
        assert "canary" not in repr(Captured({"db": database(("kv", read))}, {}, (), "t", {}))
        assert "canary" not in repr(captured_files([{"path": "p", "type": "file", "data": "canary"}, {"listing": [], "losses": []}], "https://a"))


class TestFiles:
    told = [  # noqa: RUF012
        {"path": "a", "type": "directory"},
        {"path": "a/new", "type": "file", "data": "bg=="},
        {"path": "a/same", "type": "file", "same": True},
        {"path": "big", "type": "file", "kept": False},
        {"path": "busy", "type": "file", "kept": True},
        {"listing": ["a"], "losses": [{"what": "opfs-file", "why": "it is bigger than what is kept", "path": "big", "count": 2}]},
    ]

    def test_files_are_there_gone_or_unknown(self) -> None:
        before = {(path,): {"type": "file", "data": ""} for path in ("a/same", "big", "busy", "deleted")}
        values, gone = file_changes(before, captured_files(self.told, "https://a"))
        assert values == {("a",): {"type": "directory"}, ("a/new",): {"type": "file", "data": "bg=="}}
        assert gone == {("big",), ("deleted",)}

    def test_losses_name_place_and_number(self) -> None:
        (loss,) = captured_files(self.told, "https://a").losses
        assert loss == Loss("opfs-file", "https://a, at 'big'", "it is bigger than what is kept (and 1 more like it)")

    def test_folders_come_before_what_is_in_them(self) -> None:
        values = {("a/b",): {"type": "file", "data": ""}, ("a",): {"type": "directory"}}
        assert [entry["path"] for entry in file_entries(values)] == ["a", "a/b"]
