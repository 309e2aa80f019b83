"""Sessions that are kept alive, challenges that are answered from elsewhere, logins that are counted: from the command line."""

from __future__ import annotations

import json
import shutil
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from handstamp.demo import DemoServers

pytestmark = pytest.mark.timeout(120)
RUN = "import sys; from handstamp.cli import main; sys.exit(main({words!r}))"


def test_a_login_that_waits_is_answered_from_another_process(demo: DemoServers, machine: Callable[..., Any], password: dict[str, str]) -> None:
    demo.control.set(captcha=True)
    here = machine()
    waiting = here.start(RUN.format(words=["login", "portside", "--json"]), **password)
    try:
        while not (found := here.facts("challenges")["challenges"]):
            assert waiting.poll() is None, waiting.communicate()
            time.sleep(0.2)
        (asked,) = found
        assert (asked["site"], asked["account"], asked["kind"], asked["picture"]) == ("portside", "demo", "image", True)
        refused = here.handstamp("answer", asked["challenge_id"], "K7PQX")
        assert (refused.returncode, "stdin" in refused.stderr) == (2, True)
        answered = here.facts("answer", asked["challenge_id"], "-", stdin=f"{demo.control.captcha_answer()}\n")
        assert answered["site"] == "portside"
        out, err = waiting.communicate(timeout=60)
    finally:
        waiting.kill()
    assert (waiting.returncode, json.loads(out)["logged_in"]) == (0, True), err
    assert here.facts("challenges")["challenges"] == []
    assert demo.control.stats().portside.attempts == 1


def test_a_late_answer_says_so(machine: Callable[..., Any]) -> None:
    assert machine().facts("answer", "0123abcd", "-", stdin="7\n", status=5)["code"] == "session-not-found"


def test_a_refused_password_is_tried_again_only_after_it_was_cleared(demo: DemoServers, machine: Callable[..., Any], brought: Callable[..., None]) -> None:
    here = machine(HANDSTAMP_PORTSIDE_USERNAME="demo", HANDSTAMP_PORTSIDE_PASSWORD="not-the-password")
    brought(here)
    demo.control.revoke()
    for _ in range(3):
        done = here.handstamp("refresh", "portside")
        assert done.returncode == 7
    assert "handstamp refresh portside --profile default --clear" in done.stderr
    assert demo.control.stats().portside.attempts == 1
    right = here.facts("refresh", "portside", "--clear", HANDSTAMP_PORTSIDE_PASSWORD="harbour-light-7")
    assert (right["logged_in"], right["failures_forgotten"]) == (True, 1)
    assert here.facts("refresh", "portside")["logged_in"] is False
    assert demo.control.stats().portside.logins == 1


def test_keep_runs_until_a_signal_and_puts_down_what_it_did(demo: DemoServers, machine: Callable[..., Any], brought: Callable[..., None]) -> None:
    here = machine()
    brought(here)
    recipe = here.facts("sites")["sites"]
    assert any(site["name"] == "portside" and site["keep_alive_seconds"] == 300 for site in recipe)
    _often(here.environment["HANDSTAMP_HOME"])
    keeping = here.start(RUN.format(words=["keep"]))
    try:
        deadline = time.monotonic() + 60
        while demo.control.stats().portside.requests.get("GET /ping", 0) < 2 and time.monotonic() < deadline:
            assert keeping.poll() is None, keeping.communicate()
            time.sleep(0.2)
        keeping.send_signal(signal.SIGTERM)
        _, err = keeping.communicate(timeout=40)
    finally:
        keeping.kill()
    assert (keeping.returncode, "Traceback" in err) == (143, False), err
    assert "Keeping sessions at " in err
    assert here.facts("ls")["sessions"][0]["health"] == "valid"
    once = here.facts("keep", "--once")
    assert once["brought_back"] == once["flagged"] == 0


def _often(home: str) -> None:
    """Portside's recipe, with sessions due every second."""
    from importlib.resources import files
    from pathlib import Path

    text = (files("handstamp.sites.portside") / "recipe.toml").read_text("utf-8").replace('every = "5m"', 'every = "1s"')
    folder = Path(home) / "sites"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "portside.toml").write_text(text)


def test_stats_show_how_long_logins_lived(demo: DemoServers, machine: Callable[..., Any], password: dict[str, str]) -> None:
    here = machine()
    assert "Nothing is known yet" in here.handstamp("stats", "portside").stdout
    assert here.facts("login", "portside", **password)["logged_in"]
    demo.control.revoke()
    assert here.facts("check", "portside", status=10)["health"] == "expired"
    found = here.facts("stats", "portside")
    assert (found["logins"], found["ended"], found["alive"], len(found["curve"])) == (1, 1, 0, 1)
    assert found["median_seconds"] == found["curve"][0]["seconds"]
    shown = here.handstamp("stats", "portside").stdout
    assert "100% ┤███" in shown
    assert "1 login at portside, 1 of them over" in shown


def test_check_without_a_site_checks_the_profile(machine: Callable[..., Any], brought: Callable[..., None]) -> None:
    here = machine()
    brought(here)
    brought(here, "dana", "work")
    assert [item["profile"] for item in here.facts("check")["checks"]] == ["default"]
    assert [item["profile"] for item in here.facts("check", "--profile", "work")["checks"]] == ["work"]
    every = here.facts("check", "--all")["checks"]
    assert [item["profile"] for item in every] == ["default", "work"]
    assert every[0]["evidence"][0]["at"].endswith("Z")


def test_a_login_in_a_window_tells_the_person_and_takes_an_answer_from_elsewhere(
    demo: DemoServers, machine: Callable[..., Any], password: dict[str, str], tmp_path: Path
) -> None:
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        pytest.skip("needs a full Chromium")
    script = tmp_path / "chromium"
    script.write_text(f'#!/bin/sh\nexec {executable} --headless "$@"\n')  # a window that nobody sees, so that no display is needed
    script.chmod(0o700)
    demo.control.set(captcha=True)
    here = machine(HANDSTAMP_BROWSER=str(script), DISPLAY=":nobody")
    waiting = here.start(RUN.format(words=["login", "portside", "--window"]), **password)
    try:
        while not (found := here.facts("challenges")["challenges"]):
            assert waiting.poll() is None, waiting.communicate()
            time.sleep(0.2)
        here.facts("answer", found[0]["challenge_id"], "-", stdin=f"{demo.control.captcha_answer()}\n")
        out, err = waiting.communicate(timeout=60)
    finally:
        waiting.kill()
    assert waiting.returncode == 0, err
    assert "pass it in the window" in out
