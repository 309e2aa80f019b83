"""The parts of a look by plain HTTP that need no server."""

from __future__ import annotations

import gzip
import math
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx2
import pytest

from handstamp.http import Transports
from handstamp.http.body import decoded, read_text
from handstamp.http.observation import Observation, bare_url
from handstamp.http.probe import _as_safe, _headers, same_site
from handstamp.http.transports import proxy_for
from handstamp.state import Cookie, Device

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Chunks(httpx2.SyncByteStream):
    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)


def text(*chunks: bytes, limit: int = 1000, deadline: float = math.inf, **headers: str) -> str:
    response = httpx2.Response(200, headers={name.replace("_", "-"): value for name, value in headers.items()}, stream=Chunks(*chunks))
    return read_text(response, limit=limit, deadline=deadline)


def test_a_body_is_read_to_its_bound_and_no_further() -> None:
    assert text(b"abc", b"def") == "abcdef"
    assert text(b"abc", b"def", limit=4) == "abcd"
    assert text(limit=4) == ""


def test_a_packed_body_is_unpacked_to_its_bound() -> None:
    whole = gzip.compress(b"x" * 1_000_000)
    assert text(whole, content_encoding="gzip", limit=10) == "x" * 10
    assert text(whole[:20], whole[20:], content_encoding="GZIP", limit=2_000_000) == "x" * 1_000_000
    assert text(zlib.compress(b"abc"), content_encoding="deflate") == "abc"


def test_a_body_that_cannot_be_unpacked_is_empty_not_an_error() -> None:
    assert text(b"no gzip at all", content_encoding="gzip") == ""
    assert text(b"\x00\x01", content_encoding="br") == ""


def test_a_body_that_drips_is_given_up_at_the_deadline() -> None:
    with pytest.raises(TimeoutError):
        text(b"a", b"b", deadline=0.0)


@pytest.mark.parametrize(
    ("data", "content_type", "expected"),
    [
        ("Größe".encode(), "text/html", "Größe"),
        ("Größe".encode("latin-1"), "text/html; charset=ISO-8859-1", "Größe"),
        ("Größe".encode("latin-1"), 'text/html; a=b; Charset="latin-1"', "Größe"),
        (b"a\xffb", "text/html; charset=utf-8", "a\ufffdb"),
        (b"abc", "text/html; charset=no-such", "abc"),
        (b"6162", "text/html; charset=hex", "6162"),
        (b"abc", "", "abc"),
    ],
)
def test_text_is_read_in_the_charset_that_was_said_else_utf8(data: bytes, content_type: str, expected: object) -> None:
    assert decoded(data, content_type) == expected


def test_headers_say_what_the_device_is_and_no_more() -> None:
    cookies = [Cookie("a", "1", "x.example"), Cookie("b", "ü", "x.example")]
    sent = dict(_headers(Device(user_agent="Moz/5", language="de-DE"), "https://x.example/", cookies, ("Authorization", "Bearer t")))
    assert sent[b"User-Agent"] == b"Moz/5"
    assert sent[b"Accept-Language"] == b"de-DE"
    assert sent[b"Cookie"] == "a=1; b=ü".encode()
    assert sent[b"Authorization"] == b"Bearer t"
    bare = dict(_headers(Device(), "https://x.example/", [], None))
    assert b"handstamp" in bare[b"User-Agent"]
    assert not {b"Cookie", b"Authorization", b"Accept-Language"} & set(bare)


@pytest.mark.parametrize(
    ("here", "there", "same"),
    [
        ("https://a.portside.example/", "https://portside.example/", True),
        ("http://portside.example/", "https://portside.example/", True),
        ("http://localhost:1/", "http://localhost:2/", True),
        ("https://portside.example/", "https://other.example/", False),
        ("https://a.co.uk/", "https://b.co.uk/", False),
    ],
)
def test_a_redirect_stays_with_the_site_by_its_registrable_domain(here: str, there: str, *, same: bool) -> None:
    assert same_site(here, there) is same


@pytest.mark.parametrize(
    ("here", "there", "safe"),
    [
        ("http://x.example/", "http://x.example/", True),
        ("http://x.example/", "https://x.example/", True),
        ("https://x.example/", "https://x.example/", True),
        ("https://x.example/", "http://x.example/", False),
        ("https://x.example/", "javascript:alert(1)", False),
        ("http://x.example/", "ftp://x.example/", False),
        ("http://x.example/", "file:///etc/passwd", False),
    ],
)
def test_no_redirect_leads_down_from_https_or_out_of_the_web(here: str, there: str, *, safe: bool) -> None:
    assert _as_safe(here, there) is safe


def test_a_shown_url_holds_no_place_for_secrets() -> None:
    assert bare_url("https://ada:pw@x.example:8443/a/b?token=1#frag") == "https://x.example:8443/a/b"
    assert bare_url("") == ""


def test_an_observation_prints_neither_body_nor_headers_nor_redirects() -> None:
    shown = repr(
        Observation("https://x.example/", datetime.now(UTC), body="hunter2", headers={"set-cookie": "hunter2"}, redirects=("https://x.example/?hunter2",))
    )
    assert "hunter2" not in shown


@pytest.fixture
def proxies(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def put(**environment: str) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return put


def test_the_sessions_own_proxy_comes_first(proxies: Callable[..., None]) -> None:
    proxies(https_proxy="http://corp:3128")
    assert proxy_for("https://x.example/", saved="http://mine:8080") == "http://mine:8080"
    assert proxy_for("https://x.example/", saved=None) == "http://corp:3128"
    assert proxy_for("http://x.example/", saved=None) is None


def test_the_environments_proxy_needs_no_scheme_and_can_be_left_out_for_some(proxies: Callable[..., None]) -> None:
    proxies(all_proxy="corp:3128", no_proxy="x.example,.internal")
    assert proxy_for("https://y.example/", saved=None) == "http://corp:3128"
    assert proxy_for("https://x.example/", saved=None) is None


@pytest.mark.parametrize("url", ["http://localhost:1/", "http://127.0.0.1/", "http://portside.localhost/", "http://[::1]:1/"])
def test_this_machine_is_never_asked_through_a_proxy(proxies: Callable[..., None], url: str) -> None:
    proxies(http_proxy="http://corp:3128")
    assert proxy_for(url, saved="http://mine:8080") is None


def test_one_pool_serves_all_that_go_the_same_way() -> None:
    with Transports() as transports:
        assert transports.transport(None) is transports.transport(None)
        assert transports.transport("http://corp:3128") is not transports.transport(None)
        with pytest.raises(ValueError, match="scheme"):
            transports.transport("gopher://corp")
