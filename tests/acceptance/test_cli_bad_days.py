"""What goes wrong is one sentence with the way out and an exit status by class; nothing is lost, and nothing is tried twice."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from handstamp.demo import DemoServers

PASSWORD = "harbour-light-7"
NOT_ALMIGHTY = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")  # root, for whom file modes count


def failed(done: subprocess.CompletedProcess[str], status: int, *words: str) -> None:
    """It exited with `status`, one sentence on stderr that says these words, and nothing on stdout."""
    assert (done.returncode, done.stdout) == (status, ""), done
    assert done.stderr.count("\n") == 1, done.stderr
    assert [word for word in words if word not in done.stderr] == [], done.stderr


def test_a_wrong_password_is_tried_once_and_nothing_is_kept(demo: DemoServers, machine: Callable[..., Any]) -> None:
    done = machine().handstamp("login", "portside", "--username", "demo", "--password-stdin", stdin="not-the-password\n")
    failed(done, 7, "portside", "demo", "password")
    assert "not-the-password" not in done.stderr
    stats = demo.control.stats().portside
    assert (stats.attempts, stats.logins) == (1, 0)
    assert machine().facts("ls") == {"sessions": []}


def test_an_unknown_site_is_named_with_what_comes_near(machine: Callable[..., Any]) -> None:
    failed(machine().handstamp("login", "portsde"), 3, "portsde", "portside", "URL")
    assert machine().facts("show", "portsde", status=3)["code"] == "site-unknown"


def test_an_unknown_command_and_a_wrong_option_are_errors_of_usage(machine: Callable[..., Any]) -> None:
    failed(machine().handstamp("logn", "portside"), 2, "logn", "login")
    failed(machine().handstamp("ls", "--nonsense"), 2, "--nonsense", "handstamp ls --help")
    assert machine().facts("open", "portside", "--headless", status=2)["code"] == "usage"


def test_a_site_that_is_down_costs_nothing(demo: DemoServers, machine: Callable[..., Any], password: dict[str, str]) -> None:
    down = {"HANDSTAMP_PORTSIDE_BASE_URL": f"http://portside.localhost:{_free_port()}"}
    failed(machine().handstamp("login", "portside", **password, **down), 7, "portside", "reached")

    assert machine().facts("login", "portside", **password)["logged_in"]
    demo.control.set(error_share=1.0, error_status=503)
    assert machine().facts("check", "portside", status=13)["health"] == "unknown"
    assert machine().facts("ls")["sessions"][0]["health"] == "valid"  # unknown overwrites nothing
    demo.control.set(error_share=0.0)
    assert machine().facts("check", "portside")["health"] == "valid"
    assert demo.control.stats().portside.logins == 1


def test_a_wrong_key_changes_nothing_and_the_right_one_still_opens(machine: Callable[..., Any], password: dict[str, str]) -> None:
    here = machine()
    assert here.facts("login", "portside", **password)["logged_in"]
    wrong = {"HANDSTAMP_KEY": "A" * 43}
    failed(here.handstamp("check", "portside", **wrong), 3, "key", "HANDSTAMP_KEY")
    assert here.facts("login", "portside", status=3, **password, **wrong)["code"] == "key-missing"
    assert here.facts("doctor", "--no-browser", status=1, **wrong)["ok"] is False
    assert len(here.facts("ls", **wrong)["sessions"]) == 1  # the list needs no key
    assert here.facts("check", "portside")["health"] == "valid"


def test_a_home_that_cannot_be_written_is_named(machine: Callable[..., Any], tmp_path: Path) -> None:
    sealed = tmp_path / "sealed"
    sealed.mkdir(mode=0o500)
    environment = machine().environment | {"HANDSTAMP_HOME": str(sealed)}
    failed(_as_nobody_special("ls", environment=environment), 5, str(sealed), "HANDSTAMP_VAULT")
    environment |= {"HANDSTAMP_HOME": str(sealed / "home")}
    failed(_as_nobody_special("ls", environment=environment), 3, str(sealed / "home"), "HANDSTAMP_HOME")


def _as_nobody_special(*words: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    front = NOT_ALMIGHTY if os.geteuid() == 0 else ()
    if front and shutil.which(front[0]) is None:
        pytest.skip("needs setpriv: root writes where it likes")
    return subprocess.run([*front, sys.executable, "-m", "handstamp.cli", *words], env=environment, capture_output=True, text=True, timeout=28, check=False)


def test_a_missing_browser_is_named_with_how_to_get_one(demo: DemoServers, machine: Callable[..., Any], password: dict[str, str]) -> None:
    gone = {"HANDSTAMP_BROWSER": "/nonexistent"}
    failed(machine().handstamp("login", "portside", **password, **gone), 8, "/nonexistent", "HANDSTAMP_BROWSER")
    looks = machine().facts("doctor", status=1, **gone)["looks"]
    assert [look["subject"] for look in looks if look["state"] == "broken"] == ["browser"]
    assert demo.control.stats().portside.attempts == 0


def test_without_a_display_a_window_is_refused_before_anything_starts(machine: Callable[..., Any]) -> None:
    dark = {"DISPLAY": "", "WAYLAND_DISPLAY": ""}
    failed(machine().handstamp("login", "portside", "--by-hand", **dark), 8, "display", "handstamp import")
    failed(machine().handstamp("login", "https://nobody.example", **dark), 8, "display")
    failed(machine().handstamp("open", "portside", **dark), 8, "display", "--headless --screenshot")


def test_without_credentials_and_a_terminal_a_login_says_the_ways(demo: DemoServers, machine: Callable[..., Any]) -> None:
    failed(machine().handstamp("login", "portside"), 7, "--password-stdin", "HANDSTAMP_PORTSIDE_PASSWORD")
    failed(machine().handstamp("login", "portside", "--password-stdin", stdin=""), 3, "password")
    assert demo.control.stats().portside.attempts == 0


def test_another_user_in_a_profile_is_refused(demo: DemoServers, machine: Callable[..., Any], password: dict[str, str]) -> None:
    assert machine().facts("login", "portside", **password)["logged_in"]
    failed(machine().handstamp("login", "portside", "--username", "dana", "--password-stdin", stdin="blue-crane-42\n"), 3, "demo", "dana", "profile")
    assert demo.control.stats().portside.attempts == 1


def test_a_file_that_is_no_session_is_refused_and_changes_nothing(machine: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "cut.json").write_text('{"cookies": [{"name": "sid", "value": "xyzzy')
    cut = machine().handstamp("import", str(tmp_path / "cut.json"), "--yes")
    failed(cut, 4, "cut.json", "line 1")
    assert "xyzzy" not in cut.stderr
    failed(machine().handstamp("import", str(tmp_path / "nowhere.json"), "--yes"), 4, "nowhere.json")
    assert machine().facts("ls") == {"sessions": []}


def test_an_existing_link_is_not_written_through(machine: Callable[..., Any], tmp_path: Path, brought: Callable[..., None]) -> None:
    brought(machine())
    (tmp_path / "target").write_text("precious")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    failed(machine().handstamp("export", "portside", "-o", str(tmp_path / "link")), 3, "symbolic link")
    assert (tmp_path / "target").read_text() == "precious"


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
