"""The control endpoint: knobs, accounts, sessions without a login, and who may use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from handstamp.demo import Account, Control, PortsideKnobs, start
from handstamp.errors import ConfigError, ServerError

if TYPE_CHECKING:
    from handstamp.demo import DemoServers

    from .conftest import Person

PATHS = ["/stats", "/knobs", "/accounts", "/captcha", "/nowhere"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("header", [None, "", "Bearer wrong", "Bearer \xff"])
def test_nobody_gets_in_without_the_token(control: Control, path: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    response = httpx2.get(f"{control._http.base_url}{path}", headers=headers, trust_env=False)
    assert (response.status_code, response.json()["code"]) == (401, "unauthorized")


def test_the_control_is_not_at_the_sites_own_ports(demo: DemoServers) -> None:
    headers = {"Authorization": demo.control._http.headers["authorization"]}
    assert httpx2.get(f"{demo.portside.plain_url}/stats", headers=headers, trust_env=False).status_code == 404


def test_a_wrong_knob_turns_nothing(control: Control) -> None:
    with pytest.raises(ConfigError, match="'error_share' takes 0 to 1"):
        control.set(captcha=True, error_share=7.0)
    with pytest.raises(ConfigError, match="no knob 'captchas'"):
        control.set(captchas=True)
    assert control.knobs()["captcha"] is False


def test_a_reset_brings_back_the_knobs_of_the_start() -> None:
    with start(portside=PortsideKnobs(lock_after=2, canary="canary-1")) as demo:
        demo.control.set(lock_after=9, captcha=True)
        demo.control.add_account(Account("eve", "secret"))
        demo.control.reset()
        knobs = demo.control.knobs()
        assert (knobs["lock_after"], knobs["captcha"], knobs["canary"]) == (2, False, "canary-1")
        assert demo.control.usernames() == ["dana", "demo", "omar"]


def test_a_reset_forgets_sessions_and_counts(person: Person, control: Control) -> None:
    person.sign_in()
    control.reset()
    assert control.stats().portside.logins == 0
    assert person.ping() == 401


def test_an_added_account_opens_both_sites(person: Person, demo: DemoServers) -> None:
    demo.control.add_account(Account("eve", "canary-password"))
    assert person.sign_in("eve", "canary-password").status_code == 303
    fields = {"username": "eve", "password": "canary-password"}
    assert httpx2.post(f"{demo.interpals.plain_url}/v1/token", data=fields, trust_env=False).status_code == 201


def test_sessions_can_be_opened_without_a_login(person: Person, demo: DemoServers) -> None:
    opened = demo.control.open_sessions("dana", count=50)
    assert len({session.cookie for session in opened}) == 50
    person.http.cookies.set("sid", opened[7].cookie)
    assert person.ping() == 204
    assert person.api(opened[7].token).json()["username"] == "dana"
    stats = demo.control.stats().portside
    assert (stats.logins, stats.sessions_alive) == (0, 50)
    assert "never" in person.http.get("/account").text


def test_sessions_of_interpals_can_be_opened_too(demo: DemoServers) -> None:
    (opened,) = demo.control.open_sessions("omar", site="interpals")
    url, headers = f"{demo.interpals.plain_url}/v1/account/self", {"X-Auth-Token": opened.token}
    assert httpx2.get(url, cookies={"interpals_sessid": opened.cookie}, headers=headers, trust_env=False).json()["username"] == "omar"


def test_no_session_is_opened_for_nobody(control: Control) -> None:
    with pytest.raises(ConfigError, match="no account has the user name 'nobody'"):
        control.open_sessions("nobody")


def test_where_no_captcha_is_open_none_can_be_read(control: Control) -> None:
    with pytest.raises(ConfigError, match="no captcha is open"):
        control.captcha_answer()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/knobs", {"elsewhere": {}}),
        ("/knobs", {"portside": 1}),
        ("/accounts", {"username": "eve"}),
        ("/accounts", {"username": "eve", "password": "x", "totp_secret": "1"}),
        ("/sessions", {"site": "elsewhere", "username": "demo"}),
        ("/sessions", {"site": "portside", "username": "demo", "count": 0}),
        ("/sessions", {"site": "portside", "username": "demo", "count": True}),
        ("/revoke", {"site": "elsewhere"}),
        ("/advance", {"seconds": -1}),
        ("/advance", {"seconds": True}),
        ("/advance", {}),
        ("/unlock", []),
    ],
)
def test_a_request_that_makes_no_sense_is_told_so(control: Control, path: str, body: Any) -> None:
    response = control._http.post(path, json=body)
    assert (response.status_code, response.json()["code"]) == (400, "config")


def test_a_stopped_demo_is_told_in_one_sentence() -> None:
    with start() as demo:
        control = Control(str(demo.control._http.base_url), "token")
    with control, pytest.raises(ServerError, match="the demo sites do not answer at"):
        control.stats()
