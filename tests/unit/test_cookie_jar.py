"""What a stored cookie changes, what goes when there are too many, and what is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handstamp.state import MAX_PER_DOMAIN, Cookie, PartitionKey, cookie_header, cookies_to_send, evicted, set_cookie, store

if TYPE_CHECKING:
    from handstamp.state import Key

NOW = 1_800_000_000.0
HTTPS = "https://www.example.com/shop/cart"
HTTP = "http://www.example.com/shop/cart"


def jar_of(*cookies: Cookie) -> dict[Key, Cookie]:
    return {cookie.key: cookie for cookie in cookies}


def after(jar: dict[Key, Cookie], line: str, url: str = HTTPS, *, http_api: bool = True) -> dict[Key, Cookie]:
    cookie = set_cookie(line, url, now=NOW, http_api=http_api)
    assert cookie is not None
    return store(jar, cookie, url, now=NOW, http_api=http_api).applied(jar)


def sent(jar: dict[Key, Cookie], url: str = HTTPS) -> str:
    return cookie_header(cookies_to_send(jar.values(), url, now=NOW))


def test_a_later_cookie_replaces_the_one_of_its_key_and_keeps_its_place() -> None:
    jar = after(after(after({}, "a=1"), "b=1"), "a=2")
    assert sent(jar) == "a=2; b=1"


def test_host_only_and_domain_cookies_of_one_name_stand_side_by_side() -> None:
    jar = after(after({}, "a=1; Path=/"), "a=2; Path=/; Domain=www.example.com")
    assert sent(jar) == "a=1; a=2"


def test_an_ended_cookie_deletes_the_one_of_its_key_only() -> None:
    jar = after(after({}, "a=1"), "b=1")
    assert sent(after(jar, "a=; Max-Age=0")) == "b=1"
    assert sent(after(jar, "a=; Max-Age=0; Path=/")) == "a=1; b=1"


def test_an_ended_cookie_that_was_never_there_changes_nothing() -> None:
    cookie = set_cookie("a=; Max-Age=0", HTTPS, now=NOW)
    assert cookie is not None
    outcome = store({}, cookie, HTTPS, now=NOW)
    assert (outcome.cookie, outcome.removed, outcome.refused) == (None, (), "")


def test_storing_decides_and_changes_nothing_itself() -> None:
    jar = after({}, "a=1")
    before = dict(jar)
    after(jar, "a=2")
    assert jar == before


@pytest.mark.parametrize("line", ["sid=evil", "sid=evil; Path=/shop/cart", "sid=evil; Domain=example.com"])
def test_an_open_connection_cannot_shadow_a_secure_cookie(line: str) -> None:
    jar = after({}, "sid=good; Secure; Domain=example.com; Path=/shop")
    attacker = set_cookie(line, HTTP, now=NOW)
    assert attacker is not None
    assert "Secure" in store(jar, attacker, HTTP, now=NOW).refused
    assert sent(after(jar, line, HTTP)) == "sid=good"


def test_an_open_connection_may_set_the_name_where_the_secure_one_is_never_sent() -> None:
    jar = after({}, "sid=good; Secure; Path=/shop")
    assert len(after(jar, "sid=other; Path=/", HTTP)) == 2
    assert len(after(jar, "sid=other", "http://other.example/shop/cart")) == 2


def test_a_secure_page_may_replace_its_secure_cookie_with_an_open_one() -> None:
    assert sent(after(after({}, "sid=1; Secure"), "sid=2")) == "sid=2"


def test_a_script_neither_replaces_nor_deletes_an_http_only_cookie() -> None:
    jar = after({}, "sid=1; HttpOnly")
    assert sent(after(jar, "sid=2", http_api=False)) == "sid=1"
    assert sent(after(jar, "sid=; Max-Age=0", http_api=False)) == "sid=1"
    assert cookies_to_send(jar.values(), HTTPS, now=NOW, http_api=False) == []


def test_longest_path_goes_first_then_the_earlier_one() -> None:
    jar = after(after(after(after({}, "a=1; Path=/"), "b=1; Path=/shop"), "c=1; Path=/shop/cart"), "d=1; Path=/shop")
    assert sent(jar) == "c=1; b=1; d=1; a=1"


@pytest.mark.parametrize(
    ("url", "goes"),
    [
        ("https://www.example.com/shop", True),
        ("https://www.example.com/shop/", True),
        ("https://www.example.com/shopping", False),
        ("https://www.example.com/", False),
        ("https://www.example.com/%73hop", False),
        ("http://www.example.com/shop", False),
        ("https://a.www.example.com/shop", False),
        ("https://example.com/shop", False),
        ("wss://www.example.com/shop", True),
        ("https://www.example.com:8443/shop", True),
    ],
)
def test_where_a_secure_host_only_cookie_goes(url: str, goes: bool) -> None:
    assert bool(sent(after({}, "sid=1; Secure; Path=/shop"), url)) is goes


@pytest.mark.parametrize(("host", "goes"), [("example.com", True), ("a.b.example.com", True), ("notexample.com", False), ("example.com.evil.example", False)])
def test_a_domain_cookie_goes_below_and_nowhere_else(host: str, goes: bool) -> None:
    assert bool(sent(after({}, "sid=1; Domain=example.com; Path=/"), f"https://{host}/")) is goes


def test_an_ended_cookie_is_not_sent() -> None:
    jar = after({}, "sid=1; Max-Age=10")
    assert cookies_to_send(jar.values(), HTTPS, now=NOW + 9) != []
    assert cookies_to_send(jar.values(), HTTPS, now=NOW + 10) == []


@pytest.mark.parametrize(
    ("relation", "method", "names"),
    [
        ("strict", "POST", "strict lax none unsaid"),
        ("lax", "GET", "lax none unsaid"),
        ("lax", "post", "none"),
        ("cross", "GET", "none"),
    ],
)
def test_same_site_holds_back_what_another_site_started(relation: str, method: str, names: str) -> None:
    jar = jar_of(*(Cookie(name.lower() or "unsaid", "v", "www.example.com", secure=True, same_site=name or None) for name in ("Strict", "Lax", "None", "")))  # type: ignore[arg-type]
    found = cookies_to_send(jar.values(), HTTPS, now=NOW, same_site=relation, method=method)  # type: ignore[arg-type]
    assert {cookie.name for cookie in found} == set(names.split())


def test_a_partitioned_cookie_goes_under_its_own_top_level_site_only() -> None:
    line, widget = "sid=1; Secure; Partitioned; SameSite=None", "https://widget.example/"
    embedded = set_cookie(line, widget, now=NOW, partition_site="https://shop.example")
    own = set_cookie(line.replace("1", "2"), widget, now=NOW)
    assert embedded is not None
    assert own is not None
    jar = jar_of(embedded, own)
    assert len(jar) == 2
    assert [cookie.value for cookie in cookies_to_send(jar.values(), widget, now=NOW)] == ["2"]
    assert [cookie.value for cookie in cookies_to_send(jar.values(), widget, now=NOW, top_level_site="https://shop.example")] == ["1"]
    assert cookies_to_send(jar.values(), widget, now=NOW, top_level_site="https://else.example") == []


def test_a_nameless_cookie_is_sent_as_its_value() -> None:
    assert sent(after(after({}, "a=1"), "bare")) == "a=1; bare"
    assert cookie_header([]) == ""


def full_jar(**changes: object) -> dict[Key, Cookie]:
    return jar_of(*(replace(Cookie(f"c{index}", "v", "www.example.com", secure=True), **changes) for index in range(MAX_PER_DOMAIN)))  # type: ignore[arg-type]


def test_a_full_domain_makes_room_for_a_new_cookie_by_its_oldest() -> None:
    jar = full_jar()
    changed = after(jar, "new=1; Secure; Domain=example.com")
    assert len(changed) == MAX_PER_DOMAIN
    assert [key for key in jar if key not in changed] == [next(iter(jar))]


def test_replacing_a_cookie_of_a_full_domain_evicts_nothing() -> None:
    jar = full_jar()
    assert after(jar, "c7=2; Secure; Path=/").keys() == jar.keys()


def test_another_domains_cookies_are_not_counted() -> None:
    jar = full_jar()
    assert len(after(jar, "new=1", "https://other.example/")) == MAX_PER_DOMAIN + 1


def test_a_partition_is_counted_by_itself() -> None:
    assert len(after(full_jar(), "new=1; Secure; Partitioned")) == MAX_PER_DOMAIN + 1


def test_the_order_of_eviction() -> None:
    cookies = [
        Cookie("fresh", "v", "a.example", secure=True),
        Cookie("stale", "v", "a.example", secure=True),
        Cookie("low", "v", "a.example", secure=True, priority="Low"),
        Cookie("open", "v", "a.example", priority="High"),
        Cookie("ended", "v", "a.example", secure=True, expires=NOW, priority="High"),
    ]
    used = {cookies[0].key: NOW, cookies[1].key: NOW - 5, cookies[3].key: NOW + 5}
    order = [[key[2] for key in evicted(jar_of(*cookies), now=NOW, limit=limit, last_used=used)] for limit in (5, 4, 3, 2, 1)]
    assert order == [[], ["ended"], ["ended", "open"], ["ended", "open", "low"], ["ended", "open", "low", "stale"]]


cookies = st.builds(
    Cookie,
    st.text("abc", max_size=2),
    st.just("v"),
    st.sampled_from(["example.com", "www.example.com", "other.example"]),
    host_only=st.booleans(),
    path=st.sampled_from(["/", "/shop"]),
    expires=st.sampled_from([None, NOW - 1, NOW + 1]),
    secure=st.booleans(),
    priority=st.sampled_from(["Low", "Medium", "High"]),
    partition_key=st.none() | st.just(PartitionKey("https://example.com")),
)


@given(st.lists(cookies, max_size=30), st.integers(1, 5))
def test_after_eviction_every_domain_fits_and_no_living_cookie_went_before_an_ended_one(found: list[Cookie], limit: int) -> None:
    jar = jar_of(*found)
    gone = set(evicted(jar, now=NOW, limit=limit))
    left = {key: cookie for key, cookie in jar.items() if key not in gone}
    assert evicted(left, now=NOW, limit=limit) == ()
    for key in gone:
        if not jar[key].expired(NOW):
            mates = [cookie for cookie in left.values() if cookie.domain == jar[key].domain and cookie.partition_key == jar[key].partition_key]
            assert not any(cookie.expired(NOW) for cookie in mates)


@given(st.lists(cookies, max_size=20), cookies)
def test_a_stored_cookie_is_there_and_only_its_own_domain_loses_any(found: list[Cookie], new: Cookie) -> None:
    jar = jar_of(*found)
    outcome = store(jar, new, "https://www.example.com/", now=NOW, limit=3)
    changed = outcome.applied(jar)
    assert (new.key in changed) is not new.expired(NOW)
    assert all(key in changed for key, cookie in jar.items() if cookie.domain.endswith("other.example") != new.domain.endswith("other.example"))
