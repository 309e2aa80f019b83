"""One Set-Cookie line: what it sets, and why it is ignored."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handstamp.state import Cookie, PartitionKey, set_cookie

NOW = 1_800_000_000.0
DAY = 86_400.0
HTTPS = "https://www.example.com/shop/cart"
HTTP = "http://www.example.com/shop/cart"
LOCAL = "http://localhost:8900/"


def cookie(line: str, url: str = HTTPS, *, http_api: bool = True, partition_site: str | None = None) -> Cookie:
    found = set_cookie(line, url, now=NOW, http_api=http_api, partition_site=partition_site)
    assert found is not None
    return found


def ignored(line: str, url: str = HTTPS, *, http_api: bool = True) -> bool:
    return set_cookie(line, url, now=NOW, http_api=http_api) is None


def test_a_bare_pair_is_a_session_cookie_of_its_host_and_folder() -> None:
    assert cookie("sid=1") == Cookie("sid", "1", "www.example.com", path="/shop", source_scheme="Secure", source_port=443)


def test_every_attribute_is_read_whatever_its_case() -> None:
    line = "sid=1; DOMAIN=.Example.com; path=/; secure; HTTPONLY; samesite=nONE; Partitioned; priority=hIGH; Max-Age=60"
    assert cookie(line) == Cookie(
        "sid",
        "1",
        "example.com",
        host_only=False,
        expires=NOW + 60,
        secure=True,
        http_only=True,
        same_site="None",
        partition_key=PartitionKey("https://example.com"),
        priority="High",
        source_scheme="Secure",
        source_port=443,
    )


@pytest.mark.parametrize(
    ("attributes", "expires"),
    [
        ("Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", NOW + 60),
        ("Max-Age=60; Max-Age=soon", NOW + 60),
        ("Max-Age=soon", None),
        ("Max-Age=", None),
        ("Max-Age=+60", None),
        ("Max-Age=0", 0.0),
        ("Max-Age=-5", 0.0),
        ("Max-Age=000000000000000000060", NOW + 60),
        ("Max-Age=" + "9" * 1000, NOW + 400 * DAY),
        ("Expires=Fri, 31 Dec 9999 23:59:59 GMT", NOW + 400 * DAY),
        ("Expires=Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Expires=Mon, 01 Jan 1601 00:00:00 GMT", 0.0),
        ("Expires=Sat, 16 Jan 2027 08:00:00 GMT; Expires=never", NOW + DAY),
        ("Expires=never", None),
    ],
)
def test_the_end_of_a_cookie(attributes: str, expires: float | None) -> None:
    assert cookie(f"sid=1; {attributes}").expires == expires


def test_an_ended_cookie_is_handed_over_as_such_so_that_it_deletes() -> None:
    assert cookie("sid=; Max-Age=0").expired(NOW)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("", "/shop"), ("/", "/"), ("/account", "/account"), ("account", "/shop"), ("/" + "x" * 1023, "/" + "x" * 1023), ("/" + "x" * 1024, "/shop")],
)
def test_a_path_that_is_none_or_too_long_is_the_requests_folder(path: str, expected: str) -> None:
    assert cookie(f"sid=1; Path={path}").path == expected


@pytest.mark.parametrize(
    ("domain", "url", "expected"),
    [
        ("example.com", HTTPS, ("example.com", False)),
        ("www.example.com", HTTPS, ("www.example.com", False)),
        ("", HTTPS, ("www.example.com", True)),
        ("localhost", LOCAL, ("localhost", True)),
        ("github.io", "https://github.io/", ("github.io", True)),
        ("127.0.0.1", "http://127.0.0.1/", ("127.0.0.1", True)),
        ("", "http://[::1]:80/", ("[::1]", True)),
        ("", "https://Straße.example/", ("xn--strae-oqa.example", True)),
        ("xn--strae-oqa.example", "https://www.straße.example/", ("xn--strae-oqa.example", False)),
    ],
)
def test_the_domain_of_a_cookie(domain: str, url: str, expected: tuple[str, bool]) -> None:
    found = cookie(f"sid=1; Domain={domain}", url)
    assert (found.domain, found.host_only) == expected


@pytest.mark.parametrize(
    ("domain", "url"),
    [
        ("other.example", HTTPS),
        ("shop.www.example.com", HTTPS),
        ("xample.com", HTTPS),
        ("com", HTTPS),
        ("github.io", "https://me.github.io/"),
        ("localhost", "http://app.localhost/"),
        ("0.0.1", "http://127.0.0.1/"),
        ("straße.example", "https://www.straße.example/"),
        ("[::1]", "http://localhost/"),
    ],
)
def test_a_cookie_for_a_domain_that_is_not_the_hosts_own_is_ignored(domain: str, url: str) -> None:
    assert ignored(f"sid=1; Domain={domain}", url)


@pytest.mark.parametrize("url", ["about:blank", "data:text/plain,x", "file:///tmp/x", "https://[broken", "https://example.com:port/", ""])
def test_a_url_without_a_host_sets_no_cookie(url: str) -> None:
    assert ignored("sid=1", url)


@pytest.mark.parametrize(
    ("url", "scheme", "port"),
    [
        (HTTPS, "Secure", 443),
        (HTTP, "NonSecure", 80),
        ("wss://example.com:9/", "Secure", 9),
        ("ws://example.com/", "NonSecure", 80),
        (LOCAL, "NonSecure", 8900),
    ],
)
def test_where_it_came_from_is_kept(url: str, scheme: str, port: int) -> None:
    assert (cookie("sid=1", url).source_scheme, cookie("sid=1", url).source_port) == (scheme, port)


@pytest.mark.parametrize("url", [LOCAL, "http://app.localhost/", "http://127.8.8.8/", "http://[::1]/"])
def test_a_secure_cookie_may_come_from_this_machine_without_tls(url: str) -> None:
    assert cookie("sid=1; Secure", url).source_scheme == "Secure"


def test_a_secure_cookie_over_an_open_connection_is_ignored() -> None:
    assert ignored("sid=1; Secure", HTTP)


def test_a_script_sets_no_http_only_cookie() -> None:
    assert ignored("sid=1; HttpOnly", http_api=False)
    assert not cookie("sid=1", http_api=False).http_only


@pytest.mark.parametrize("attributes", ["SameSite=None", "Partitioned"])
def test_what_crosses_sites_must_be_secure(attributes: str) -> None:
    assert ignored(f"sid=1; {attributes}")
    assert cookie(f"sid=1; {attributes}; Secure")


@pytest.mark.parametrize(("value", "expected"), [("", None), ("foo", None), ("STRICT", "Strict"), ("lax", "Lax"), ("Lax; SameSite=foo", None)])
def test_same_site_is_one_of_three_or_unsaid(value: str, expected: str | None) -> None:
    assert cookie(f"sid=1; SameSite={value}").same_site == expected


def test_a_partitioned_cookie_belongs_to_the_site_in_the_address_bar() -> None:
    line = "sid=1; Secure; Partitioned"
    assert cookie(line).partition_key == PartitionKey("https://example.com")
    assert cookie(line, partition_site="https://shop.example").partition_key == PartitionKey("https://shop.example", has_cross_site_ancestor=True)
    assert cookie("sid=1", partition_site="https://shop.example").partition_key is None


@pytest.mark.parametrize(
    "line",
    [
        "__Secure-a=1",
        "__Host-a=1; Secure",
        "__HOST-a=1; Path=/",
        "__Host-a=1; Secure; Path=/; Domain=www.example.com",
        "__host-a=1; Secure; Path=/shop",
        "__Http-a=1; Secure",
        "__Host-Http-a=1; Secure; Path=/",
        "__Host-a",
        "=__Secure-a",
    ],
)
def test_a_names_prefix_must_keep_its_promise(line: str) -> None:
    assert ignored(line)


@pytest.mark.parametrize(
    "line",
    [
        "__Secure-a=1; Secure; Domain=example.com",
        "__Host-a=1; Secure; Path=/",
        "__Http-a=1; Secure; HttpOnly",
        "__Host-Http-a=1; Secure; Path=/; HttpOnly",
    ],
)
def test_a_kept_promise_is_taken(line: str) -> None:
    assert cookie(line).value == "1"


def test_the_folder_of_a_root_request_is_not_the_path_that_a_host_prefix_wants() -> None:
    assert ignored("__Host-a=1; Secure", "https://example.com/")


@pytest.mark.parametrize("control", ["\0", "\x01", "\n", "\r", "\x1f", "\x7f"])
def test_a_control_character_anywhere_spoils_the_line(control: str) -> None:
    assert ignored(f"sid=a{control}b")
    assert ignored(f"sid=a; Path=/{control}")


def test_a_tab_is_space() -> None:
    assert cookie("\tsid\t=\t1\t;\tSecure\t").value == "1"


@pytest.mark.parametrize("line", ["", ";", "=", " = ; Path=/", "=a=b"])
def test_a_line_without_name_and_value_or_one_that_reads_as_another_cookie_is_ignored(line: str) -> None:
    assert ignored(line)


@pytest.mark.parametrize(("line", "fits"), [("n=" + "x" * 4095, True), ("n=" + "x" * 4096, False), ("=" + "é" * 2048, True), ("n=" + "é" * 2048, False)])
def test_name_and_value_have_room_for_4096_octets(line: str, fits: bool) -> None:
    assert ignored(line) is not fits


def test_why_it_was_ignored_is_logged_without_its_value(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="handstamp.state"):
        assert ignored("sid=canary; Domain=other.example")
    assert "www.example.com" in caplog.text
    assert "Domain" in caplog.text
    assert "canary" not in caplog.text


@given(st.text(), st.sampled_from([HTTPS, HTTP, LOCAL]))
def test_any_line_sets_a_well_formed_cookie_or_none(line: str, url: str) -> None:
    found = set_cookie(line, url, now=NOW)
    if found is not None:
        assert found.path.startswith("/")
        assert found.name or found.value
        assert found.expires is None or found.expires <= NOW + 400 * DAY


texts = st.text(st.characters(blacklist_categories=("Cc", "Cs"), blacklist_characters=";= \t"), min_size=1, max_size=20)


@given(texts, texts)
def test_name_and_value_come_through_as_they_are(name: str, value: str) -> None:
    found = cookie(f"x{name}={value}")
    assert (found.name, found.value) == (f"x{name}", value)
