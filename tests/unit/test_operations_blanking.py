"""Text, headers and HTML for debug bundles: readable, and without what could let in."""

from __future__ import annotations

import json
import zipfile
from html import escape
from io import BytesIO
from urllib.parse import quote

import pytest
from hypothesis import assume, given, strategies

from handstamp.operations.blanking import Blanking
from handstamp.operations.evidence import packed
from handstamp.operations.page_source import blanked_page

TOKEN = "9f86d081884c7d659a2feaa0c55ad015"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("password=hunter2 went", "password=… went"),
        ('{"access_token": "abc", "n": 1}', '{"access_token": "…", "n": 1}'),
        ("Authorization: Bearer abc.def", "Authorization: …"),
        (f"GET https://a.example/x?sid={TOKEN}#frag", "GET https://a.example/x?sid="),
        (f"got {TOKEN} back", "got … back"),
        ("container HBRU1112085 is at block E17-3-2", "container HBRU1112085 is at block E17-3-2"),
        ("a perfectly-ordinary-sentence-of-words", "a perfectly-ordinary-sentence-of-words"),
    ],
)
def test_a_line_keeps_its_words_and_loses_its_secrets(line: str, shown: str) -> None:
    assert Blanking().text(line) == shown


def test_known_secrets_are_blanked_also_as_urls_json_and_html_have_them() -> None:
    secret = 'p"ä ss&<w>/ö'
    text = " ".join([secret, quote(secret, safe=""), json.dumps(secret), escape(secret)])
    found = Blanking([secret]).known(text)
    assert found.count("…") == 4
    assert "ss" not in found


def test_a_short_secret_is_blanked_as_a_word_only() -> None:
    assert Blanking(["4711"]).known("4711 is not 47112") == "… is not 47112"
    assert Blanking(["1", ""]).known("1 and 11") == "1 and 11"


@given(secret=strategies.text(min_size=8, max_size=40), before=strategies.text(max_size=20), after=strategies.text(max_size=20))
def test_whatever_stands_around_it_a_known_secret_is_gone(secret: str, before: str, after: str) -> None:
    assume(secret not in before + "…" + after)
    assert secret not in Blanking([secret]).known(before + secret + after) or secret in before + "…" + after


def test_only_headers_that_are_known_to_be_harmless_show_their_value() -> None:
    blank = Blanking(["known-secret"])
    assert blank.header("Content-Type", "text/html") == "text/html"
    assert blank.header("server", "nginx known-secret") == "nginx …"
    assert blank.header("Location", f"https://a.example/x?code={TOKEN}") == "https://a.example/x?code="
    for name in ("Cookie", "Set-Cookie", "Authorization", "Proxy-Authorization", "X-Auth-Token", "X-CSRF-Token", "X-Anything", "Location", "Referer"):
        assert blank.header(name, f"/x?y={TOKEN}") == "…", name


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<p class='a b'>Hello <b>you</b></p>", '<p class="a b">Hello <b>you</b></p>'),
        ("<script>let a = '<b>';</script><p>x</p>", "<script></script><p>x</p>"),
        ("<!-- secret --><p>x</p>", "<p>x</p>"),
        ("<input type=hidden value=1>", '<input type="hidden" value="…">'),
        ("<input type=password value=1>", '<input type="password" value="…">'),
        ("<input name=plate value='ZH 1'>", '<input name="plate" value="ZH 1">'),
        ("<input name=otp value=123456>", '<input name="otp" value="…">'),
        ("<meta name=csrf-token content=abc>", '<meta name="csrf-token" content="…">'),
        ("<meta name=viewport content='width=1'>", '<meta name="viewport" content="width=1">'),
        (f"<a href='/x?sid={TOKEN}&b=1#t'>x</a>", '<a href="/x?sid=&amp;b=">x</a>'),
        (f"<a href='https://u:p@a.example/{TOKEN}'>x</a>", '<a href="https://a.example/…">x</a>'),
        ("<img src='data:image/png;base64,AAAA'>", '<img src="…">'),
        ("<a onclick=\"go('x')\" data-token=x data-row=7>x</a>", '<a onclick="…" data-token="…" data-row="7">x</a>'),
        (f"<p>{TOKEN}</p>", "<p>…</p>"),
        ("<style>a > b {}</style>", "<style>a > b {}</style>"),
        ("<!DOCTYPE html><p>&lt;b&gt;</p>", "<!DOCTYPE html><p>&lt;b&gt;</p>"),
    ],
)
def test_a_page_keeps_its_structure_and_loses_what_could_let_in(html: str, shown: str) -> None:
    assert blanked_page(html, Blanking()) == shown


@given(strategies.text())
def test_no_page_is_too_broken_to_be_blanked(html: str) -> None:
    assert isinstance(blanked_page(html, Blanking(["abc"])), str)


@pytest.mark.parametrize("part", ["a", "token", "a1", " ", "token ", "password=", "<", "https://", "&#", "\n", "'", "token\t\t\t\t"])
def test_a_megabyte_of_anything_is_blanked_in_no_time(part: str) -> None:
    text = part * (500_000 // len(part))
    blanking = Blanking([f"{number}-not-to-be-seen-{number}" for number in range(300)])
    assert isinstance(blanking.text(text), str)  # a pattern that tries again and again would run into the test's timeout
    assert isinstance(blanked_page(text, blanking), str)
    assert blanked_page(f"<noscript>{part}</noscript>", blanking) == "<noscript></noscript>"


def test_what_a_browser_leaves_unescaped_is_left_out_at_once() -> None:
    for tag in ("noscript", "script"):
        assert blanked_page(f"<{tag}>{'<a href=' * 100_000}</{tag}><p>x</p>", Blanking()) == f"<{tag}></{tag}><p>x</p>"


def test_a_bundle_is_never_too_large_and_names_what_was_left_out() -> None:
    files = [("a.txt", b"a" * 1000), ("shots/1.png", bytes(range(256)) * 100), ("b.txt", b"b")]
    with zipfile.ZipFile(BytesIO(packed(files, most=5000))) as archive:
        assert archive.namelist() == ["a.txt", "b.txt", "left-out.txt"]
        assert archive.read("left-out.txt") == b"shots/1.png: the bundle would be too large\n"
