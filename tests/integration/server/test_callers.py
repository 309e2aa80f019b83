"""Who may call the server, and for what."""

from __future__ import annotations

import contextlib
import sqlite3
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from handstamp.errors import ConfigError
from handstamp.server.first_token import ensure_token
from handstamp.server.gate import FAILURES_PER_MINUTE, LOOKUP_SECONDS
from handstamp.vault import MasterKey, Vault

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Running

ENDPOINTS = {
    ("GET", "/sessions"): "read",
    ("GET", "/metrics"): "read",
    ("GET", "/files/none"): "files",
    ("POST", "/get_session"): "use",
    ("POST", "/close_session"): "use",
    ("POST", "/get_containers"): "use",
    ("POST", "/sites/portside/get_containers"): "use",
    ("POST", "/sessions/none/check"): "use",
    ("POST", "/sessions/none/hibernate"): "use",
}
MAY = {"admin": {"use", "read", "files"}, "use": {"use", "read", "files"}, "read": {"read"}, "files": {"files"}}


def test_without_a_token_nothing_but_health_and_the_description_is_there(server: Running) -> None:
    for method, path in (*ENDPOINTS, ("GET", "/no-such-path"), ("DELETE", "/sessions")):
        answer = server.call(method, path, token="")
        assert (answer.status_code, answer.json()["code"], answer.headers["WWW-Authenticate"]) == (401, "unauthorized", "Bearer"), path
    assert server.get("/health", token="").json().keys() == {"success", "status", "service", "timestamp"}
    assert server.get("/docs", token="").status_code == server.get("/openapi.json", token="").status_code == 200


def test_whatever_is_wrong_with_a_token_the_answer_is_the_same(server: Running) -> None:
    ended = server.vault.add_token("ended", ["admin"], seconds=0.001)
    time.sleep(0.01)
    headers = [
        "",
        "Bearer",
        "Bearer ",
        "Bearer nope",
        f"Bearer {ended}",
        f"Basic {server.token}",
        "Bearer " + "x" * 5000,
        f"Bearer {server.token} x",
        "Bearer \xff",
    ]
    answers = [server.get("/sessions", token="", headers={"Authorization": header.encode("latin-1")}) for header in headers]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1


@pytest.mark.parametrize("scope", MAY)
def test_a_token_opens_what_its_scope_covers_and_nothing_else(server: Running, scope: str) -> None:
    token = server.token_for(scope)
    for (method, path), needed in ENDPOINTS.items():
        answer = server.call(method, path, token=token)
        refused = answer.status_code == 403 and answer.json()["code"] == "forbidden"
        assert refused is (needed not in MAY[scope]), (path, answer.text)
    assert ("version" in server.get("/health", token=token).json()) is ("read" in MAY[scope])


def test_a_revoked_token_stops_working_within_seconds(server: Running) -> None:
    token = server.token_for("read")
    assert server.get("/sessions", token=token).status_code == 200
    server.vault.revoke_token("test-read")
    deadline = time.monotonic() + LOOKUP_SECONDS + 20
    while server.get("/sessions", token=token).status_code == 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert server.get("/sessions", token=token).status_code == 401


def test_who_guesses_tokens_has_to_wait_and_holders_of_one_do_not(server: Running) -> None:
    assert server.get("/sessions").status_code == 200
    answers = [server.get("/sessions", token=f"hs_guess{number}") for number in range(FAILURES_PER_MINUTE + 5)]
    assert {answer.status_code for answer in answers[:FAILURES_PER_MINUTE]} == {401}
    assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "too-many-requests")
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert server.get("/sessions").status_code == 200


def test_a_token_that_was_never_used_works_whatever_others_at_its_address_did(serving: Callable[..., Running]) -> None:
    server = serving(requests_per_minute_without_token=5)
    for number in range(FAILURES_PER_MINUTE + 5):
        assert server.get("/sessions", token=f"hs_guess{number}").status_code in {401, 429}
    assert server.get("/sessions", token="hs_guess").status_code == 429
    assert server.get("/health", token="").status_code == 429
    assert server.get("/sessions", token=server.token_for("read")).status_code == 200
    assert server.get("/sessions").status_code == 200


def test_the_first_token_is_private_and_made_once(home: Path, serving: Callable[..., Running]) -> None:
    first = serving()
    assert stat.S_IMODE((home / "server.token").stat().st_mode) == 0o600
    second = serving()
    assert second.token == first.token
    assert [one.name for one in first.vault.tokens()] == ["server"]
    assert first.token.encode() not in (home / "vault.db").read_bytes()


def test_a_first_token_that_was_revoked_is_not_made_anew(home: Path, serving: Callable[..., Running]) -> None:
    first = serving()
    first.vault.revoke_token("server")
    second = serving()
    assert second.ready.token_works is False
    assert (home / "server.token").read_text().strip() == first.token
    assert second.get("/sessions").status_code == 401


def test_servers_that_start_at_once_on_one_vault_get_a_token_each(tmp_path: Path) -> None:
    servers, key = 8, MasterKey.generate()
    Vault(home=tmp_path / "shared", key=key).close()
    together = threading.Barrier(servers)

    def start(number: int) -> bool:
        with Vault(home=tmp_path / "shared", key=key) as vault:
            assert vault.tokens() == []
            together.wait(timeout=40)
            return ensure_token(vault, tmp_path / f"home-{number}")

    with ThreadPoolExecutor(servers) as threads:
        assert all(threads.map(start, range(servers)))
    with Vault(home=tmp_path / "shared", key=key) as vault:
        assert len(vault.tokens()) == servers
        assert all(vault.token((tmp_path / f"home-{number}" / "server.token").read_text().strip()) for number in range(servers))


def test_a_name_that_another_server_takes_at_the_same_moment_is_left_to_it(tmp_path: Path) -> None:
    with Vault(home=tmp_path / "shared", key=MasterKey.generate()) as vault, ThreadPoolExecutor(1) as threads:
        assert vault.tokens() == []
        with contextlib.closing(sqlite3.connect(vault.where, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # reads go on and see nothing of it, writes wait
            other.execute("INSERT INTO tokens (token_hash, name, scopes, created_at) VALUES (x'00', 'server', 'admin', 0)")
            started = threads.submit(ensure_token, vault, tmp_path / "home")
            time.sleep(0.5)
            assert not started.done()
            other.execute("COMMIT")
        assert started.result(timeout=40)
        assert [one.name for one in vault.tokens()] == ["server", "server-2"]


def test_a_server_without_tokens_is_for_this_machine_alone(serving: Callable[..., Running]) -> None:
    assert serving(with_tokens=False).get("/sessions", token="").status_code == 200
    with pytest.raises(ConfigError, match="lets everybody in who reaches"):
        serving(with_tokens=False, host="0.0.0.0")  # noqa: S104  (that is refused)


def test_only_names_of_the_server_are_taken(serving: Callable[..., Running]) -> None:
    server = serving(allowed_hosts=("sessions.example", "*.inner.example"))
    for host in ("localhost", f"127.0.0.1:{server.port}", "[::1]:9", "Sessions.Example", "a.inner.example"):
        assert server.get("/health", headers={"Host": host}).status_code == 200, host
    for host in ("evil.example", "sessions.example.evil.example", "inner.example", "", "a@localhost", "localhost:x"):
        answer = server.get("/health", headers={"Host": host})
        assert (answer.status_code, answer.json()["code"]) == (400, "host-refused"), host


def test_a_wildcard_address_needs_the_names(serving: Callable[..., Running]) -> None:
    with pytest.raises(ConfigError, match="allowed_hosts"):
        serving(host="0.0.0.0")  # noqa: S104  (that is refused)
    assert serving(host="0.0.0.0", allowed_hosts=("x.example",)).get("/health", headers={"Host": "x.example"}).status_code == 200  # noqa: S104  (named)


def test_a_server_without_tokens_is_not_called_by_just_any_name(serving: Callable[..., Running]) -> None:
    with pytest.raises(ConfigError, match=r"every web page.*start it without --no-auth"):
        serving(with_tokens=False, allowed_hosts=("own.example", "*"))
    named = serving(with_tokens=False, allowed_hosts=("own.example",))
    assert named.get("/sessions", headers={"Host": "own.example"}).status_code == 200
    assert named.get("/sessions", headers={"Host": "evil.example"}).status_code == 400
    assert serving(allowed_hosts=("*",)).get("/sessions", token="", headers={"Host": "evil.example"}).status_code == 401


def test_web_pages_of_others_may_not_call(server: Running) -> None:
    own = f"http://127.0.0.1:{server.port}"
    assert server.post("/close_session", {"session_id": "x"}, headers={"Origin": own}).json()["code"] == "session-not-found"
    for origin in ("https://evil.example", "null", f"http://127.0.0.1:{server.port}.evil.example", "http://[", "file://"):
        answer = server.post("/close_session", {"session_id": "x"}, headers={"Origin": origin})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), origin
    assert not [name for name in server.get("/health").headers if name.lower().startswith("access-control")]


def test_every_answer_forbids_what_a_browser_could_do_with_it(server: Running) -> None:
    for path in ("/health", "/sessions", "/none", "/docs", "/openapi.json", "/metrics"):
        headers = server.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "server" not in headers
