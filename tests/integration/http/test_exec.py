"""`handstamp exec`: other programs in a session, by the command line as it is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from handstamp.state import Clock, Cookie, Entry, Part, PartId, PartKind, StorageState

if TYPE_CHECKING:
    from handstamp.demo import DemoServers
    from handstamp.vault import Vault


@pytest.fixture
def opened(demo: DemoServers, vault: Vault) -> DemoServers:
    """A session of portside at its plain address, as wget knows no names below localhost."""
    cookie = Cookie("sid", demo.control.open_sessions("dana")[0].cookie, "127.0.0.1", http_only=True, same_site="Lax")
    jar = Part(PartId(PartKind.COOKIES, "127.0.0.1"), {cookie.key: Entry(cookie, Clock("test").stamp())})
    vault.save("default", StorageState.of([jar]))
    return demo


def run(demo: DemoServers, env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    env = env | {"HANDSTAMP_PORTSIDE_BASE_URL": demo.portside.plain_url}
    return subprocess.run([sys.executable, "-m", "handstamp.cli", "exec", "portside", "--", *words], env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("words", [("curl", "-s"), ("wget", "-q", "-O", "-")], ids=["curl", "wget"])
def test_a_rotating_session_is_used_and_what_changed_is_read_back(
    opened: DemoServers, vault: Vault, child_environment: dict[str, str], words: tuple[str, ...]
) -> None:
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    opened.control.set(rotate=True)
    for _ in range(3):
        done = run(opened, child_environment, *words, opened.portside.plain_url + "/account")
        assert done.returncode == 0, done.stderr
        assert "Log out" in done.stdout
    (cookie,) = vault.load("default").cookies()
    assert (cookie.http_only, cookie.same_site) == (True, "Lax")


def test_a_child_gets_a_private_file_that_goes_and_none_of_our_variables(opened: DemoServers, child_environment: dict[str, str]) -> None:
    script = 'stat -c %a "$COOKIES_FILE"; echo "$COOKIES_FILE"; echo "$1"; env | grep -c HANDSTAMP_; exit 7'
    done = run(opened, child_environment, "sh", "-c", script, "sh", "{cookies}")
    mode, path, same, ours = done.stdout.split()
    assert (mode, same, ours, done.returncode) == ("600", path, "0", 7)
    assert not Path(path).exists()
    assert not Path(path).parent.exists()


def test_the_file_of_one_that_was_killed_goes_with_the_next(opened: DemoServers, child_environment: dict[str, str], tmp_path: Path) -> None:
    env = child_environment | {"HANDSTAMP_PORTSIDE_BASE_URL": opened.portside.plain_url, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "handstamp.cli", "exec", "portside", "--", "sh", "-c", 'echo "$COOKIES_FILE"; exec cat']
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, text=True) as killed,
        subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, text=True) as alive,
    ):
        assert killed.stdin and killed.stdout and alive.stdin  # noqa: PT018  (for the type checker)
        assert alive.stdout
        left, used = Path(killed.stdout.readline().strip()), Path(alive.stdout.readline().strip())
        killed.kill()
        killed.wait()
        assert left.exists()
        run(opened, env, "true")
        assert (left.parent.exists(), used.exists()) == (False, True)
        alive.stdin.close()
        assert alive.wait() == 0
    assert not used.parent.exists()


def test_a_child_that_breaks_its_file_costs_no_session(opened: DemoServers, vault: Vault, child_environment: dict[str, str]) -> None:
    before = vault.load("default").cookies()
    for script in ('echo nonsense > "$COOKIES_FILE"', ': > "$COOKIES_FILE"', 'rm "$COOKIES_FILE"'):
        done = run(opened, child_environment, "sh", "-c", script)
        assert done.returncode == 0
    assert vault.load("default").cookies() == before


def test_what_cannot_be_run_is_named(opened: DemoServers, child_environment: dict[str, str]) -> None:
    done = run(opened, child_environment, "no-such-program")
    assert (done.returncode, "there is no program 'no-such-program'" in done.stderr) == (3, True)
    assert run(opened, child_environment).returncode == 2
