"""The demo's process: it starts, it tells nothing secret, and it ends with whoever started it."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

from handstamp.demo import Account, InterpalsKnobs, PortsideKnobs, start

if TYPE_CHECKING:
    from .conftest import Person

PARENT = """
import sys, time
from handstamp.demo import start
with start() as demo:
    print(demo.pid, flush=True)
    time.sleep(600)
"""

# As PARENT, with a child that holds all its open pipes and outlives it.
FORKING_PARENT = """
import os, sys, time
from handstamp.demo import start
with start() as demo:
    child = os.fork()
    if child == 0:
        time.sleep(600)
    print(demo.pid, child, flush=True)
    time.sleep(600)
"""


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int) -> None:
    """The test's own time limit is the limit."""
    while is_running(pid):
        time.sleep(0.02)


def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "handstamp.demo", *arguments], input=stdin, capture_output=True, text=True, check=False)


def test_start_gives_addresses_that_answer_and_stop_ends_them() -> None:
    with start() as demo:
        assert demo.portside.url.startswith("http://portside.localhost:")
        assert demo.interpals.url.startswith("http://interpals.localhost:")
        assert httpx2.get(demo.portside.plain_url, trust_env=False).status_code == 200
        assert httpx2.get(demo.interpals.plain_url, trust_env=False).status_code == 200
        pid, url = demo.pid, demo.portside.plain_url
        assert is_running(pid)
    assert not is_running(pid)
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(url, trust_env=False)


def test_the_sites_listen_on_loopback_only() -> None:
    with start() as demo:
        port = int(demo.portside.plain_url.rpartition(":")[2])
        listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"]
        assert [address for address in listening if address.endswith(f":{port:04X}")] == [f"0100007F:{port:04X}"]


def test_knobs_given_at_the_start_act_from_the_first_request() -> None:
    with start(portside=PortsideKnobs(error_share=1.0), interpals=InterpalsKnobs(attempt_limit=0)) as demo:
        assert httpx2.get(demo.portside.plain_url, trust_env=False).status_code == 500
        fields = {"username": "demo", "password": "harbour-light-7"}
        assert httpx2.post(f"{demo.interpals.plain_url}/v1/token", data=fields, trust_env=False).status_code == 429


def test_a_slow_request_does_not_hold_up_the_end() -> None:
    with start(portside=PortsideKnobs(slow_ms=600_000)) as demo:
        pid = demo.pid
        with pytest.raises(httpx2.ReadTimeout):
            httpx2.get(demo.portside.plain_url, timeout=0.3, trust_env=False)
    assert not is_running(pid)


def test_two_demos_run_beside_each_other() -> None:
    with start() as one, start() as two:
        assert one.portside.url != two.portside.url
        one.control.set(captcha=True)
        assert two.control.knobs()["captcha"] is False


def test_an_error_in_the_block_stops_the_demo() -> None:
    pids: list[int] = []

    def work() -> None:
        with start() as demo:
            pids.append(demo.pid)
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        work()
    assert not is_running(pids[0])


def test_a_killed_parent_leaves_no_orphan() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_running(pid)
        parent.kill()
    wait_until_gone(pid)


def test_a_killed_parent_whose_fork_lives_on_leaves_no_orphan() -> None:
    with subprocess.Popen([sys.executable, "-c", FORKING_PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid, fork = (int(word) for word in parent.stdout.readline().split())
        parent.kill()
        try:
            wait_until_gone(pid)
            assert is_running(fork)
        finally:
            os.kill(fork, signal.SIGKILL)


def test_nothing_that_is_written_or_listed_holds_a_secret(tmp_path: Path, person: Person) -> None:
    log = tmp_path / "demo.log"
    with start(portside=PortsideKnobs(canary="canary-cookie"), log=log) as demo:
        demo.control.add_account(Account("eve", "canary-password"))
        person.http.base_url = demo.portside.plain_url
        assert person.sign_in("eve", "canary-password").status_code == 303
        token = person.token()
        assert person.api(token).status_code == 200
        person.http.get(f"/canary-path?token={token}")
        command_line = Path(f"/proc/{demo.pid}/cmdline").read_bytes() + Path(f"/proc/{demo.pid}/environ").read_bytes()
    written = log.read_text()
    assert "portside POST /login 303" in written
    assert "portside GET (other) 404" in written
    assert "canary" not in written
    assert "eve" not in written
    assert b"canary" not in command_line
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_the_sites_get_no_secret_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDSTAMP_PASSPHRASE", "canary-passphrase")
    with start() as demo:
        assert b"HANDSTAMP_" not in Path(f"/proc/{demo.pid}/environ").read_bytes()


def test_a_demo_that_cannot_start_says_why(tmp_path: Path) -> None:
    from handstamp.errors import ConfigError

    with pytest.raises(ConfigError, match=r"the demo sites did not start: the log .* cannot be written: No such file"), start(log=tmp_path / "no" / "log"):
        pass


def test_a_taken_port_is_one_sentence_and_an_exit_status() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("--port", str(port))
    assert done.returncode == 3
    assert done.stderr == f"port {port} on 127.0.0.1 cannot be used (Address already in use); take another, or 0 for a free one\n"


def test_without_the_extra_it_says_what_to_install() -> None:
    bare = "import sys; sys.modules.update(dict.fromkeys(['starlette', 'uvicorn', 'PIL'])); from handstamp.demo.__main__ import main; sys.exit(main([]))"
    done = subprocess.run([sys.executable, "-c", bare], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr == "the demo sites need pillow, starlette, uvicorn: install handstamp with its extra, `pip install 'handstamp[demo]'`\n"


@pytest.mark.parametrize("stdin", ["", "no json\n", "[]\n", '{"elsewhere": {}}\n', '{"portside": 1}\n'])
def test_a_managed_demo_wants_its_knobs(stdin: str) -> None:
    done = run("--managed", "--json", stdin=stdin)
    assert (done.returncode, done.stdout) == (3, "")
    assert "JSON object of the sites' knobs" in done.stderr


def test_a_managed_demo_ends_when_stdin_does() -> None:
    done = run("--managed", "--json", stdin='{"portside": {"captcha": true}}\n')
    assert done.returncode == 0
    assert json.loads(done.stdout)["pid"] > 0


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_by_hand_it_says_where_it_is_and_a_signal_ends_it(stop: signal.Signals) -> None:
    command = [sys.executable, "-m", "handstamp.demo", "--portside-captcha"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().split()[1]
        assert url.startswith("http://portside.localhost:")
        page = httpx2.get(f"http://127.0.0.1:{url.rpartition(':')[2]}/login", trust_env=False).text
        assert 'id="captcha"' in page
        process.send_signal(stop)
        assert process.wait() == (0 if stop == signal.SIGINT else -stop)
        assert process.stderr.read() == ""
