"""What merging promises, as properties over any two or three writers."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from handstamp.state import Clock, Cookie, Entry, Part, PartId, PartKind, Stamp, StorageState, merge, merge_states, observed

if TYPE_CHECKING:
    from handstamp.state import Key

LOCAL = PartId(PartKind.LOCAL, "https://app.example")
COOKIES = PartId(PartKind.COOKIES, "app.example")

stamps = st.builds(Stamp, st.integers(0, 3), st.integers(0, 2), st.sampled_from(["", "a", "b"]))
keys = st.tuples(st.sampled_from(["token", "theme", "length", "", "__proto__"]))
texts = st.sampled_from(["", "1", "2", "\ud800"])
cookies = st.builds(Cookie, st.just("sid"), texts, st.just("app.example"), expires=st.sampled_from([None, 1.0, 2.0]), secure=st.booleans())


def parts_of(part_id: PartId, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Part]:
    entries = st.dictionaries(keys, st.builds(Entry, st.none() | values, stamps), max_size=5)
    return st.builds(Part, st.just(part_id), entries)


local_parts = parts_of(LOCAL, texts)
any_parts = local_parts | parts_of(COOKIES, cookies)
local_values = st.dictionaries(keys, texts, max_size=5)
states = st.builds(
    lambda local, jar, epoch: StorageState.of([local, jar], epoch=epoch),
    local_parts,
    parts_of(COOKIES, cookies),
    st.integers(0, 3),
)


@given(st.one_of(st.tuples(local_parts, local_parts), st.tuples(*[parts_of(COOKIES, cookies)] * 2)))
def test_merging_does_not_depend_on_who_comes_first(pair: tuple[Part, Part]) -> None:
    one, other = pair
    assert merge(one, other) == merge(other, one)


@given(local_parts, local_parts, local_parts)
def test_merging_does_not_depend_on_how_writers_are_grouped(one: Part, two: Part, three: Part) -> None:
    assert merge(merge(one, two), three) == merge(one, merge(two, three))


@given(any_parts)
def test_merging_again_changes_nothing(part: Part) -> None:
    assert merge(part, part) is part


@given(local_parts, local_parts)
def test_merging_what_was_merged_already_changes_nothing(one: Part, two: Part) -> None:
    both = merge(one, two)
    assert merge(both, one) is both
    assert merge(both, two) is both


@given(local_parts, local_parts)
def test_no_key_is_lost(one: Part, two: Part) -> None:
    assert merge(one, two).entries.keys() == one.entries.keys() | two.entries.keys()


@given(local_parts, local_parts)
def test_the_later_entry_of_a_key_wins(one: Part, two: Part) -> None:
    for key, entry in merge(one, two).entries.items():
        known = [part.entries[key] for part in (one, two) if key in part.entries]
        assert entry in known
        assert (entry.stamp.time, entry.stamp.counter) == max((other.stamp.time, other.stamp.counter) for other in known)


@given(local_parts)
def test_at_the_same_time_the_deletion_wins(part: Part) -> None:
    gone = Part(part.id, {key: Entry(None, replace(entry.stamp, writer="")) for key, entry in part.entries.items()})
    assert merge(part, gone).live() == {}
    assert merge(gone, part).live() == {}


def test_at_the_same_time_the_higher_writer_wins() -> None:
    low, high = Part(LOCAL, {("k",): Entry("z", Stamp(1, 0, "a"))}), Part(LOCAL, {("k",): Entry("a", Stamp(1, 0, "b"))})
    assert merge(low, high).live() == merge(high, low).live() == {("k",): "a"}


def test_cookies_of_one_stamp_that_differ_in_their_end_only_merge_alike_in_any_order() -> None:
    short, long = (Part(COOKIES, {("k",): Entry(Cookie("k", "v", "app.example", expires=end), Stamp(1))}) for end in (1.0, 2.0))
    assert merge(short, long) == merge(long, short)


@given(states, states, states)
def test_states_merge_alike_in_any_order_of_arrival(one: StorageState, two: StorageState, three: StorageState) -> None:
    merged = [merge_states(merge_states(a, b), c) for a, b, c in permutations((one, two, three))]
    assert all(other == merged[0] for other in merged)


@given(states, states)
def test_the_higher_epoch_stays(one: StorageState, two: StorageState) -> None:
    assert merge_states(one, two).epoch == max(one.epoch, two.epoch)


@given(local_parts, local_values, st.sets(keys))
def test_what_an_observer_saw_wins_over_what_it_started_from(base: Part, values: dict[Key, str], gone: set[Key]) -> None:
    change = observed(base, LOCAL, values, Clock("me", wall=lambda: 0), gone=gone)
    after = merge(base, change).live()
    untouched = {key: value for key, value in base.live().items() if key not in gone}
    assert after == untouched | values


@given(local_parts, local_values)
def test_absence_alone_deletes_nothing(base: Part, values: dict[Key, str]) -> None:
    change = observed(base, LOCAL, values, Clock("me", wall=lambda: 0))
    assert not any(entry.deleted for entry in change.entries.values())
    assert base.live().keys() <= merge(base, change).live().keys()


@given(local_parts)
def test_what_did_not_change_is_no_change(base: Part) -> None:
    assert observed(base, LOCAL, base.live(), Clock("me")).entries == {}


@given(local_parts, local_values, local_values)
def test_two_observers_of_different_keys_lose_no_update(base: Part, mine: dict[Key, str], theirs: dict[Key, str]) -> None:
    theirs = {key: value for key, value in theirs.items() if key not in mine}
    one = observed(base, LOCAL, mine, Clock("one", wall=lambda: 5))
    two = observed(base, LOCAL, theirs, Clock("two", wall=lambda: 5))
    for first, second in ((one, two), (two, one)):
        assert merge(merge(base, first), second).live() == base.live() | mine | theirs


def test_an_older_token_never_replaces_a_rotated_one() -> None:
    clock = Clock("fast", wall=lambda: 100)
    base = observed(None, LOCAL, {("token",): "first"}, clock)
    rotated = merge(base, observed(base, LOCAL, {("token",): "second"}, clock))
    late_saver = observed(base, LOCAL, {("token",): "first", ("theme",): "dark"}, Clock("slow", wall=lambda: 10_000))
    assert merge(rotated, late_saver).live() == {("token",): "second", ("theme",): "dark"}


def test_a_logout_survives_a_late_save_of_what_was_loaded_before() -> None:
    base = observed(None, LOCAL, {("token",): "first"}, Clock("one", wall=lambda: 1))
    logged_out = merge(base, observed(base, LOCAL, {}, Clock("two", wall=lambda: 2), gone=[("token",)]))
    late = observed(base, LOCAL, {("token",): "first"}, Clock("one", wall=lambda: 3))
    assert merge(logged_out, late).live() == {}


def test_an_observer_whose_clock_stands_an_hour_back_still_wins_over_what_it_loaded() -> None:
    base = observed(None, LOCAL, {("token",): "first"}, Clock("one", wall=lambda: 3_600_000))
    change = observed(base, LOCAL, {("token",): "second"}, Clock("two", wall=lambda: 0))
    assert merge(base, change).live() == {("token",): "second"}


def test_a_key_that_comes_back_after_its_deletion_is_there_again() -> None:
    clock = Clock("one", wall=lambda: 1)
    base = observed(None, LOCAL, {("token",): "first"}, clock)
    gone = merge(base, observed(base, LOCAL, {}, clock, gone=[("token",)]))
    assert gone.live() == {}
    assert merge(gone, observed(gone, LOCAL, {("token",): "first"}, clock)).live() == {("token",): "first"}
