"""The command line as a user meets it: one login, and everything that can be done with the session."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from handstamp.demo import DemoServers

USER, PASSWORD = "demo", "harbour-light-7"
LOGIN = ("login", "portside", "--username", USER, "--password-stdin")


def log_in(machine: Any) -> None:
    done = machine.handstamp(*LOGIN, stdin=f"{PASSWORD}\n")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_login_is_listed_shown_and_checked_and_the_next_one_is_not_made(demo: DemoServers, machine: Callable[..., Any]) -> None:
    here = machine()
    first = here.facts(*LOGIN, stdin=f"{PASSWORD}\n")
    assert first["logged_in"]
    assert first["session"]["username"] == USER

    again = here.facts(*LOGIN, stdin=f"{PASSWORD}\n")
    assert not again["logged_in"]
    assert again["session"]["session_id"] == first["session"]["session_id"]

    (listed,) = here.facts("ls")["sessions"]
    assert (listed["site"], listed["profile"], listed["health"], listed["logins"]) == ("portside", "default", "valid", 1)

    shown = here.facts("show", "portside")
    assert [part["kind"] for part in shown["parts"]] == ["cookies", "local"]
    assert [cookie["name"] for cookie in shown["parts"][0]["cookies"]] == ["sid"]
    assert "login" in [event["kind"] for event in shown["events"]]

    checked = here.facts("check", "portside")
    assert checked["health"] == "valid"
    assert checked["evidence"][-1]["check"] == "http"
    assert demo.control.stats().portside.logins == 1


def test_credentials_are_kept_without_a_login_and_serve_the_first(demo: DemoServers, machine: Callable[..., Any]) -> None:
    here = machine()
    kept = here.facts(*LOGIN, "--totp-stdin", "--save-credentials", "--no-login", stdin=f"{PASSWORD}\nJBSWY3DPEHPK3PXP\n")
    assert (kept["logged_in"], kept["username"], kept["kept"]) == (False, USER, ["password", "totp"])
    assert here.facts("ls")["sessions"] == []
    assert here.facts("login", "portside", "--username", USER)["logged_in"]
    assert demo.control.stats().portside.failures == 0


def test_without_a_login_nothing_but_credentials_is_kept(machine: Callable[..., Any]) -> None:
    here = machine()
    assert "--save-credentials" in here.handstamp(*LOGIN, "--no-login", stdin=f"{PASSWORD}\n").stderr
    nobody = here.handstamp("login", "portside", "--save-credentials", "--no-login", stdin="")
    assert "--username and --password-stdin" in nobody.stderr


def test_again_logs_in_although_the_session_lives_and_saved_credentials_serve_later_logins(demo: DemoServers, machine: Callable[..., Any]) -> None:
    here = machine()
    assert here.facts(*LOGIN, "--save-credentials", stdin=f"{PASSWORD}\n")["logged_in"]
    demo.control.revoke()
    assert here.facts("check", "portside", status=10)["health"] == "expired"
    later = here.facts("login", "portside")
    assert later["logged_in"]
    assert later["session"]["logins"] == 2
    assert here.facts("login", "portside", "--again")["session"]["logins"] == 3
    assert demo.control.stats().portside.failures == 0


def test_an_exported_session_lives_in_another_home_and_its_file_is_private(demo: DemoServers, machine: Callable[..., Any], tmp_path: Path) -> None:
    here, there, file = machine("one"), machine("two"), tmp_path / "state.json"
    log_in(here)
    exported = here.facts("export", "portside", "-o", str(file))
    assert exported["format"] == "playwright"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [cookie["name"] for cookie in json.loads(file.read_text())["cookies"]] == ["sid"]

    imported = there.facts("import", str(file), "--yes")
    assert (imported["sites"], imported["changes"]["new"]) == (["portside"], 2)
    assert not there.facts("import", "-", stdin=file.read_text())["imported"]  # all of it is there: nobody needs to be asked
    assert there.facts("check", "portside")["health"] == "valid"
    assert demo.control.stats().portside.logins == 1


def test_cookies_reach_other_clients_as_a_file_or_a_header(machine: Callable[..., Any], tmp_path: Path, brought: Callable[..., None]) -> None:
    here, file = machine(), tmp_path / "cookies.txt"
    brought(here)
    assert here.facts("cookies", "portside", "-o", str(file))["format"] == "netscape"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "\tsid\t" in file.read_text()
    header = here.handstamp("cookies", "portside", "--format", "header", "--reveal")
    assert header.stdout.startswith("Cookie: sid=")
    refused = here.handstamp("cookies", "portside")  # neither a file nor --reveal
    assert (refused.returncode, refused.stdout) == (3, "")


def test_what_is_forgotten_is_gone_and_nothing_is_forgotten_unasked(machine: Callable[..., Any], brought: Callable[..., None]) -> None:
    here = machine()
    brought(here)
    unasked = here.handstamp("forget", "portside")
    assert unasked.returncode == 3
    assert len(here.facts("ls")["sessions"]) == 1

    assert here.facts("forget", "portside", "--yes")["forgotten"]
    assert here.facts("ls") == {"sessions": []}
    assert here.facts("history")["versions"] == []
    assert here.facts("check", "portside", status=5)["code"] == "session-not-found"


def test_a_screenshot_shows_the_page_of_the_session(machine: Callable[..., Any], tmp_path: Path, brought: Callable[..., None]) -> None:
    here, file = machine(), tmp_path / "page.png"
    brought(here)
    facts = here.facts("open", "portside", "/account", "--headless", "--screenshot", str(file))
    assert facts["url"].endswith("/account")  # and not /login, where a stranger is sent
    assert file.read_bytes().startswith(b"\x89PNG")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_profile_goes_back_in_time_and_forward_again(machine: Callable[..., Any], tmp_path: Path, brought: Callable[..., None]) -> None:
    here = machine()
    brought(here)
    (tmp_path / "old.txt").write_text("# Netscape HTTP Cookie File\nportside.localhost\tFALSE\t/\tFALSE\t0\tsid\tanother\n")
    good = max(version["written_at"] for version in here.facts("history")["versions"])
    assert here.facts("import", str(tmp_path / "old.txt"), "--yes")["changes"]["changed"] == 1
    assert here.facts("check", "portside", status=10)["health"] == "expired"
    assert here.facts("rollback", "--to", good, "--yes")["parts"] == ["cookies/portside.localhost"]
    assert here.facts("check", "portside")["health"] == "valid"


def test_the_exported_key_opens_a_copied_vault_on_another_machine(machine: Callable[..., Any], tmp_path: Path, brought: Callable[..., None]) -> None:
    here = machine("one")
    brought(here)
    key = here.handstamp("key", "export", "--reveal").stdout.strip()
    (tmp_path / "two").mkdir(mode=0o700)
    (tmp_path / "two" / "vault.db").write_bytes((tmp_path / "one" / "vault.db").read_bytes())
    there = machine("two")
    assert there.facts("check", "portside", status=3)["code"] == "key-missing"
    assert there.facts("check", "portside", HANDSTAMP_KEY=key)["health"] == "valid"
    assert there.facts("key", "show", HANDSTAMP_KEY=key)["key_id"] == here.facts("key")["key_id"]


def test_check_all_tells_of_each_session_and_exits_with_the_worst(demo: DemoServers, machine: Callable[..., Any], brought: Callable[..., None]) -> None:
    here = machine()
    brought(here)
    brought(here, "dana", "two")
    demo.control.revoke(username="dana")
    checks = here.facts("check", "--all", status=10)["checks"]
    assert {check["profile"]: check["health"] for check in checks} == {"default": "valid", "two": "expired"}


@pytest.mark.parametrize("word", ["lock", "sites", "doctor", "ls", "history"])
def test_people_get_words_and_programs_one_json_object(machine: Callable[..., Any], word: str) -> None:
    here = machine()
    words = here.handstamp(word)
    assert (words.returncode, words.stderr) == (0, "")
    assert words.stdout
    assert "\x1b" not in words.stdout  # no colours in a pipe
    assert isinstance(here.facts(word), dict)


def test_the_doctor_finds_all_in_order(machine: Callable[..., Any], tmp_path: Path, brought: Callable[..., None]) -> None:
    here = machine()
    brought(here)
    facts = here.facts("doctor")
    assert facts["ok"]
    found = {look["subject"]: look["found"] for look in facts["looks"]}
    assert found.keys() == {"versions", "home", "settings", "sites", "vault", "key", "records", "browser", "window"}
    assert found["vault"] == f"{tmp_path / 'one' / 'vault.db'} with 1 session"
    assert "Chrome/" in found["browser"]


def test_the_doctor_names_what_is_open_to_others_and_what_to_do(machine: Callable[..., Any], tmp_path: Path) -> None:
    home = tmp_path / "one"
    assert machine().handstamp("ls").returncode == 0
    (home / "vault.db").chmod(0o644)
    done = machine().handstamp("doctor", "--no-browser")
    assert done.returncode == 1
    assert f"chmod 600 {home / 'vault.db'}" in done.stdout


def test_options_of_every_command_stand_before_or_behind_its_name(machine: Callable[..., Any], tmp_path: Path) -> None:
    here, other = machine("one"), tmp_path / "other"
    before, behind = (
        here.handstamp("--json", "--home", str(other), "doctor", "--no-browser"),
        here.handstamp("doctor", "--no-browser", "--home", str(other), "--json"),
    )
    assert json.loads(before.stdout) == json.loads(behind.stdout)
    assert str(other) in before.stdout
    assert not other.exists()  # looking makes nothing
