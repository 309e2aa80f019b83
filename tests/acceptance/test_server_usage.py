"""The server as programs use it: plain `requests`, and a server in a process of its own."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from handstamp.demo import BUILT_IN, Account

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Machine, Served
    from handstamp.demo import DemoServers

ACCOUNT = {"username": BUILT_IN[0].username, "password": BUILT_IN[0].password}
WIZARD = {"trucking_company": "Alder Road Haulage", "terminal": "North Quay", "move_type": "Pick up full", "container_id": "HBRU3729986", "own_chassis": False}


def logins(demo: DemoServers) -> int:
    return demo.control.stats().portside.logins


def test_an_explicit_session_is_used_listed_and_closed(served: Callable[..., Served], demo: DemoServers) -> None:
    server = served()
    opened = server.post("/get_session", ACCOUNT).json()
    assert (opened["success"], opened["is_new"]) == (True, True)
    found = server.post("/get_containers", {"session_id": opened["session_id"]}).json()
    assert (found["success"], found["session_id"], found["is_new_session"]) == (True, opened["session_id"], False)
    assert len(found["containers"]) > 10
    file = server.get(found["file_url"])
    assert (file.status_code, file.content[:2]) == (200, b"PK")
    assert [one["session_id"] for one in server.get("/sessions").json()["active_sessions"]] == [opened["session_id"]]
    assert server.get("/health").json()["sessions"]["session_capacity"] == "1/10"
    assert server.post("/close_session", {"session_id": opened["session_id"]}).json()["success"]
    refused = server.post("/get_containers", {"session_id": opened["session_id"]})
    assert (refused.status_code, refused.json()["error"]) == (400, "Invalid or expired session_id")
    assert server.get("/sessions").json()["count"] == 0
    assert logins(demo) == 1


def test_a_session_comes_by_itself_with_an_operation_and_is_used_again(served: Callable[..., Served], demo: DemoServers) -> None:
    server = served()
    first = server.post("/get_containers", ACCOUNT).json()
    second = server.post("/get_containers", ACCOUNT).json()
    assert (first["is_new_session"], second["is_new_session"]) == (True, False)
    assert first["session_id"] == second["session_id"] == server.post("/get_session", ACCOUNT).json()["session_id"]
    other = server.post("/get_containers", {"username": BUILT_IN[1].username, "password": BUILT_IN[1].password}).json()
    assert (other["is_new_session"], other["session_id"] != first["session_id"], other["username"]) == (True, True, BUILT_IN[1].username)
    assert logins(demo) == 2


def test_many_callers_with_the_same_credentials_cause_one_login(served: Callable[..., Served], demo: DemoServers) -> None:
    server = served()
    found: list[dict[str, Any]] = []
    callers = [threading.Thread(target=lambda: found.append(server.post("/get_session", ACCOUNT).json())) for _ in range(12)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len({one["session_id"] for one in found}) == 1
    assert [one["is_new"] for one in found].count(True) == 1
    assert (len(found), logins(demo)) == (12, 1)


def test_an_appointment_is_checked_in_phases_with_what_was_missing_given_later(served: Callable[..., Served]) -> None:
    server = served()
    stopped = server.post("/check_appointments", {**ACCOUNT, **WIZARD})
    told = stopped.json()
    assert (stopped.status_code, told["success"], told["error"]) == (400, False, "Missing required field for Phase 2: truck_plate")
    assert told.keys() >= {"code", "session_id", "is_new_session", "appointment_session_id", "current_phase", "missing", "message", "debug_bundle_url"}
    assert (told["current_phase"], told["missing"]) == (2, ["truck_plate"])
    more = {"session_id": told["session_id"], "appointment_session_id": told["appointment_session_id"], "truck_plate": "KX 42 AB"}
    done = server.post("/check_appointments", more).json()
    assert (done["success"], done["session_id"], done["appointment_session_id"]) == (True, told["session_id"], told["appointment_session_id"])
    assert done["available_times"]
    assert server.get(done["debug_bundle_url"]).content[:2] == b"PK"


def test_after_kill_9_of_the_server_sessions_and_workflows_come_back_without_a_login(served: Callable[..., Served], demo: DemoServers) -> None:
    server = served()
    opened = server.post("/get_session", ACCOUNT).json()["session_id"]
    stopped = server.post("/check_appointments", {"session_id": opened, **WIZARD}).json()
    assert server.end(signal.SIGKILL) == -signal.SIGKILL
    server.start()
    assert server.get("/sessions").json()["active_sessions"][0]["state"] == "hibernated"
    assert server.post("/get_containers", {"session_id": opened}).json()["success"]
    assert server.post("/get_session", ACCOUNT).json()["session_id"] == opened
    again = {"session_id": opened, "appointment_session_id": stopped["appointment_session_id"], "truck_plate": "KX 42 AB"}
    assert server.post("/check_appointments", again).json()["success"]
    assert logins(demo) == 1


# -- the end --------------------------------------------------------------------------------------------------


def test_a_signal_lets_what_runs_end_refuses_new_work_and_leaves_nothing_behind(served: Callable[..., Served], demo: DemoServers, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    server = served(TMPDIR=str(temporary))
    opened = server.post("/get_session", ACCOUNT).json()["session_id"]
    demo.control.set(list_slow_ms=1000)
    running: list[requests.Response] = []
    work = threading.Thread(target=lambda: running.append(server.post("/get_containers", {"session_id": opened, "infinite_scrolling": True})))
    work.start()
    while not server.get("/sessions").json()["active_sessions"][0]["in_use"]:
        time.sleep(0.02)
    assert server.process is not None
    with requests.Session() as client:
        server.process.send_signal(signal.SIGTERM)
        refused = None
        while refused is None or refused.status_code != 503:
            refused = client.post(f"{server.url}/get_session", json=ACCOUNT, headers={"Authorization": f"Bearer {server.token}"}, timeout=30)
        assert (refused.json()["code"], refused.json()["success"]) == ("stopping", False)
        assert int(refused.headers["Retry-After"]) >= 1
        assert client.get(f"{server.url}/health", timeout=30).status_code == 503
    work.join()
    assert (running[0].status_code, running[0].json()["success"]) == (200, True)
    assert server.process.wait(45) == 0
    assert not list(temporary.iterdir())
    assert not _browsers_below(temporary)


def test_a_second_signal_ends_it_at_once_and_no_browser_stays(served: Callable[..., Served], demo: DemoServers, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    server = served(TMPDIR=str(temporary))
    opened = server.post("/get_session", ACCOUNT).json()["session_id"]
    demo.control.set(list_slow_ms=20_000)
    threading.Thread(target=_cut_off, args=(server, opened)).start()
    while not server.get("/sessions").json()["active_sessions"][0]["in_use"]:
        time.sleep(0.02)
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)
    while server.get("/health").status_code != 503:
        time.sleep(0.02)
    assert server.end(signal.SIGINT) == 128 + signal.SIGINT
    for _ in range(300):
        if not _browsers_below(temporary):
            return
        time.sleep(0.05)
    raise AssertionError("a browser is still there")


def _cut_off(server: Served, session_id: str) -> None:
    with pytest.raises(requests.RequestException):
        server.post("/get_containers", {"session_id": session_id, "infinite_scrolling": True})


def _browsers_below(folder: Path) -> list[str]:
    """Command lines of processes that name a folder."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes()
        except OSError:  # gone meanwhile
            continue
        if f"--user-data-dir={folder}".encode() in words:
            found.append(words.decode(errors="replace"))
    return found


# -- the command ----------------------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_told_and_nothing_is_started(machine: Callable[..., Machine]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = machine().handstamp("serve", "--json", "--port", str(port))
    assert (done.returncode, json.loads(done.stdout)["code"]) == (3, "config")
    assert f"port {port} at 127.0.0.1 cannot be used (Address already in use)" in json.loads(done.stdout)["error"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--no-auth", "--host", "0.0.0.0"), "lets everybody in"),  # noqa: S104  (that is refused)
        (("--no-auth", "--allowed-hosts", "*"), "every web page"),
        (("--host", "::"), "allowed_hosts"),
        (("--max-sessions", "0"), "--max-sessions is something else than a whole number from 1 to 1000"),
        (("--host", "192.0.2.7"), "cannot be used"),
        (("--add-token", "a"), "say where to with `-o FILE`"),
        (("--add-token", "a", "--scopes", "everything", "--reveal"), "there is no scope 'everything'"),
        (("--revoke", "nobody"), "there is no token 'nobody'"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_started(machine: Callable[..., Machine], words: tuple[str, ...], says: str) -> None:
    facts = machine().facts("serve", *words, status=3)
    assert (facts["code"], says in facts["error"]) == ("config", True), facts


def test_tokens_are_made_shown_once_listed_and_revoked(machine: Callable[..., Machine], served: Callable[..., Served], tmp_path: Path) -> None:
    here, file = machine(), tmp_path / "reports.token"
    said = here.handstamp("serve", "--add-token", "reports", "--scopes", "read,files", "--token-days", "30", "-o", str(file))
    assert said.returncode == 0
    token = file.read_text().strip()
    assert (stat.S_IMODE(file.stat().st_mode), token in said.stdout + said.stderr) == (0o600, False)
    shown = here.handstamp("serve", "--add-token", "second", "--reveal").stdout.strip()
    listed = here.facts("serve", "--tokens")["tokens"]
    assert [(one["name"], one["scopes"], one["ends_at"] is None) for one in listed] == [("reports", ["files", "read"], False), ("second", ["use"], True)]
    server = served()
    assert server.get("/sessions").status_code == 200
    for one, statuses in ((token, (200, 403)), (shown, (200, 400))):
        headers = {"Authorization": f"Bearer {one}"}
        found = (server.call("GET", "/sessions", headers=headers).status_code, server.post("/close_session", {}, headers=headers).status_code)
        assert found == statuses
    assert here.facts("serve", "--revoke", "second") == {"revoked": "second"}
    assert [one["name"] for one in here.facts("serve", "--tokens")["tokens"]] == ["reports", "server"]


def test_it_says_where_it_listens_and_where_the_token_is_and_never_the_token(machine: Callable[..., Machine]) -> None:
    here = machine()
    process = subprocess.Popen(
        [sys.executable, "-m", "handstamp.cli", "serve", "--port", "0", "--log-format", "text"],
        env=here.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    first, second = process.stdout.readline(), process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=40)
    assert process.returncode == 0
    assert first.startswith("Listening at http://127.0.0.1:")
    file = Path(here.environment["HANDSTAMP_HOME"], "server.token")
    assert str(file) in second
    assert file.read_text().strip() not in first + second + out + err
    assert "event=" in err


# -- secrets --------------------------------------------------------------------------------------------------


def test_no_secret_is_in_log_metrics_errors_or_files(served: Callable[..., Served], demo: DemoServers) -> None:
    password, wrong, key = "canary-password-Hq7", "canary-wrong-Pz3", "canary-captcha-Vb9"
    for name in ("canary", "other"):
        demo.control.add_account(Account(name, password))
    demo.control.set(captcha=True)
    server = served("--port", "0", "-vv", HANDSTAMP_SOLVER_URL=demo.solver.url, HANDSTAMP_CHALLENGE_SECONDS="8")
    good = server.post("/get_containers", {"username": "canary", "password": password, "captcha_api_key": demo.solver.api_key, "evidence": True})
    assert good.json()["success"], good.text
    texts = [
        server.post("/get_session", {"username": "other", "password": password, "captcha_api_key": key}).text,  # the solver refuses this key
        server.post("/get_session", {"username": "canary", "password": wrong, "captcha_api_key": demo.solver.api_key}).text,
        server.post("/get_session", {"username": "canary", "password": [password], "captcha_api_key": key}).text,
        server.post("/get_session", {"username": "canary", "password": password, password: key}).text,
        server.post(f"/get_session?password={password}", {"username": "canary"}).text,
        server.post(f"/{key}", {"password": password}).text,
        server.call("GET", "/sessions", headers={"Authorization": f"Bearer {key}"}).text,
    ]
    texts += [good.text, server.get("/metrics").text, server.get("/sessions").text, server.get("/openapi.json").text]
    token = server.token
    assert server.end() == 0
    assert server.log is not None
    texts.append(server.log.read_text())
    secrets = {"password": password, "wrong": wrong, "key": key, "token": token, "solver": demo.solver.api_key}
    assert [(name, text[:200]) for text in texts for name, secret in secrets.items() if secret in text] == []
    left = {file.name: file.read_bytes() for file in Path(server.environment["HANDSTAMP_HOME"]).rglob("*") if file.is_file() and file.name != "server.token"}
    assert {"vault.db"} <= left.keys()
    assert [(name, file) for file, data in left.items() for name, secret in secrets.items() if secret.encode() in data] == []
    assert json.loads(server.log.read_text().splitlines()[0])["level"]
