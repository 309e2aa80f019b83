"""Which hosts belong together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handstamp.state import cookie_scope, host_of, is_ip_address, registrable_domain, within

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors" / "psl.json"

labels = st.text("abcdefgh0123456789-", min_size=1, max_size=8)
hosts = st.lists(labels, min_size=1, max_size=5).map(".".join)


@pytest.mark.skipif(not VECTORS.exists(), reason=f"no conformance vectors at {VECTORS}")
def test_registrable_domains_are_those_of_the_public_suffix_lists_own_tests() -> None:
    cases = json.loads(VECTORS.read_text())["cases"]
    wrong = {case["id"]: registrable_domain(case["host"] or "") for case in cases if registrable_domain(case["host"] or "") != case["registrable_domain"]}
    assert len(cases) > 70
    assert wrong == {}


@pytest.mark.parametrize(
    ("host", "scope"),
    [("www.gmail.com", "gmail.com"), (".Example.COM", "example.com"), ("localhost", "localhost"), ("10.0.0.1", "10.0.0.1"), ("github.io", "github.io")],
)
def test_cookies_are_kept_under_their_registrable_domain_or_their_host(host: str, scope: str) -> None:
    assert cookie_scope(host) == scope


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "[::1]", "10.0.0.1"])
def test_an_ip_address_has_no_registrable_domain(host: str) -> None:
    assert is_ip_address(host)
    assert registrable_domain(host) is None


@pytest.mark.parametrize(
    ("host", "domain", "inside"),
    [
        ("gmail.com", "gmail.com", True),
        ("mail.gmail.com", "gmail.com", True),
        ("notgmail.com", "gmail.com", False),
        ("gmail.com", "mail.gmail.com", False),
        ("gmail.com.evil.example", "gmail.com", False),
        ("A.Example", ".example", True),
        ("1.127.0.0.1", "127.0.0.1", False),
    ],
)
def test_a_domain_holds_itself_and_what_is_below_never_what_merely_ends_alike(host: str, domain: str, inside: bool) -> None:
    assert within(host, domain) is inside


@given(hosts, labels)
def test_a_subdomain_is_within_its_domain_and_never_the_other_way_round(host: str, label: str) -> None:
    assert within(f"{label}.{host}", host) is not (is_ip_address(f"{label}.{host}") or is_ip_address(host))
    assert not within(host, f"{label}.{host}")


@given(hosts)
def test_a_registrable_domain_holds_its_host_and_is_its_own(host: str) -> None:
    domain = registrable_domain(host)
    if domain is not None:
        assert within(host, domain)
        assert registrable_domain(domain) == domain


@given(st.text())
def test_any_text_has_a_host_or_none_and_never_fails(text: str) -> None:
    assert host_of(text) == host_of(text).lower()


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://App.Example:8443/x", "app.example"),
        ("http://[::1]:80", "::1"),
        ("https://widget.example^0https://shop.example", "widget.example"),
        ("file:///x", ""),
        ("null", ""),
        ("https://[broken", ""),
    ],
)
def test_the_host_of_an_origin(origin: str, host: str) -> None:
    assert host_of(origin) == host
