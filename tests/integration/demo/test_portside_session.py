"""Sessions, tokens and failures of portside, over real HTTP."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx2
import pytest

if TYPE_CHECKING:
    from handstamp.demo import Control, DemoServers

    from .conftest import Person


def test_ping_tells_in_from_out(person: Person) -> None:
    assert person.ping() == 401
    person.sign_in()
    response = person.http.get("/ping")
    assert (response.status_code, response.content) == (204, b"")


def test_requests_keep_a_session_and_silence_ends_it(person: Person, control: Control) -> None:
    control.set(session_seconds=100)
    person.sign_in()
    for _ in range(3):
        control.advance(90)
        assert person.ping() == 204
    control.advance(101)
    response = person.http.get("/account")
    assert response.headers["location"] == "/login?next=/account&reason=ended"
    assert person.sid is None  # taken back
    assert "Your session has ended." in person.http.get(response.headers["location"]).text
    assert control.stats().portside.sessions_ended == {"expired": 1}


def test_nothing_keeps_a_session_beyond_its_absolute_life(person: Person, control: Control) -> None:
    control.set(absolute_seconds=200)
    person.sign_in()
    control.advance(199)
    assert person.ping() == 204
    control.advance(1)
    assert person.ping() == 401


def test_the_api_wants_the_token_that_the_first_page_hands_out(person: Person) -> None:
    assert person.http.get("/api/account").status_code == 401
    person.sign_in()
    assert person.http.get("/api/account").status_code == 401  # the cookie alone is not enough
    token = person.token()
    assert 'name="api-token"' not in person.http.get("/account").text  # once
    body = person.api(token).json()
    assert {name: body[name] for name in ("username", "name", "login_count")} == {"username": "demo", "name": "Dora Ellison", "login_count": 1}


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic ZGVtbzo=", "token"])
def test_without_a_good_token_the_api_answers_401_in_json(person: Person, header: str) -> None:
    response = person.http.get("/api/containers", headers={"Authorization": header})
    assert response.status_code == 401
    assert response.json()["code"] == "unauthorized"
    assert response.headers["www-authenticate"].startswith("Bearer")


def test_accounts_see_their_own_containers_and_always_the_same(person: Person, other: Person) -> None:
    person.sign_in()
    other.sign_in("dana", "blue-crane-42")
    token = person.token()
    mine, again = (person.api(token, "/api/containers").json() for _ in range(2))
    hers = other.api(other.token(), "/api/containers").json()
    assert mine == again
    assert mine["count"] == len(mine["containers"]) >= 36
    assert not {row["number"] for row in mine["containers"]} & {row["number"] for row in hers["containers"]}


def test_the_api_filters_containers(person: Person) -> None:
    person.sign_in()
    token = person.token()
    every = person.api(token, "/api/containers").json()["containers"]
    found = person.api(token, "/api/containers?status=In+yard&q=HERON").json()["containers"]
    assert found == [row for row in every if row["status"] == "In yard" and "Heron" in row["vessel"]]
    assert found


def test_using_the_api_keeps_the_session(person: Person, control: Control) -> None:
    person.sign_in()
    token = person.token()
    control.advance(1700)
    assert person.api(token).status_code == 200
    control.advance(1700)
    assert person.ping() == 204


def test_the_token_ends_with_its_session(person: Person, control: Control) -> None:
    person.sign_in()
    token = person.token()
    control.advance(1800)
    assert person.api(token).status_code == 401


def renew(person: Person, refresh_token: str | None) -> httpx2.Response:
    return person.http.post("/api/token", json={"refresh_token": refresh_token})


def test_a_short_token_is_renewed(person: Person, control: Control) -> None:
    control.set(token_seconds=60)
    person.sign_in()
    page = person.http.get("/account").text
    token, refresh_token = (page.split(f'name="{name}" content="')[1].split('"')[0] for name in ("api-token", "api-refresh-token"))
    control.advance(60)
    assert person.api(token).status_code == 401
    grant = renew(person, refresh_token).json()
    assert (grant["refresh_token"], grant["expires_in"]) == (refresh_token, 60)
    assert person.api(grant["token"]).status_code == 200


def test_a_rotated_refresh_token_used_again_ends_the_session(person: Person, control: Control) -> None:
    control.set(refresh_rotation=True)
    person.sign_in()
    first = person.token("api-refresh-token")
    second = renew(person, first).json()
    assert second["refresh_token"] != first
    assert renew(person, second["refresh_token"]).status_code == 200
    assert person.ping() == 204
    assert renew(person, first).status_code == 401
    assert person.ping() == 401
    assert person.api(second["token"]).status_code == 401
    assert control.stats().portside.sessions_ended == {"token-reuse": 1}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"refresh_token": 1}', b'{"refresh_token": "' + b"x" * 5000 + b'"}', b"[" * 4000])
def test_a_refresh_that_is_no_refresh_is_a_bad_request(person: Person, body: bytes) -> None:
    response = person.http.post("/api/token", content=body)
    assert (response.status_code, response.json()["code"]) == (400, "bad-request")


def test_an_unknown_refresh_token_is_refused(person: Person) -> None:
    assert renew(person, "unknown").status_code == 401


def test_the_session_id_can_change_with_each_answer(person: Person, control: Control) -> None:
    control.set(rotate=True)
    person.sign_in()
    seen = [person.sid]
    for _ in range(5):
        assert person.ping() == 204
        seen.append(person.sid)
    assert len(set(seen)) == 6
    assert control.stats().portside.sessions_alive == 1


def test_a_replaced_id_is_refused_and_the_cookie_is_left_alone(person: Person, control: Control) -> None:
    control.set(rotate=True)
    person.sign_in()
    old = person.sid
    assert person.ping() == 204
    late = httpx2.get(f"{person.http.base_url}/account", cookies={"sid": old or ""}, trust_env=False)
    assert (late.status_code, late.headers["location"]) == (302, "/login?next=/account")
    assert "set-cookie" not in late.headers  # it could overtake the new one on the way to the same browser
    assert person.ping() == 204


def test_with_a_grace_parallel_requests_stay_signed_in(person: Person, control: Control) -> None:
    control.set(rotate=True, rotate_grace=30)
    person.sign_in()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: person.ping(), range(40)))
    assert answers == [204] * 40
    assert control.stats().portside.sessions_alive == 1


def test_another_user_agent_ends_a_bound_session(person: Person, control: Control) -> None:
    control.set(bind_user_agent=True)
    person.sign_in()
    assert person.ping() == 204
    person.http.headers["user-agent"] = "Another/1"
    assert person.ping() == 401
    assert control.stats().portside.sessions_ended == {"user-agent": 1}


def test_another_user_agent_at_the_api_ends_a_bound_session_too(person: Person, control: Control) -> None:
    control.set(bind_user_agent=True)
    person.sign_in()
    token = person.token()
    assert httpx2.get(f"{person.http.base_url}/api/account", headers={"Authorization": f"Bearer {token}"}, trust_env=False).status_code == 200
    assert person.http.get("/api/account", headers={"Authorization": f"Bearer {token}", "User-Agent": "Another/1"}).status_code == 401
    assert person.ping() == 401


def test_revoked_sessions_are_over_at_once(person: Person, other: Person, control: Control) -> None:
    person.sign_in()
    other.sign_in("dana", "blue-crane-42")
    assert control.revoke(username="demo") == 1
    assert (person.ping(), other.ping()) == (401, 204)
    assert control.revoke() == 1
    assert other.ping() == 401


def test_every_request_can_break(person: Person, control: Control) -> None:
    person.sign_in()
    control.set(error_share=1.0)
    response = person.http.get("/account")
    assert response.status_code == 500
    assert "Something broke on our side." in response.text
    assert person.http.get("/static/portside.css").status_code == 200
    control.set(error_share=0.0)
    assert person.ping() == 204


def test_a_share_of_the_requests_can_break(person: Person, control: Control) -> None:
    control.set(error_share=0.3, error_status=503)
    answers = [person.http.get("/").status_code for _ in range(20)]
    assert (answers.count(503), answers.count(200)) == (6, 14)


def test_broken_answers_have_the_status_that_is_asked_for(person: Person, control: Control) -> None:
    control.set(error_share=1.0, error_status=429)
    response = person.http.get("/account")
    assert (response.status_code, response.headers["retry-after"]) == (429, "60")
    control.set(error_status=599)
    assert person.http.get("/account").status_code == 599


def test_answers_can_be_slow(person: Person, control: Control) -> None:
    control.set(slow_ms=600_000)
    with pytest.raises(httpx2.ReadTimeout):
        person.http.get("/", timeout=0.5)
    control.set(slow_ms=0)
    assert person.http.get("/").status_code == 200


def test_ids_and_tokens_carry_the_canary(person: Person, control: Control) -> None:
    control.set(canary="canary-42", refresh_rotation=True)
    person.sign_in()
    assert (person.sid or "").startswith("canary-42.")
    page = person.http.get("/account").text
    assert page.count('content="canary-42.') == 2


def test_an_unknown_address_is_a_404_in_the_form_that_was_asked(person: Person) -> None:
    page, data = person.http.get("/nowhere"), person.http.get("/api/nowhere")
    assert (page.status_code, "There is no page at this address." in page.text) == (404, True)
    assert (data.status_code, data.json()["code"]) == (404, "not-found")


def test_a_method_that_is_not_there_is_a_405(person: Person) -> None:
    response = person.http.get("/logout")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/", "/about", "/login", "/nowhere"])
def test_every_page_guards_itself_and_says_that_it_is_a_stand_in(person: Person, path: str) -> None:
    response = person.http.get(path)
    assert "stand-in for tests and demonstrations" in response.text
    assert "default-src 'self'" in response.headers["content-security-policy"]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"
    assert "server" not in response.headers


@pytest.mark.parametrize("path", ["/favicon.ico", "/static/favicon.svg", "/static/harbour.svg", "/static/portside.css", "/static/api.js", "/static/otp.js"])
def test_what_pages_need_is_there(person: Person, path: str) -> None:
    assert person.http.get(path).status_code == 200


def test_no_page_asks_another_host(person: Person) -> None:
    person.sign_in()
    for path in ("/", "/about", "/account", "/containers"):
        links = re.findall(r'(?:src|href|action)="([^"]*)"', person.http.get(path).text)
        assert links
        assert all(re.match(r"/(?!/)|#", link) for link in links)


def test_requests_are_counted_for_the_site_and_the_account(person: Person, demo: DemoServers) -> None:
    person.http.get("/account")
    person.sign_in()
    person.http.get("/account")
    person.http.get("/wp-login.php")
    stats = demo.control.stats().portside
    assert stats.requests == {"GET /account": 2, "GET /login": 1, "POST /login": 1, "GET (other)": 1}
    assert stats.accounts["demo"].requests == {"POST /login": 1, "GET /account": 1}
    assert stats.accounts["demo"].sessions_alive == stats.sessions_alive == 1
