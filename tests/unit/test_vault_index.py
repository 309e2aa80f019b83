"""Names of rows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handstamp.state import Cookie, Entry, Part, PartId, PartKind, StorageState, cookie_scope, select
from handstamp.vault.index import Index

INDEX = Index(b"i" * 32)
hosts = st.sampled_from(
    ["example.com", "app.example.com", "a.b.example.com", "shop.co.uk", "co.uk", "localhost", "o1.localhost", "127.0.0.1", "::1", "me.github.io", "Example.COM"]
)


def host_part(host: str) -> PartId:
    return PartId(PartKind.LOCAL, f"https://[{host}]" if ":" in host else f"https://{host}:8443")


@given(hosts, hosts, st.booleans())
def test_the_buckets_of_a_domain_hold_every_part_that_belongs_to_it(kept: str, wanted: str, host_only: bool) -> None:
    cookie = Cookie("n", "v", kept.lower(), host_only=host_only)
    parts = [Part(PartId(PartKind.COOKIES, cookie_scope(kept)), {cookie.key: Entry(cookie)}), Part(host_part(kept), {("k",): Entry("v")})]
    buckets = INDEX.buckets("work", [wanted])
    for part_id in select(StorageState.of(parts), [wanted]).parts:
        assert buckets is None or INDEX.bucket("work", part_id) in buckets


def test_a_domain_asks_for_few_buckets() -> None:
    assert len(INDEX.buckets("work", ["a.b.example.com", "example.com"]) or ()) == 2
    assert INDEX.bucket("work", host_part("elsewhere.test")) not in (INDEX.buckets("work", ["example.com"]) or ())


@pytest.mark.parametrize("domain", ["localhost", "com", ""])
def test_a_single_label_may_be_the_end_of_any_name(domain: str) -> None:
    assert INDEX.buckets("work", [domain]) is None


def test_names_differ_by_profile_part_and_key() -> None:
    part, other = PartId(PartKind.LOCAL, "https://a.example"), PartId(PartKind.SESSION, "https://a.example")
    names = {INDEX.part("one", part), INDEX.part("two", part), INDEX.part("one", other), Index(b"j" * 32).part("one", part)}
    assert len(names) == 4
    assert {len(name) for name in names} == {16}


def test_words_do_not_run_together() -> None:
    assert INDEX.secret("ab", "c", "d") != INDEX.secret("a", "bc", "d")


def test_a_name_with_lone_surrogates_has_a_row() -> None:
    assert INDEX.part("work", PartId(PartKind.IDB, "https://a.example", "db\ud800"))
