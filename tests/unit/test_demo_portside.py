"""Small decisions of the stand-in sites: spread of errors, paths to go back to, containers, captchas, names of browsers."""

from __future__ import annotations

import io
import itertools
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from handstamp.demo.front import counted_as, is_hit
from handstamp.demo.portside import captcha
from handstamp.demo.portside.admission import Entry, Outcome, attempt, check_code
from handstamp.demo.portside.agents import browser_name
from handstamp.demo.portside.fleet import check_digit, containers_of
from handstamp.demo.portside.web import HOME, local_path
from handstamp.demo.totp import code_at
from handstamp.demo.world import World

DEMO = Entry("demo", "harbour-light-7")


@given(st.integers(0, 100), st.integers(0, 10_000))
def test_broken_requests_are_exactly_their_share(percent: int, start: int) -> None:
    hits = sum(is_hit(number, percent / 100) for number in range(start + 1, start + 101))
    assert hits == percent


def test_broken_requests_are_spread_evenly() -> None:
    hits = [number for number in range(1, 101) if is_hit(number, 0.25)]
    assert {later - earlier for earlier, later in itertools.pairwise(hits)} == {4}


def test_strangers_paths_are_counted_as_one() -> None:
    known = {"/", "/login"}
    assert [counted_as(path, known) for path in ("/login", "/static/a.css", "/wp-admin", "/login/x")] == ["/login", "/static", "(other)", "(other)"]


@pytest.mark.parametrize("path", ["/containers", "/", "/account?tab=2", "/a%20b"])
def test_a_path_of_this_site_is_where_one_goes_after_login(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize("path", [None, "", "//evil.example", "/\\evil.example", "https://evil.example/", "account", "/a b", "/a\r\nX: y", "/x\\y"])
def test_anything_else_leads_home(path: str | None) -> None:
    assert local_path(path) == HOME


@pytest.mark.parametrize(("prefix", "digit"), [("CSQU305438", 3), ("TOLU473478", 7)])
def test_check_digits_are_those_of_iso_6346(prefix: str, digit: int) -> None:
    assert check_digit(prefix) == digit


@given(st.text(string.ascii_lowercase, min_size=1, max_size=12))
def test_an_account_has_the_same_containers_each_time(username: str) -> None:
    rows = containers_of(username)
    assert rows == containers_of(username)
    assert 36 <= len(rows) <= 56
    assert all(row.number[-1] == str(check_digit(row.number[:-1])) for row in rows)


def test_accounts_have_different_containers() -> None:
    mine, hers = ({row.number for row in containers_of(name)} for name in ("demo", "dana"))
    assert not mine & hers


def test_a_captcha_is_a_picture_of_the_size_that_the_page_says() -> None:
    with Image.open(io.BytesIO(captcha.draw("ACE34"))) as image:
        assert (image.format, image.size) == ("PNG", captcha.SIZE)


def test_different_answers_give_different_pictures() -> None:
    assert captcha.draw("ACE34") == captcha.draw("ACE34") != captcha.draw("ACE36")


@pytest.mark.parametrize(("typed", "right"), [("ACE34", True), (" ace34 ", True), ("ACE3", False), ("", False), ("\ud800", False)])
def test_a_captcha_is_read_whatever_the_case(typed: str, right: bool) -> None:
    assert captcha.same_answer("ACE34", typed) is right


@pytest.mark.parametrize("typed", ["", "ACE34"])
def test_where_no_captcha_was_shown_no_answer_is_right(typed: str) -> None:
    assert not captcha.same_answer(None, typed)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/141.0.0.0 Safari/537.36", "Chromium 141 on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36", "Chrome 141 on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox 140 on Linux"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15", "Safari on macOS"),
        ("python-httpx2/2.16", "python-httpx2 2.16"),
        ("", "An unknown client"),
        ("<script>", "An unknown client"),
    ],
)
def test_a_browser_is_named_from_its_header(header: str, name: str) -> None:
    assert browser_name(header) == name


def test_a_right_password_enters_and_a_wrong_one_counts() -> None:
    site = World().portside
    presession = site.presessions.open()
    assert attempt(site, presession, Entry("demo", "wrong")) is Outcome.WRONG
    assert attempt(site, presession, DEMO) is Outcome.SIGNED_IN
    counts = site.stats().accounts["demo"]
    assert (counts.attempts, counts.failures) == (2, 1)


def test_a_captcha_answer_works_for_one_try() -> None:
    world = World()
    world.portside.knobs = type(world.portside.knobs)(captcha=True)
    site, presession = world.portside, world.portside.presessions.open()
    site.presessions.ask_captcha(presession)
    answer = presession.captcha or ""
    assert attempt(site, presession, Entry("demo", "wrong", captcha=answer)) is Outcome.WRONG
    assert attempt(site, presession, Entry("demo", "harbour-light-7", captcha=answer)) is Outcome.MISREAD


def test_a_user_name_that_no_account_has_is_not_kept_in_the_counts() -> None:
    site = World().portside
    attempt(site, site.presessions.open(), Entry("my-password-by-mistake", "x"))
    stats = site.stats()
    assert (stats.attempts, stats.failures) == (1, 1)
    assert stats.accounts == {}


def test_a_one_time_code_is_told_wrong_used_or_right() -> None:
    world = World()
    account = world.accounts.get("demo")
    assert account is not None
    assert account.totp_secret is not None
    code = code_at(account.totp_secret, 2)
    assert "not right" in (check_code(world.portside, "demo", code, seconds=300) or "")
    assert check_code(world.portside, "demo", code, seconds=60) is None
    assert "used before" in (check_code(world.portside, "demo", code, seconds=60) or "")
