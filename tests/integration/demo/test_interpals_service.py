"""The account service, over real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from handstamp.demo import Control, DemoServers

GOOD = {"username": "demo", "password": "harbour-light-7"}


@pytest.fixture
def http(demo: DemoServers) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=demo.interpals.plain_url, trust_env=False) as client:
        yield client


def read_self(http: httpx2.Client, token: str) -> httpx2.Response:
    return http.get("/v1/account/self", headers={"X-Auth-Token": token})


def test_a_token_comes_with_a_cookie_and_both_open_the_account(http: httpx2.Client, control: Control) -> None:
    response = http.post("/v1/token", data=GOOD)
    assert response.status_code == 201
    assert http.cookies.get("interpals_sessid")
    body = read_self(http, response.json()["auth_token"]).json()
    assert (body["username"], body["name"]) == ("demo", "Dora Ellison")
    stats = control.stats().interpals
    assert (stats.logins, stats.attempts, stats.accounts["demo"].requests) == (1, 1, {"POST /v1/token": 1, "GET /v1/account/self": 1})


def test_cookie_or_token_alone_is_401(http: httpx2.Client) -> None:
    token = http.post("/v1/token", data=GOOD).json()["auth_token"]
    assert read_self(http, "").status_code == 401
    assert read_self(http, "wrong").json()["code"] == "invalid-token"
    http.cookies.clear()
    assert read_self(http, token).json()["code"] == "session-expired"


def test_a_token_of_another_session_is_401(http: httpx2.Client) -> None:
    first = http.post("/v1/token", data=GOOD).json()["auth_token"]
    http.post("/v1/token", data=GOOD)
    assert read_self(http, first).status_code == 401


def test_wrong_credentials_are_401(http: httpx2.Client, control: Control) -> None:
    response = http.post("/v1/token", data=GOOD | {"password": "wrong"})
    assert (response.status_code, response.json()["code"]) == (401, "invalid-credentials")
    assert "www-authenticate" in response.headers
    assert control.stats().interpals.failures == 1


@pytest.mark.parametrize("fields", [{}, {"username": "demo"}, {"username": "demo", "password": ""}])
def test_a_form_without_its_fields_is_422(http: httpx2.Client, fields: dict[str, str]) -> None:
    response = http.post("/v1/token", data=fields)
    assert (response.status_code, response.json()["code"]) == (422, "missing-field")


def test_too_many_attempts_are_429_until_the_window_has_passed(http: httpx2.Client, control: Control) -> None:
    control.set("interpals", attempt_limit=3)
    wrong = GOOD | {"password": "wrong"}
    assert [http.post("/v1/token", data=wrong).status_code for _ in range(4)] == [401, 401, 401, 429]
    response = http.post("/v1/token", data=GOOD)
    assert response.status_code == 429
    assert 1 <= int(response.headers["retry-after"]) <= 60
    control.advance(60)
    assert http.post("/v1/token", data=GOOD).status_code == 201


def test_sessions_expire_rotate_and_are_revoked_here_too(http: httpx2.Client, control: Control) -> None:
    control.set("interpals", session_seconds=100, rotate=True, canary="canary-9")
    token = http.post("/v1/token", data=GOOD).json()["auth_token"]
    first = http.cookies["interpals_sessid"]
    assert first.startswith("canary-9.")
    assert token.startswith("canary-9.")
    assert read_self(http, token).status_code == 200
    assert http.cookies["interpals_sessid"] != first
    control.advance(100)
    assert read_self(http, token).status_code == 401
    token = http.post("/v1/token", data=GOOD).json()["auth_token"]
    assert control.revoke(site="interpals") == 1
    assert read_self(http, token).status_code == 401
    assert control.stats().interpals.sessions_ended == {"expired": 1, "revoked": 1}


def test_another_user_agent_ends_a_bound_session(http: httpx2.Client, control: Control) -> None:
    control.set("interpals", bind_user_agent=True)
    token = http.post("/v1/token", data=GOOD).json()["auth_token"]
    assert read_self(http, token).status_code == 200
    http.headers["user-agent"] = "Another/1"
    assert read_self(http, token).status_code == 401


def test_its_errors_are_json(http: httpx2.Client, control: Control) -> None:
    assert http.get("/").json()["service"] == "interpals"
    assert (http.get("/nowhere").status_code, http.get("/nowhere").json()["code"]) == (404, "not-found")
    assert http.get("/v1/token").status_code == 405
    control.set("interpals", error_share=1.0, error_status=503)
    response = http.get("/v1/account/self")
    assert (response.status_code, response.json()["code"], response.headers["retry-after"]) == (503, "broken", "60")


def test_knobs_of_one_site_leave_the_other_alone(http: httpx2.Client, control: Control, demo: DemoServers) -> None:
    control.set("interpals", error_share=1.0)
    assert http.get("/").status_code == 500
    assert httpx2.get(demo.portside.plain_url, trust_env=False).status_code == 200
