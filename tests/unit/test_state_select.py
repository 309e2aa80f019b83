"""Selecting what belongs to a domain."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from handstamp.state import Cookie, Entry, Part, PartId, PartKind, StorageState, cookie_scope, select


def jar(*cookies: Cookie) -> StorageState:
    parts: dict[str, dict[tuple[str, ...], Entry]] = {}
    for cookie in cookies:
        parts.setdefault(cookie_scope(cookie.domain), {})[cookie.key] = Entry(cookie)
    return StorageState.of(Part(PartId(PartKind.COOKIES, scope), entries) for scope, entries in parts.items())


def storage(*origins: str) -> StorageState:
    return StorageState.of(Part(PartId(PartKind.LOCAL, origin), {("k",): Entry("v")}) for origin in origins)


hosts = st.sampled_from(["example.com", "a.example.com", "b.example.com", "a.a.example.com", "notexample.com", "localhost", "127.0.0.1"])
cookies = st.builds(Cookie, st.sampled_from(["x", "y"]), st.just("v"), hosts, host_only=st.booleans())


def test_a_domain_selects_itself_its_subdomains_and_what_parents_send_to_it() -> None:
    state = jar(
        Cookie("own", "v", "mail.google.com"),
        Cookie("below", "v", "a.mail.google.com"),
        Cookie("parents", "v", "google.com", host_only=False),
        Cookie("parents-own", "v", "google.com"),
        Cookie("siblings", "v", "www.google.com", host_only=False),
        Cookie("other", "v", "notgoogle.com"),
    )
    assert {cookie.name for cookie in select(state, ["mail.google.com"]).cookies()} == {"own", "below", "parents"}


def test_storage_is_selected_by_the_host_of_its_origin() -> None:
    state = storage("https://example.com", "https://app.example.com:8443", "https://notexample.com", "https://example.com^0https://shop.example")
    chosen = {part.scope for part in select(state, ["example.com"]).parts}
    assert chosen == {"https://example.com", "https://app.example.com:8443", "https://example.com^0https://shop.example"}


def test_tombstones_are_selected_like_what_they_delete() -> None:
    cookie = Cookie("sid", "v", "example.com")
    state = StorageState.of([Part(PartId(PartKind.COOKIES, "example.com"), {cookie.key: Entry(None)})], epoch=3)
    assert select(state, ["example.com"]) == state
    assert select(state, ["other.example"]) == StorageState(epoch=3)


@given(st.lists(cookies, max_size=8))
def test_no_domain_list_selects_all_and_an_empty_one_nothing(found: list[Cookie]) -> None:
    state = jar(*found)
    assert select(state, None) is state
    assert not select(state, [])


@given(st.lists(cookies, max_size=8), st.lists(hosts, max_size=3))
def test_selecting_again_changes_nothing_and_adds_nothing(found: list[Cookie], domains: list[str]) -> None:
    state = jar(*found)
    once = select(state, domains)
    assert select(once, domains) == once
    assert set(once.cookies()) <= set(state.cookies())


@given(st.lists(cookies, max_size=8), hosts, hosts)
def test_two_domains_select_what_each_selects(found: list[Cookie], one: str, other: str) -> None:
    state = jar(*found)
    assert set(select(state, [one, other]).cookies()) == set(select(state, [one]).cookies()) | set(select(state, [other]).cookies())
