"""The Cookie header for a request."""

from __future__ import annotations

import pytest

from handstamp.errors import ConfigError
from handstamp.formats import write
from handstamp.state import Cookie, Entry, Part, PartId, PartKind, StorageState

NOW = 1_800_000_000.0
COOKIES = [Cookie("a", "1", "example.com", host_only=False), Cookie("b", "ü", "example.com", path="/app"), Cookie("c", "3", "example.com", secure=True)]
STATE = StorageState.of([Part(PartId(PartKind.COOKIES, "example.com"), {cookie.key: Entry(cookie) for cookie in COOKIES})])


def header(url: str | None) -> tuple[str, tuple[str, ...]]:
    written = write(STATE, format="header", now=NOW, url=url)
    return written.data.decode(), written.notes


def test_what_a_browser_would_send_in_its_order() -> None:
    assert header("https://example.com/app/x") == ("Cookie: b=ü; a=1; c=3\n", ())
    assert header("http://www.example.com/") == ("Cookie: a=1\n", ())


def test_nothing_to_send_is_an_empty_text_and_a_note() -> None:
    assert header("https://other.example/") == ("", ("no cookie goes with a request to other.example",))


@pytest.mark.parametrize(("url", "complaint"), [(None, "needs the URL"), ("example.com", "has no host"), ("https://[", "has no host"), ("", "has no host")])
def test_a_header_needs_a_url_with_a_host(url: str | None, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        header(url)


def test_a_url_is_for_a_header_only() -> None:
    with pytest.raises(ConfigError, match="a URL goes with format header only"):
        write(STATE, format="json", now=NOW, url="https://example.com/")
