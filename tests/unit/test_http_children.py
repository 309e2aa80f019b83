"""Cookies for other programs, and what they did to them."""

from __future__ import annotations

from handstamp.http.children import changes, command, environment, file_for, file_from
from handstamp.state import Clock, Cookie, Device, StorageState

FILE = b"# Netscape HTTP Cookie File\n#HttpOnly_a.example\tFALSE\t/\tFALSE\t0\tsid\tv\n"


def test_a_known_program_gets_the_options_for_its_cookie_file_and_the_device() -> None:
    device = Device(user_agent="Harbour/1", language="de")
    made = command(["/usr/bin/curl", "-s", "https://a.example"], "/c", device)
    assert made == [
        "/usr/bin/curl", "--cookie", "/c", "--cookie-jar", "/c", "--user-agent", "Harbour/1",
        "--header", "Accept-Language: de", "-s", "https://a.example",
    ]  # fmt: skip


def test_what_the_caller_says_stays() -> None:
    assert command(["curl", "-A", "Mine", "-b", "{cookies}"], "/c", Device(user_agent="Harbour/1")) == ["curl", "-A", "Mine", "-b", "/c"]


def test_an_unknown_program_gets_the_file_where_it_asks_for_it() -> None:
    assert command(["mytool", "--jar={cookies}"], "/c", Device(user_agent="x")) == ["mytool", "--jar=/c"]


def test_nothing_of_ours_is_inherited() -> None:
    assert environment({"PATH": "/bin", "HANDSTAMP_KEY": "k", "handstamp_password": "p"}) == {"PATH": "/bin"}


def test_wget_reads_http_only_cookies_as_comments_so_they_are_not_marked_for_it() -> None:
    assert b"\na.example\t" in file_for(["wget"], FILE)
    assert file_for(["curl"], FILE) == FILE


def test_wgets_lines_with_a_port_count_before_those_that_they_replace() -> None:
    assert file_from(b"a.example:81\tF\tnew\na.example\tF\told\n") == b"a.example\tF\told\na.example\tF\tnew\n"


def test_a_changed_value_is_a_change_and_keeps_what_the_file_cannot_say() -> None:
    given = Cookie("sid", "1", "a.example", same_site="Strict", http_only=True, priority="High", expires=2e9 + 0.5)
    found = [Cookie("sid", "2", "a.example", expires=2e9), Cookie("new", "x", "a.example")]
    changed = changes([given], found, StorageState(), Clock("w")).cookies()
    assert sorted((cookie.name, cookie.value, cookie.same_site, cookie.expires) for cookie in changed) == [
        ("new", "x", None, None),
        ("sid", "2", "Strict", 2e9 + 0.5),
    ]


def test_a_cookie_that_is_missing_in_the_file_is_not_deleted() -> None:
    assert not changes([Cookie("sid", "1", "a.example")], [], StorageState(), Clock("w"))
