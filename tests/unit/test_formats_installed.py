"""Cookies of installed browsers, from profiles made here."""

from __future__ import annotations

import builtins
import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from handstamp.errors import ConfigError, UnreadableState
from handstamp.formats import Imported, completed, read_installed
from handstamp.state import Clock, Cookie, Entry, Part, PartId, PartKind, StorageState

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("yt_dlp.cookies", reason="yt-dlp is not installed")

NOW = 1_800_000_000.0
END = 1_893_456_000
CHROME_EPOCH = 11_644_473_600


def firefox(folder: Path, *rows: tuple[object, ...]) -> Path:
    with closing(sqlite3.connect(folder / "cookies.sqlite")) as database:
        database.execute("CREATE TABLE moz_cookies (host TEXT, name TEXT, value TEXT, path TEXT, expiry INTEGER, isSecure INTEGER, originAttributes TEXT)")
        database.executemany("INSERT INTO moz_cookies VALUES (?, ?, ?, ?, ?, ?, '')", rows)
        database.execute("PRAGMA user_version = 16")
        database.commit()
    return folder


def chromium(folder: Path, *rows: tuple[object, ...]) -> Path:
    with closing(sqlite3.connect(folder / "Cookies")) as database:
        database.execute("CREATE TABLE meta (key TEXT, value TEXT)")
        database.execute("INSERT INTO meta VALUES ('version', '24')")
        database.execute(
            "CREATE TABLE cookies (host_key TEXT, name TEXT, value TEXT, encrypted_value BLOB, path TEXT, expires_utc INTEGER,"
            " is_secure INTEGER, is_httponly INTEGER)"
        )
        database.executemany("INSERT INTO cookies VALUES (?, ?, ?, x'', ?, ?, ?, 1)", rows)
        database.commit()
    return folder


def taken(browser: str, folder: Path) -> Imported:
    return read_installed(browser, profile=folder, keyring="basictext", now=NOW, clock=Clock("t"))


def test_a_firefox_profile(tmp_path: Path) -> None:
    found = taken("firefox", firefox(tmp_path, (".a.example", "sid", "1", "/", END * 1000, 1), ("www.a.example", "theme", "dark", "/app", END * 1000, 0)))
    assert found.format == "firefox"
    assert set(found.state.cookies()) == {
        Cookie("sid", "1", "a.example", host_only=False, expires=END, secure=True),
        Cookie("theme", "dark", "www.a.example", path="/app", expires=END),
    }


def test_a_chromium_profile_whose_time_begins_in_1601(tmp_path: Path) -> None:
    found = taken(
        "chromium", chromium(tmp_path, (".a.example", "sid", "1", "/", (END + CHROME_EPOCH) * 1_000_000, 1), ("b.example", "session", "1", "/", 0, 0))
    )
    assert set(found.state.cookies()) == {
        Cookie("sid", "1", "a.example", host_only=False, expires=END, secure=True),
        Cookie("session", "1", "b.example"),
    }
    assert found.notes == ("HttpOnly, SameSite, priority and partitions of an installed browser's cookies cannot be read this way; storage neither",)


def test_what_cannot_be_read_this_way_stays_as_it_was(tmp_path: Path) -> None:
    found = taken("firefox", firefox(tmp_path, ("a.example", "sid", "new", "/", END * 1000, 1)))
    known = Cookie("sid", "old", "a.example", secure=True, http_only=True, same_site="Lax", source_scheme="Secure", source_port=443)
    current = StorageState.of([Part(PartId(PartKind.COOKIES, "a.example"), {known.key: Entry(known)})])
    (cookie,) = completed(found, current).cookies()
    assert (cookie.value, cookie.http_only, cookie.same_site, cookie.source_port) == ("new", True, "Lax", 443)


def test_cookies_that_cannot_be_opened_are_counted(tmp_path: Path) -> None:
    folder = chromium(tmp_path, ("a.example", "sealed", "", "/", 0, 1))
    with closing(sqlite3.connect(folder / "Cookies")) as database:
        database.execute("UPDATE cookies SET encrypted_value = x'763131' || randomblob(48)")
        database.commit()
    found = taken("chromium", folder)
    assert not found.state
    assert any("1 could not be decrypted" in note for note in found.notes)


def test_an_ended_cookie_is_left_out(tmp_path: Path) -> None:
    found = taken("firefox", firefox(tmp_path, ("a.example", "old", "1", "/", 1_000_000_000_000, 1)))
    assert not found.state
    assert "cookies that have ended were left out: old (a.example)" in found.notes


@pytest.mark.parametrize("browser", ["firefox", "chromium"])
def test_a_folder_without_cookies_is_named_with_the_way_out(tmp_path: Path, browser: str) -> None:
    with pytest.raises(UnreadableState, match=f"{browser}: no cookies found of profile '{tmp_path}'; name the profile's folder"):
        taken(browser, tmp_path)


@pytest.mark.parametrize(("browser", "file"), [("firefox", "cookies.sqlite"), ("chromium", "Cookies")])
def test_a_broken_database_is_named_without_what_is_in_it(tmp_path: Path, browser: str, file: str) -> None:
    (tmp_path / file).write_bytes(b"canary" * 100)
    with pytest.raises(UnreadableState, match=f"{browser}: the cookies of profile .* cannot be read") as caught:
        taken(browser, tmp_path)
    assert "canary" not in str(caught.value)


def test_a_browser_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match="no installed browser is called 'netscape'; there are brave, chrome"):
        read_installed("netscape", now=NOW, clock=Clock("t"))


def test_a_keyring_that_is_not_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="basictext, gnomekeyring"):
        read_installed("chromium", profile=chromium(tmp_path), keyring="canary", now=NOW, clock=Clock("t"))


def test_without_yt_dlp_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **more: Any) -> Any:
        if name.startswith("yt_dlp"):
            raise ImportError(name)
        return real(name, *arguments, **more)

    monkeypatch.delitem(sys.modules, "yt_dlp.cookies", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r"handstamp\[browsers\]"):
        read_installed("firefox", now=NOW, clock=Clock("t"))
