"""Commands that open a window. The browser is a real, full Chromium whose window nobody sees, so that no display is needed."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import sys
import threading
import time
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from handstamp.browser import find_browser, is_headless_shell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from handstamp.demo import DemoServers


@pytest.fixture
def windows(tmp_path: Path) -> dict[str, str]:
    """A "display", and a Chromium that is content with it."""
    executable = next((path for path in map(shutil.which, ("chromium", "google-chrome")) if path), None) or str(find_browser(headless=False))
    if is_headless_shell(Path(executable)):
        pytest.skip("needs a full Chromium")
    script = tmp_path / "chromium"
    script.write_text(f'#!/bin/sh\nexec {executable} --headless "$@"\n')
    script.chmod(0o700)
    return {"HANDSTAMP_BROWSER": str(script), "DISPLAY": ":nobody"}


class Person:
    """Somebody at a terminal."""

    def __init__(self, here: Any, *words: str, **more: str) -> None:
        self._master, slave = pty.openpty()
        command = [sys.executable, "-m", "handstamp.cli", *words]
        self.process = subprocess.Popen(command, env=here.environment | more, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        self.seen = ""

    def sees(self, text: str) -> None:
        while text not in self.seen:
            assert self._reads(), self.seen

    def presses_enter(self) -> None:
        os.write(self._master, b"\n")

    def presses_ctrl_c(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)

    def waits(self) -> int:
        """For the end; the exit status."""
        while self._reads():
            pass
        os.close(self._master)
        return self.process.wait()

    def _reads(self) -> bool:
        try:
            data = os.read(self._master, 65536)
        except OSError:  # the other side is closed
            return False
        self.seen += data.decode(errors="replace")
        return bool(data)


def test_a_login_by_hand_is_kept_when_the_person_says_that_they_are_in(
    demo: DemoServers, machine: Callable[..., Any], brought: Callable[..., None], windows: dict[str, str]
) -> None:
    here = machine()
    brought(here)  # in the window they are signed in already
    person = Person(here, "login", "portside", "--by-hand", **windows)
    person.sees("press Enter")
    person.presses_enter()
    assert person.waits() == 0, person.seen
    assert "Logged in at portside" in person.seen
    assert here.facts("show", "portside")["session"]["logins"] == 1
    assert demo.control.stats().portside.logins == 0


def test_a_person_who_is_not_in_keeps_nothing(machine: Callable[..., Any], windows: dict[str, str]) -> None:
    here = machine()
    person = Person(here, "login", "portside", "--by-hand", **windows)
    person.sees("press Enter")
    person.presses_enter()
    assert person.waits() == 7
    assert "does not take you for signed in" in person.seen
    assert here.facts("ls") == {"sessions": []}


def test_a_window_stays_open_until_it_is_told_to_end(
    demo: DemoServers, machine: Callable[..., Any], brought: Callable[..., None], windows: dict[str, str]
) -> None:
    here = machine()
    brought(here)
    person = Person(here, "open", "portside", "/account", **windows)
    person.sees("Close the window to end")
    (held,) = here.facts("lock", "default")["locks"]
    assert held["pid"] == person.process.pid
    person.presses_ctrl_c()
    assert person.waits() == 130, person.seen
    assert here.facts("lock") == {"locks": []}
    assert demo.control.stats().portside.logins == 0


def test_the_end_of_the_window_ends_the_command_and_the_session_is_kept(
    demo: DemoServers, machine: Callable[..., Any], brought: Callable[..., None], windows: dict[str, str]
) -> None:
    here = machine()
    brought(here)
    person = Person(here, "open", "portside", "/account", **windows)
    person.sees("Close the window to end")
    os.kill(_browser_of(person.process.pid), signal.SIGTERM)  # Chromium ends so when its last window is closed
    assert person.waits() == 0, person.seen
    assert "what changed is saved" in person.seen
    assert here.facts("check", "portside")["health"] == "valid"
    assert demo.control.stats().portside.logins == 0


@pytest.fixture
def shop() -> Iterator[str]:
    """A site whose login page fills itself in, like a person with a password manager; its URL."""
    form = (
        "<form method=post action=/login><input id=user name=user autocomplete=username><input id=pass name=pass type=password>"
        "<button id=:r7: class=x81hd>Enter shop</button></form><script>setTimeout(() => { user.value = 'dana';"
        "pass.value = 'harbour-light-7'; user.dispatchEvent(new Event('input', {bubbles: true}));"
        "pass.dispatchEvent(new Event('input', {bubbles: true})); document.querySelector('button').click() }, 300)</script>"
    )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            inside = "ticket=let-me-in-4711" in self.headers.get("Cookie", "")
            if self.path == "/" and not inside:
                self._answer(302, "", ("Location", "/login"))
            else:
                self._answer(200, "<a href=/bye>Sign out</a>" if inside and self.path == "/" else form)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(303, "", ("Location", "/"), ("Set-Cookie", "ticket=let-me-in-4711; HttpOnly"), ("Set-Cookie", "seen=1"))

        def _answer(self, status: int, body: str, *headers: tuple[str, str]) -> None:
            self.send_response(status)
            for name, value in (*headers, ("Content-Type", "text/html"), ("Content-Length", str(len(body)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_login_in_the_window_teaches_the_site(shop: str, machine: Callable[..., Any], windows: dict[str, str]) -> None:
    here = machine()
    person = Person(here, "learn", shop, "--name", "shop", "--yes", "--profile", "work", **windows)
    person.sees("press Enter")
    time.sleep(3.0)  # a person is not quicker
    person.presses_enter()
    assert person.waits() == 0, person.seen
    assert "Saved as" in person.seen
    assert "harbour-light-7" not in person.seen
    assert "let-me-in" not in person.seen
    recipe = tomllib.loads((Path(here.environment["HANDSTAMP_HOME"]) / "sites" / "shop.toml").read_text())
    assert recipe["session"]["auth_cookies"] == ["ticket"]
    assert [next(iter(step.items())) for step in recipe["login"]["steps"]] == [
        ("fill", "#user"),
        ("fill", "#pass"),
        ("click", 'button:has-text("Enter shop")'),
    ]
    assert here.facts("check", "shop", "--profile", "work")["health"] == "valid"


def test_nothing_is_learned_without_somebody_at_the_terminal(machine: Callable[..., Any], windows: dict[str, str]) -> None:
    here = machine()
    command = [sys.executable, "-m", "handstamp.cli", "learn", "https://app.example.com", "--json"]
    done = subprocess.run(command, env=here.environment | windows, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=28)
    assert done.returncode == 3
    assert "somebody at the terminal" in done.stdout


def _browser_of(parent: int) -> int:
    """The browser that this process started."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words, status = (process / "cmdline").read_bytes(), (process / "stat").read_text()
        except OSError:  # it has ended meanwhile
            continue
        if b"--user-data-dir=" in words and int(status.rpartition(")")[2].split()[1]) == parent:
            return int(process.name)
    raise AssertionError("it started no browser")
