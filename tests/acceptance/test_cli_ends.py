"""How commands end: by signals, by a reader that has gone, in a terminal; always clean."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from handstamp.demo import BUILT_IN
from handstamp.sites.totp import parse_totp

if TYPE_CHECKING:
    from collections.abc import Callable

    from handstamp.demo import DemoServers

PASSWORD = "harbour-light-7"
# Its stdin becomes its /dev/tty, which is where a password is asked.
AT_TERMINAL = """
import fcntl, runpy, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
runpy.run_module("handstamp.cli", run_name="__main__")
"""


def started(here: Any, *words: str, **more: str) -> subprocess.Popen[str]:
    """A command in a process group of its own, as a shell starts it."""
    return subprocess.Popen(
        [sys.executable, "-m", "handstamp.cli", *words],
        env=here.environment | more,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_an_open_session_clean_and_the_session_lives_on(
    demo: DemoServers, machine: Callable[..., Any], brought: Callable[..., None], tmp_path: Path, number: int
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    here = machine(TMPDIR=str(temporary))
    brought(here)
    process = started(here, "open", "portside", "/containers", "--headless", "--screenshot", str(tmp_path / "page.png"))
    demo.control.set(slow_ms=2000)
    _until(lambda: demo.control.stats().portside.requests.get("GET /containers"))  # the page is on its way
    os.killpg(process.pid, number)  # as Ctrl-C does: all processes of the group
    assert process.communicate() == ("", "")
    assert process.returncode == 128 + number
    assert list(temporary.glob("handstamp-browser-*")) == []  # browser and directory are gone
    demo.control.set(slow_ms=0)
    assert here.facts("lock") == {"locks": []}
    assert here.facts("check", "portside")["health"] == "valid"
    assert demo.control.stats().portside.logins == 0


def test_ctrl_c_while_the_browser_starts_leaves_nothing(machine: Callable[..., Any], password: dict[str, str], tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    process = started(machine(TMPDIR=str(temporary)), "login", "portside", **password)
    _until(lambda: any(temporary.glob("handstamp-browser-*")))
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate() == ("", "")
    assert process.returncode == 130
    assert list(temporary.glob("handstamp-browser-*")) == []


def test_ctrl_c_during_a_login_is_one_quiet_end(demo: DemoServers, machine: Callable[..., Any], password: dict[str, str]) -> None:
    demo.control.set(slow_ms=2000)
    process = started(machine(), "login", "portside", **password)
    _until(lambda: demo.control.stats().portside.requests.get("GET /login"))
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate() == ("", "")
    assert process.returncode == 130


def test_a_reader_that_has_enough_is_no_error(machine: Callable[..., Any]) -> None:
    process = started(machine(), "--help")
    assert process.stdout is not None
    process.stdout.close()  # as `handstamp --help | true` does
    assert process.wait() in {0, 141}
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()


def test_help_starts_without_the_heavy_packages(machine: Callable[..., Any]) -> None:
    done = machine().run("""
        import sys
        from handstamp.cli import main
        status = main(["--help"])
        heavy = {"rich", "playwright", "httpx2", "keyring", "cryptography", "websockets", "sqlite3", "asyncio"} & set(sys.modules)
        print(sorted(heavy), file=sys.stderr)
        raise SystemExit(status)
    """)
    assert (done.returncode, done.stderr) == (0, "[]\n")


def test_the_list_starts_without_browser_network_and_cryptography(machine: Callable[..., Any]) -> None:
    done = machine().run("""
        import sys
        from handstamp.cli import main
        status = main(["ls"])
        heavy = {"playwright", "httpx2", "keyring", "cryptography", "websockets"} & set(sys.modules)
        print(sorted(heavy), file=sys.stderr)
        raise SystemExit(status)
    """)
    assert (done.returncode, done.stderr) == (0, "[]\n")


class Terminal:
    """A command at a terminal that a test types into."""

    def __init__(self, here: Any, *words: str, **more: str) -> None:
        self._master, slave = pty.openpty()
        command = [sys.executable, "-c", AT_TERMINAL, *words]
        environment = here.environment | {"TERM": "xterm-256color", "COLUMNS": "120"} | more
        self._process = subprocess.Popen(command, env=environment, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        self.shown = ""

    def until(self, text: str) -> None:
        """Read until `text` is shown."""
        while text not in self.shown:
            assert self._read(), self.shown

    def type(self, line: str) -> None:
        os.write(self._master, f"{line}\n".encode())

    def end(self) -> int:
        """Read to the end; the exit status."""
        while self._read():
            pass
        os.close(self._master)
        return self._process.wait()

    def _read(self) -> bool:
        try:
            data = os.read(self._master, 65536)
        except OSError:  # the other side is closed
            return False
        self.shown += data.decode(errors="replace")
        return bool(data)


def test_a_person_is_asked_for_user_name_and_password_which_is_not_shown(demo: DemoServers, machine: Callable[..., Any]) -> None:
    terminal = Terminal(machine(), "login", "portside")
    terminal.until("User name at portside: ")
    terminal.type("demo")
    terminal.until("Password of demo: ")
    terminal.type(PASSWORD)
    assert terminal.end() == 0, terminal.shown
    assert "Logged in at portside as demo" in terminal.shown
    assert PASSWORD not in terminal.shown
    assert demo.control.stats().portside.logins == 1


def test_a_person_is_asked_for_the_one_time_code(demo: DemoServers, machine: Callable[..., Any], password: dict[str, str]) -> None:
    demo.control.set(totp=True)
    terminal = Terminal(machine(), "login", "portside", **password)
    terminal.until("Your answer: ")
    secret = BUILT_IN[0].totp_secret
    assert secret is not None
    terminal.type(parse_totp(secret).code_at(time.time()))
    assert terminal.end() == 0, terminal.shown
    assert (demo.control.stats().portside.logins, demo.control.stats().portside.failures) == (1, 0)


def test_a_person_reads_the_picture_that_a_site_shows(demo: DemoServers, machine: Callable[..., Any], password: dict[str, str], tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    demo.control.set(captcha=True)
    terminal = Terminal(machine(TMPDIR=str(temporary)), "login", "portside", **password)
    terminal.until("Your answer: ")
    (picture,) = temporary.glob("handstamp-question-*.png")
    assert picture.name in terminal.shown.replace("\r\n", "")
    assert picture.read_bytes().startswith(b"\x89PNG")
    terminal.type(demo.control.captcha_answer())
    assert terminal.end() == 0, terminal.shown
    assert list(temporary.glob("handstamp-*")) == []
    assert demo.control.stats().portside.logins == 1


def test_without_a_terminal_a_picture_is_an_error_that_says_so(demo: DemoServers, machine: Callable[..., Any], password: dict[str, str]) -> None:
    demo.control.set(captcha=True)
    done = machine(HANDSTAMP_CHALLENGE_SECONDS="1").handstamp("login", "portside", "--json", **password)
    assert (done.returncode, json.loads(done.stdout)["code"]) == (7, "challenge-unsolved")
    assert "handstamp answer " in done.stderr  # somebody else might have
    assert demo.control.stats().portside.attempts == 0


def test_a_no_at_the_terminal_changes_nothing(machine: Callable[..., Any], brought: Callable[..., None]) -> None:
    here = machine()
    brought(here)
    terminal = Terminal(here, "forget", "portside")
    terminal.until("[y/N]")
    terminal.type("n")
    assert terminal.end() == 0
    assert "Nothing was changed" in terminal.shown
    assert len(here.facts("ls")["sessions"]) == 1


def test_a_terminal_has_colours_unless_they_are_turned_off(machine: Callable[..., Any]) -> None:
    colourful, plain = Terminal(machine(), "sites"), Terminal(machine(), "sites", NO_COLOR="1")
    assert (colourful.end(), plain.end()) == (0, 0)
    assert "portside" in plain.shown
    wrong, quiet = Terminal(machine(), "nonsense"), Terminal(machine(), "nonsense", NO_COLOR="1")
    assert (wrong.end(), quiet.end()) == (2, 2)
    assert "\x1b[31m" in wrong.shown
    assert "\x1b" not in quiet.shown


@pytest.mark.timeout(90)  # seven steps, each a process or a browser of its own
def test_the_demonstration_shows_one_login_and_two_pictures(tmp_path: Path, machine: Callable[..., Any]) -> None:
    here = machine(TMPDIR=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "handstamp.cli", "demo", "--json", "--out", str(tmp_path / "pictures")],
        env=here.environment, capture_output=True, text=True, timeout=80, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done
    facts = json.loads(done.stdout)
    assert (facts["logins"], facts["attempts"], len(facts["steps"])) == (1, 1, 6)
    assert [Path(file).read_bytes()[:4] for file in facts["screenshots"]] == [b"\x89PNG"] * 2
    assert [path.name for path in tmp_path.iterdir()] == ["pictures"]  # homes and browsers' directories are gone


def test_a_demonstration_that_fails_says_which_step_and_why(tmp_path: Path, machine: Callable[..., Any]) -> None:
    done = machine().handstamp("demo", "--out", str(tmp_path / "pictures"), HANDSTAMP_BROWSER="/nonexistent")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "step 'Log in at portside" in done.stderr
    assert "/nonexistent" in done.stderr


def test_the_sites_can_be_served_until_ctrl_c(machine: Callable[..., Any]) -> None:
    process = started(machine(), "demo", "--serve", "--json")
    assert process.stdout is not None
    facts = json.loads(_object(process))
    assert httpx2.get(facts["portside"]["plain_url"], trust_env=False).status_code == 200
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate()
    assert (out, err, process.returncode) == ("", "", 130)
    with pytest.raises(httpx2.TransportError):
        httpx2.get(facts["portside"]["plain_url"], trust_env=False)


def _object(process: subprocess.Popen[str]) -> str:
    """The JSON object that a process printed, which goes on."""
    assert process.stdout is not None
    lines = []
    while not lines or lines[-1] != "}\n":
        lines.append(process.stdout.readline())
        assert lines[-1], "it ended before"
    return "".join(lines)


def _until(happened: Callable[[], object]) -> None:
    while not happened():
        time.sleep(0.05)
