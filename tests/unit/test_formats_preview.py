"""What an import would change."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from handstamp.formats import preview
from handstamp.state import Cookie, Entry, Part, PartId, PartKind, Stamp, StorageState, merge_states

LOCAL = PartId(PartKind.LOCAL, "https://a.example")
entries = st.dictionaries(
    st.tuples(st.sampled_from("abcd")), st.builds(Entry, st.none() | st.sampled_from(["canary1", "canary2"]), st.builds(Stamp, st.integers(0, 3))), max_size=4
)
states = entries.map(lambda found: StorageState.of([Part(LOCAL, found)]))


def of(*cookies: Cookie, time: int) -> StorageState:
    return StorageState.of([Part(PartId(PartKind.COOKIES, "a.example"), {cookie.key: Entry(cookie, Stamp(time)) for cookie in cookies})])


def test_each_cookie_is_new_changed_or_the_same() -> None:
    current = of(Cookie("a", "canary", "a.example"), Cookie("b", "canary", "a.example"), time=1)
    incoming = of(Cookie("a", "canary", "a.example"), Cookie("b", "other", "a.example"), Cookie("c", "canary", "a.example", path="/x"), time=2)
    found = preview(current, incoming)
    assert [(change.kind, change.name) for change in found.changes] == [("same", "a (a.example)"), ("changed", "b (a.example)"), ("new", "c (a.example/x)")]
    assert "canary" not in repr(found)
    assert bool(found)


def test_what_is_there_and_newer_is_kept() -> None:
    found = preview(of(Cookie("a", "new", "a.example"), time=2), of(Cookie("a", "old", "a.example"), time=1))
    assert [change.kind for change in found.changes] == ["kept"]
    assert not found


@given(states, states)
def test_the_preview_foretells_the_merge(current: StorageState, incoming: StorageState) -> None:
    before, after = current.local_storage("https://a.example"), merge_states(current, incoming).local_storage("https://a.example")
    found = preview(current, incoming)
    assert {change.name for change in found.of("new")} == after.keys() - before.keys()
    assert {change.name for change in found.of("removed")} == before.keys() - after.keys()
    assert {change.name for change in found.of("changed")} == {name for name in before.keys() & after.keys() if before[name] != after[name]}
    assert bool(found) is (before != after)
    assert "canary" not in repr(found)
