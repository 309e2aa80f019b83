"""Sessions and operations over HTTP: what comes back, whatever happens."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from handstamp.demo import BUILT_IN
from handstamp.operations import Files
from handstamp.server import ServerSettings
from handstamp.server.front import Front, Intake
from handstamp.server.gate import Gate
from handstamp.server.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Running
    from handstamp.demo import DemoServers

ACCOUNT = {"username": BUILT_IN[0].username, "password": BUILT_IN[0].password}
LISTED = {"session_id", "username", "site", "keep_alive", "created_at", "last_used", "age_seconds", "last_refresh", "health", "state", "in_use"}
OTHER = {"username": BUILT_IN[1].username, "password": BUILT_IN[1].password}


@pytest.fixture
def server(demo: DemoServers, home: Path, serving: Callable[..., Running]) -> Running:
    """With operations of the tests beside portside's own."""
    del demo
    with_operations(home)
    return serving()


def with_operations(home: Path) -> None:
    (home / "sites").mkdir(parents=True, mode=0o700)
    home.chmod(0o700)
    shutil.copy(Path(__file__).with_name("site_of_tests.py"), home / "sites" / "portside.py")
    (home / "sites" / "portside.py").chmod(0o600)


def session(server: Running, account: dict[str, str] = ACCOUNT, **more: Any) -> str:
    answer = server.post("/get_session", {**account, **more})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["session_id"])


def begun(file: Path) -> None:
    deadline = time.monotonic() + 30
    while not Path(f"{file}.begun").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_sessions_life_has_the_fields_of_the_contract(server: Running) -> None:
    first = server.post("/get_session", ACCOUNT).json()
    assert first.keys() == {"success", "session_id", "is_new", "username", "created_at", "expires_at", "message"}
    assert (first["success"], first["is_new"], first["username"], first["expires_at"]) == (True, True, ACCOUNT["username"], None)
    second = server.post("/get_session", {**ACCOUNT, "site": "portside", "keep_alive": True}).json()
    assert (second["session_id"], second["is_new"], second["created_at"]) == (first["session_id"], False, first["created_at"])
    listed = server.get("/sessions").json()
    assert (listed["count"], {*listed["active_sessions"][0]}) == (1, LISTED)
    health = server.get("/health").json()
    assert health["sessions"] == {"active_count": 1, "max_sessions": 10, "session_capacity": "1/10"}
    assert (health["status"], health["active_sessions"], health["persistent_sessions"]) == ("healthy", 1, 1)
    assert server.post(f"/sessions/{first['session_id']}/check").json()["health"] == "valid"
    assert server.post(f"/sessions/{first['session_id']}/hibernate").json()["hibernated"] is True
    assert server.post("/close_session", {"session_id": first["session_id"]}).json()["success"] is True
    assert server.post("/close_session", {"session_id": first["session_id"]}).json()["code"] == "session-not-found"
    third = server.post("/get_session", ACCOUNT).json()
    assert (third["session_id"], third["is_new"]) == (first["session_id"], False)


def test_a_session_that_is_forgotten_is_gone(server: Running, demo: DemoServers) -> None:
    gone = session(server)
    assert server.post("/close_session", {"session_id": gone, "forget": True}).json()["forgotten"] is True
    assert server.get("/sessions").json()["count"] == 0
    assert session(server) != gone
    assert demo.control.stats().portside.logins == 2


@pytest.mark.parametrize("path", ["/tell", "/sites/portside/tell", "/close_session", "/paint"])
def test_a_session_id_that_nobody_has_is_refused_everywhere_alike(server: Running, path: str) -> None:
    answer = server.post(path, {"session_id": "none"})
    assert (answer.status_code, answer.json()) == (400, {"success": False, "error": "Invalid or expired session_id", "code": "session-not-found"})


def test_an_operation_takes_credentials_in_the_place_of_a_session(server: Running, demo: DemoServers) -> None:
    first = server.post("/tell", ACCOUNT).json()
    assert (first["is_new_session"], first["user"], first["text"], first["debug_bundle_url"]) == (True, ACCOUNT["username"], "\ud800", None)
    again = server.post("/sites/portside/tell", ACCOUNT).json()
    assert (again["is_new_session"], again["session_id"]) == (False, first["session_id"])
    assert server.post("/tell", {"session_id": first["session_id"]}).json()["is_new_session"] is False
    assert demo.control.stats().portside.logins == 1


def test_an_operation_leaves_keep_alive_as_it_is_unless_it_says_so(server: Running) -> None:
    def kept() -> bool:
        return bool(server.get("/sessions").json()["active_sessions"][0]["keep_alive"])

    session(server, keep_alive=False)
    assert server.post("/tell", ACCOUNT).json()["success"] is True
    assert kept() is False
    assert server.post("/tell", {**ACCOUNT, "keep_alive": True}).json()["success"] is True
    assert kept() is True
    assert server.post("/tell", OTHER).json()["success"] is True
    assert all(one["keep_alive"] for one in server.get("/sessions").json()["active_sessions"])


def test_input_is_looked_at_before_a_login_is_spent(server: Running, demo: DemoServers) -> None:
    answers = [server.post("/wait_for", {**ACCOUNT, **more}) for more in ({}, {"file": 5}, {"file": "x", "fil": "y"})]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(400, "input-missing"), (400, "invalid-request"), (400, "invalid-request")]
    assert server.post("/tell", {"username": "dana"}).json()["error"] == "say in which session: give session_id, or username and password"
    assert demo.control.stats().portside.attempts == 0


def test_a_workflow_says_what_is_missing_and_goes_on_with_that_alone(server: Running) -> None:
    stopped = server.post("/paint", {**ACCOUNT, "name": "fence"})
    told = stopped.json()
    assert stopped.status_code == 400
    assert {name: told[name] for name in ("success", "error", "code", "is_new_session", "current_phase", "missing", "debug_bundle_url")} == {
        "success": False,
        "error": "Missing required field for Phase 2: colour",
        "code": "input-missing",
        "is_new_session": True,
        "current_phase": 2,
        "missing": ["colour"],
        "debug_bundle_url": None,
    }
    assert "appointment_session_id and colour" in told["message"]
    again = {"session_id": told["session_id"], "appointment_session_id": told["appointment_session_id"]}
    wrong = server.post("/paint", {**again, "colour": "canary-green"})
    assert (wrong.status_code, "canary" in wrong.text) == (400, False)
    done = server.post("/paint", {**again, "colour": "red"}).json()
    assert (done["success"], done["text"], done["appointment_session_id"], done["is_new_session"]) == (True, "red", told["appointment_session_id"], False)
    ended = server.post("/paint", {**again, "colour": "red"})
    assert (ended.status_code, ended.json()["code"]) == (400, "workflow-ended")


def test_an_operation_that_fails_says_in_which_session_and_leaves_a_bundle_and_no_secret(server: Running) -> None:
    refused = server.post("/fail", {**ACCOUNT, "how": "refused"})
    assert (refused.status_code, refused.json()["code"], refused.json()["error"]) == (400, "operation-refused", "the site says no")
    broken = server.post("/fail", {"session_id": refused.json()["session_id"], "how": "broken", "secret": "canary-secret"})
    assert (broken.status_code, broken.json()["code"], broken.json()["is_new_session"]) == (502, "operation-failed", False)
    assert "canary" not in broken.text
    bundle = server.get(broken.json()["debug_bundle_url"])
    assert bundle.content.startswith(b"PK")
    assert "attachment" in bundle.headers["Content-Disposition"]


def test_a_refused_login_is_told_once_and_not_tried_again(server: Running, demo: DemoServers) -> None:
    wrong = {**ACCOUNT, "password": "canary-password"}
    answers = [server.post(path, wrong) for path in ("/get_session", "/tell", "/get_session")]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(401, "login-failed")}
    assert all("canary" not in answer.text and "WWW-Authenticate" not in answer.headers for answer in answers)
    assert demo.control.stats().portside.attempts == 1


def test_sites_and_paths_that_are_not_there_are_told_in_the_same_shape(server: Running) -> None:
    unknown = server.post("/get_session", {**ACCOUNT, "site": "no-such-site"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "site-unknown")
    for method, path, status, code in (
        ("POST", "/sites/none/tell", 404, "not-found"),
        ("POST", "/nothing", 404, "not-found"),
        ("GET", "/files/none", 404, "not-found"),
        ("GET", "/files/..%2f..%2fvault.key", 404, "not-found"),
        ("POST", "/tell/", 404, "not-found"),
        ("GET", "/sessions/", 404, "not-found"),
        ("GET", "/get_session", 405, "method-not-allowed"),
        ("PATCH", "/sessions", 405, "method-not-allowed"),
    ):
        answer = server.call(method, path)
        assert (answer.status_code, answer.json()["code"], answer.json()["success"]) == (status, code, False), path
        assert ("Allow" in answer.headers) is (status == 405)


NO_REQUESTS = ["", "{", "[1]", "null", '"x"', "[" * 30_000, '{"session_id": ' + "1" * 5000 + "}", '{"session_id": "\\ud800"}', "\xff", "NaN"]


def test_what_is_no_request_is_refused_and_never_an_error_of_the_server(serving: Callable[..., Running]) -> None:
    server = serving()
    for body in NO_REQUESTS:
        for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
            answer = server.call("POST", "/close_session", data=body.encode("latin-1"), headers={"Content-Type": kind})
            assert (answer.status_code, answer.json()["success"], answer.json()["code"]) == (400, False, "invalid-request"), (body[:20], kind)


def test_an_operation_goes_on_when_its_client_has_gone(server: Running, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "handstamp.server")
    file, who = tmp_path / "go", session(server)
    with pytest.raises(requests.Timeout):
        requests.post(f"{server.url}/wait_for", json={"session_id": who, "file": str(file)}, headers={"Authorization": f"Bearer {server.token}"}, timeout=1)
    begun(file)
    file.touch()
    deadline = time.monotonic() + 30
    while not [one for one in caplog.records if getattr(one, "facts", {}).get("client_gone")]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert Path(f"{file}.done").exists()


def test_calls_of_one_session_follow_each_other_and_those_of_others_do_not_wait(server: Running, tmp_path: Path) -> None:
    first, other, file = session(server), session(server, OTHER), tmp_path / "go"
    with socket.create_connection(("127.0.0.1", server.port)) as sock:
        body = f'{{"session_id": "{first}", "file": "{file}"}}'.encode()
        head = ["POST /wait_for HTTP/1.1", "Host: localhost", f"Authorization: Bearer {server.token}", "Content-Type: application/json"]
        sock.sendall("\r\n".join([*head, f"Content-Length: {len(body)}", "", ""]).encode() + body)
        begun(file)
        assert server.post("/tell", {"session_id": other}).json()["user"] == OTHER["username"]
        assert {one["session_id"]: one["in_use"] for one in server.get("/sessions").json()["active_sessions"]} == {first: True, other: False}
        file.touch()
        assert server.post("/tell", {"session_id": first}).json()["user"] == ACCOUNT["username"]


@pytest.mark.parametrize(
    ("part", "status", "code"), [("bytes=x", 400, "invalid-request"), ("rows=1-2", 400, "invalid-request"), ("bytes=9000-", 416, "range-refused")]
)
def test_a_part_of_a_file_that_is_not_there_is_refused_in_our_shape(server: Running, home: Path, part: str, status: int, code: str) -> None:
    kept = Files(home / "files", base="/files/").put("a.txt", b"0123456789")
    answer = server.get(kept.url, headers={"Range": part})
    assert (answer.status_code, answer.json()["success"], answer.json()["code"]) == (status, False, code)
    assert answer.headers.get("Content-Range") == ("bytes */10" if status == 416 else None)
    good = server.get(kept.url, headers={"Range": "bytes=2-4"})
    assert (good.status_code, good.text) == (206, "234")


def test_a_result_that_json_has_no_number_for_is_null_and_one_it_cannot_say_tells_whose_session_it_was(server: Running) -> None:
    who = session(server)
    good = server.post("/measure", {"session_id": who, "value": "nan"})
    assert (good.status_code, good.json()["value"]) == (200, None)
    bad = server.post("/measure", {"session_id": who, "value": "object"})
    assert (bad.status_code, bad.json()["code"], bad.json()["session_id"], bad.json()["repeatable"]) == (502, "operation-failed", who, False)


def test_an_operation_that_the_servers_end_cuts_off_is_told_as_one_of_which_nobody_knows(
    demo: DemoServers, home: Path, serving: Callable[..., Running], tmp_path: Path
) -> None:
    assert demo.portside.url
    with_operations(home)
    server = serving(drain_seconds=0.2)
    who, file = session(server), tmp_path / "never"
    with ThreadPoolExecutor(1) as others:
        answer = others.submit(server.post, "/wait_for", {"session_id": who, "file": str(file)})
        begun(file)
        server.ready.stop()
        found = answer.result()
    assert (found.status_code, found.json()["code"], found.json()["repeatable"], found.json()["session_id"]) == (502, "operation-failed", False, who)
    assert "it is not known whether the site has done it" in found.json()["error"]


def test_what_else_the_servers_end_cuts_off_is_told_to_ask_again() -> None:
    async def endless(*_: Any) -> None:
        await asyncio.Event().wait()

    async def flow() -> list[Any]:
        sent: list[Any] = []
        intake = Intake()
        front = Front(endless, gate=Gate(None), names=frozenset({"localhost"}), settings=ServerSettings(), metrics=Metrics(None), intake=intake)  # type: ignore[arg-type]

        received = iter([{"type": "http.request", "body": b""}])

        async def receive() -> Any:
            return next(received, None) or await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        scope: Any = {"type": "http", "method": "POST", "path": "/get_session", "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1)}
        task = asyncio.create_task(front(scope, receive, send))
        await asyncio.sleep(0.1)
        intake.open = False
        task.cancel()
        await task
        return sent

    start, body = asyncio.run(flow())
    assert (start["status"], json.loads(body["body"])["code"]) == (503, "stopping")


def test_metrics_tell_numbers_and_no_names_of_people(server: Running) -> None:
    who = session(server)
    server.post("/tell", {"session_id": who})
    server.post("/fail", {"session_id": who, "how": "refused"})
    server.call("CANARY", "/canary-path")
    text = server.get("/metrics").text
    assert 'handstamp_operations_total{operation="tell",outcome="done",site="portside"} 1.0' in text
    assert 'handstamp_operations_total{operation="fail",outcome="operation-refused",site="portside"} 1.0' in text
    assert 'handstamp_requests_total{method="POST",path="/get_session",status="200"} 1.0' in text
    assert "handstamp_pool_live 1.0" in text
    assert "handstamp_pool_logins_total 1.0" in text
    assert not [secret for secret in (who, ACCOUNT["username"], ACCOUNT["password"], server.token, "canary", "CANARY") if secret in text]
