"""The blocking client against a server that speaks the contract."""

from __future__ import annotations

import logging
import socket
import stat
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from handstamp.errors import ConfigError, InputMissing, LoginBudgetSpent, LoginFailed, PoolFull, ServerError, SessionNotFound, Unauthorized
from handstamp.remote import Remote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CREATED = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def remote(desk) -> Iterator[Remote]:
    with Remote(desk.url, token="hs_canary-token-of-the-test", wait=5.0) as remote:
        yield remote


def test_the_same_credentials_are_the_same_session(desk, remote: Remote) -> None:
    first = remote.get_session("dana", "blue")
    again = remote.get_session("dana", "blue", captcha_api_key="k", site="portside", keep_alive=False)
    assert (first.session_id, first.is_new, first.username, first.created_at, first.message) == ("s-0", True, "dana", CREATED, "opened")
    assert (again.session_id, again.is_new) == ("s-0", False)
    plain, full = [document for _, _, document in desk.asked]
    assert plain == {"username": "dana", "password": "blue", "keep_alive": True}
    assert full == {"username": "dana", "password": "blue", "captcha_api_key": "k", "site": "portside", "keep_alive": False}


def test_an_operation_runs_in_a_session_or_opens_one(desk, remote: Remote) -> None:
    opened = remote.call("get_containers", username="dana", password="blue", infinite_scrolling=True)
    assert (opened.session_id, opened.is_new_session, opened["containers"]) == ("s-0", True, ["MSKU 1"])
    assert opened["given"] == {"username": "dana", "password": "blue", "infinite_scrolling": True}
    later = remote.call("get_containers", session_id=opened.session_id)
    assert (later.session_id, later.is_new_session, later["given"]) == ("s-0", False, {"session_id": "s-0"})
    assert (later.appointment_session_id, later.debug_bundle_url, "success" in later) == ("", "", False)
    assert [path for _, path, _ in desk.asked] == ["/get_containers"] * 2


def test_a_site_of_the_call_counts_before_the_clients_and_that_before_the_servers(desk) -> None:
    with Remote(desk.url, token="hs_canary-token-of-the-test", site="harbour") as remote:
        remote.get_session("dana", "blue")
        remote.call("get_containers", session_id="s-0")
        remote.call("get_containers", session_id="s-0", site="my/port")
    assert [path for _, path, _ in desk.asked] == ["/get_session", "/sites/harbour/get_containers", "/sites/my/port/get_containers"]
    assert desk.asked[0][2]["site"] == "harbour"


def test_what_is_no_name_of_an_operation_is_not_sent(desk, remote: Remote) -> None:
    with pytest.raises(ValueError, match="operation's name"):
        remote.call("../sessions", session_id="s-0")
    assert desk.asked == []


def test_a_workflow_that_stops_says_what_it_needs_and_goes_on_with_it(remote: Remote) -> None:
    with pytest.raises(InputMissing, match="Phase 2: truck_plate") as stopped:
        remote.call("check_appointments", username="dana", password="blue", terminal="north")
    error = stopped.value
    assert (error.missing, error.appointment_session_id, error.phase, error.bundle) == (("truck_plate",), "a-1", 2, "/files/bundle.zip")
    done = remote.call("check_appointments", appointment_session_id=error.appointment_session_id, truck_plate="HH-1")
    assert (done["available_times"], done.appointment_session_id, done.debug_bundle_url) == (["08:00"], "a-1", "/files/bundle.zip")


def test_sessions_are_listed_and_closed(desk, remote: Remote) -> None:
    session = remote.get_session("dana", "blue")
    (told,) = remote.sessions()
    assert (told.session_id, told.username, told.health, told.state, told.in_use) == (session.session_id, "dana", "valid", "live", False)
    assert (told.created_at, told.age_seconds, told.last_refresh) == (CREATED, 12.5, None)
    remote.close_session(session.session_id, forget=True)
    assert desk.asked[-1] == ("POST", "/close_session", {"session_id": "s-0", "forget": True})
    assert remote.sessions() == []
    with pytest.raises(SessionNotFound, match="Invalid or expired session_id"):
        remote.call("get_containers", session_id=session.session_id)


def test_health_is_as_the_server_tells_it(remote: Remote) -> None:
    assert remote.health()["sessions"]["session_capacity"] == "1/10"


# -- files ----------------------------------------------------------------------------------------------------


def test_a_file_of_a_result_arrives_whole_and_private(desk, remote: Remote, tmp_path: Path) -> None:
    found = remote.call("get_containers", username="dana", password="blue")
    (tmp_path / "list.xlsx").write_bytes(b"of yesterday")
    by_field = found.download("file_url", tmp_path / "list.xlsx")
    by_url = remote.download(f"{desk.url}/files/secret%20name.xlsx", tmp_path / "by_url")
    by_name = remote.download("secret name.xlsx", tmp_path / "by_name")
    assert by_field.read_bytes() == by_url.read_bytes() == by_name.read_bytes() == bytes(range(256)) * 4096
    assert stat.S_IMODE(by_field.stat().st_mode) == 0o600


def test_a_file_that_is_not_there_changes_nothing(remote: Remote, tmp_path: Path) -> None:
    (tmp_path / "list.xlsx").write_bytes(b"of yesterday")
    with pytest.raises(SessionNotFound, match="no such file"):
        remote.download("gone.xlsx", tmp_path / "list.xlsx")
    assert (tmp_path / "list.xlsx").read_bytes() == b"of yesterday"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "list.xlsx"]


def test_half_a_file_is_no_file(desk, remote: Remote, tmp_path: Path) -> None:
    desk.plan(200, body=b"half", content_length="8")
    with pytest.raises(ServerError, match=r"cut off .* may be called again"):
        remote.download("half.xlsx", tmp_path / "half.xlsx")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_file_goes_to_no_link_and_no_folder(remote: Remote, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "folder").mkdir()
    for name, reason in (("link", "symbolic link"), ("folder", "directory"), ("none/list", "No such file")):
        with pytest.raises(ConfigError, match=reason):
            remote.download("secret name.xlsx", tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "home", "link"]


@pytest.mark.parametrize("named", ["http://127.0.0.2/files/x", "/sessions", "/files/../sessions", "..", "", "a/b", "/files/%2e%2e"])
def test_the_token_goes_to_this_servers_files_only(desk, remote: Remote, tmp_path: Path, named: str) -> None:
    with pytest.raises(ConfigError):
        remote.download(named, tmp_path / "x")
    assert desk.asked == []


# -- errors ---------------------------------------------------------------------------------------------------


def test_an_error_of_the_server_is_ours_with_its_facts(desk, remote: Remote) -> None:
    said = {"success": False, "error": "dana may not come in", "code": "login-failed", "health": "blocked", "until": "2026-03-01T12:00:00Z"}
    desk.plan(401, said)
    with pytest.raises(LoginFailed, match="dana may not come in") as refused:
        remote.get_session("dana", "blue")
    assert (refused.value.health, refused.value.until) == ("blocked", CREATED)


def test_a_code_of_a_newer_server_is_told(desk, remote: Remote) -> None:
    desk.plan(418, {"success": False, "error": "the kettle is on", "code": "tea-time"})
    with pytest.raises(ServerError, match="the kettle is on") as unknown:
        remote.health()
    assert unknown.value.remote_code == "tea-time"


def test_a_missing_token_is_told_with_the_way_out(desk) -> None:
    with Remote(desk.url) as remote, pytest.raises(Unauthorized, match="HANDSTAMP_SERVER_TOKEN"):
        remote.sessions()


@pytest.mark.parametrize(("status", "body"), [(502, b"<h1>Bad Gateway"), (200, b"<h1>Welcome"), (200, b"[]"), (500, b'{"success": false}')])
def test_what_is_no_handstamp_server_is_told(desk, remote: Remote, status: int, body: bytes) -> None:
    desk.plan(status, body=body)
    with pytest.raises(ServerError, match=f"/health answered {status}, and not as a handstamp server does"):
        remote.health()


def test_a_redirect_is_not_followed(desk, remote: Remote) -> None:
    desk.plan(307, body=b"", location="https://elsewhere.example/health?key=1")
    with pytest.raises(ServerError, match=r"sends on to https://elsewhere\.example, "):
        remote.health()
    assert len(desk.asked) == 1


# -- calls that are made again, and those that are not --------------------------------------------------------


def test_a_full_server_is_asked_again_when_it_says(desk, remote: Remote) -> None:
    for _ in range(2):
        desk.plan(429, {"success": False, "error": "all windows are in use", "code": "pool-full"}, retry_after="0")
    assert remote.get_session("dana", "blue").is_new
    assert len(desk.asked) == 3


def test_who_would_have_to_wait_too_long_is_told_at_once(desk, remote: Remote) -> None:
    desk.plan(429, {"success": False, "error": "all windows are in use", "code": "pool-full"}, retry_after="3600")
    with pytest.raises(PoolFull) as full:
        remote.get_session("dana", "blue")
    assert (full.value.retry_after, len(desk.asked)) == (3600.0, 1)


@pytest.mark.parametrize(
    ("code", "headers", "kind"), [("login-budget-spent", {"retry_after": "0"}, LoginBudgetSpent), ("pool-full", {}, PoolFull)], ids=["account", "no time"]
)
def test_an_account_that_waits_for_a_person_and_an_answer_without_a_time_are_not_asked_again(desk, remote: Remote, code: str, headers, kind: type) -> None:
    desk.plan(429, {"success": False, "error": "no", "code": code}, **headers)
    with pytest.raises(kind):
        remote.get_session("dana", "blue")
    assert len(desk.asked) == 1


def test_a_server_that_is_being_started_is_waited_for() -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))  # nobody listens yet: whoever comes is refused

        def open_late() -> None:
            time.sleep(0.3)
            door.listen()
            client, _ = door.accept()
            with client:
                client.recv(65536)
                client.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n{"status": "started"}')

        late = threading.Thread(target=open_late)
        late.start()
        with Remote(f"http://127.0.0.1:{door.getsockname()[1]}") as remote:
            assert remote.health() == {"status": "started"}
        late.join()


def test_a_server_that_is_not_there_is_told_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    with Remote(f"http://127.0.0.1:{free}", token="t", wait=0) as remote, pytest.raises(ServerError, match=r"cannot be reached .*handstamp serve"):
        remote.health()


@pytest.mark.parametrize(("timeout", "said"), [(0.2, "got no answer in 0.2 s"), (30.0, "was cut off")], ids=["silent", "cut off"])
def test_a_call_that_may_have_been_carried_out_is_not_sent_again(timeout: float, said: str) -> None:
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as door:

        def hear() -> None:
            client, _ = door.accept()
            with client:
                heard.append(client.recv(65536))
                while timeout < 1 and client.recv(65536):  # until it gives up
                    pass

        thread = threading.Thread(target=hear)
        thread.start()
        remote = Remote(f"http://127.0.0.1:{door.getsockname()[1]}", token="t", timeout=timeout)
        with remote, pytest.raises(ServerError, match=f"{said}.*may have carried it out"):
            remote.call("make_appointment", session_id="s-0")
        thread.join()
        door.settimeout(0.3)
        with pytest.raises(TimeoutError):
            door.accept()
    assert len(heard) == 1


# -- secrets --------------------------------------------------------------------------------------------------


def test_no_secret_is_in_a_repr_a_log_or_an_error(desk, remote: Remote, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    session = remote.get_session("dana", "canary-password-of-dana", captcha_api_key="canary-key")
    result = remote.call("get_containers", username="dana", password="canary-password-of-dana")
    desk.plan(500, body=b"oops")
    with pytest.raises(ServerError) as broken:
        remote.get_session("dana", "canary-password-of-dana")
    said = f"{remote!r} {session!r} {result!r} {broken.value!r} {broken.value.__cause__!r} {caplog.text}"
    assert "canary" not in said
    assert "get_containers" in said


def test_what_is_for_this_machine_goes_through_no_proxy(desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with Remote(desk.url, token="hs_canary-token-of-the-test", wait=0) as remote:
        assert remote.health()["status"] == "healthy"
