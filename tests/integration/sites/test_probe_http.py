"""Looks and checks by plain HTTP at a real server."""

from __future__ import annotations

import gzip
import socket
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from handstamp.http import MAX_BODY, Failure, Transports, probe
from handstamp.sites import Recipe, Site
from handstamp.sites.check import check_by_http
from handstamp.sites.recipe import Bearer, Check, Condition, SessionRules
from handstamp.state import Cookie, Device, Entry, Health, Part, PartId, PartKind, StorageState

if TYPE_CHECKING:
    from playwright.async_api import Page

    from handstamp.sites import Verdict

    from .conftest import Answer, Asked, Web

CHECK = Check("/account", logged_in=(Condition(status=(200,), text=("Log out",)),), logged_out=(Condition(redirect=("/login",)),))
DEVICE = Device(user_agent="Mozilla/5.0 (Test) Device/1", language="de-DE")
INSIDE = "<h1>Account</h1><button>Log out</button>"


def cookie(name: str, value: str = "1", **more: Any) -> Cookie:
    return Cookie(name, value, more.pop("domain", "127.0.0.1"), **more)


def site(web: Web, check: Check = CHECK, **session: Any) -> Site:
    return Site(Recipe("portside", web.url(), ("127.0.0.1",), check=check, session=SessionRules(**session)))


def state(web: Web, *cookies: Cookie, **local: str) -> StorageState:
    parts = [Part(PartId(PartKind.COOKIES, "127.0.0.1"), {one.key: Entry(one) for one in cookies})]
    parts.append(Part(PartId(PartKind.LOCAL, web.url()), {(name,): Entry(value) for name, value in local.items()}))
    return StorageState.of(parts)


def free_port() -> int:
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def changed(cookies: tuple[Cookie, ...]) -> dict[str, str]:
    return {one.name: one.value for one in cookies}


def test_a_look_sends_what_the_browser_would_and_nothing_else(web: Web) -> None:
    web.put("/deep/page", "hello")
    cookies = [
        cookie("sid", "s"),
        cookie("deep", "d", path="/deep"),
        cookie("elsewhere", path="/other"),
        cookie("stranger", domain="other.example"),
        cookie("ended", expires=1.0),
    ]
    seen = probe(web.url("/deep/page#part"), cookies=cookies, device=DEVICE, bearer=("X-Auth-Token", "t")).observation
    asked = web.asked[-1]
    assert (seen.status, seen.body, seen.failure, seen.cookies) == (200, "hello", None, {"sid", "deep"})
    assert asked.headers["cookie"] == "deep=d; sid=s"
    assert asked.headers["user-agent"] == DEVICE.user_agent
    assert asked.headers["accept-language"] == "de-DE"
    assert asked.headers["x-auth-token"] == "t"
    assert asked.host == f"127.0.0.1:{web.port}"


def test_what_each_hop_sets_goes_into_the_next_and_comes_back(web: Web) -> None:
    web.put("/a", web.redirect("/b", "sid=2"))
    web.put("/b", web.redirect("/c", "sid=3", "extra=1"))
    web.put("/c", web.answer("end", 200, "extra=; Max-Age=0"))
    result = probe(web.url("/a"), cookies=[cookie("sid", "1")], device=DEVICE)
    assert [asked.cookies for asked in web.asked] == [{"sid": "1"}, {"sid": "2"}, {"sid": "3", "extra": "1"}]
    assert changed(result.changes)["sid"] == "3"
    assert [one.expires for one in result.changes if one.name == "extra"] == [0.0]
    assert result.observation.redirects == (web.url("/b"), web.url("/c"))
    assert result.observation.final_url == web.url("/c")


def test_a_rotated_cookie_is_not_lost_when_a_later_hop_fails(web: Web) -> None:
    web.put("/a", web.redirect(f"http://127.0.0.1:{free_port()}/gone", "sid=2"))
    result = probe(web.url("/a"), cookies=[cookie("sid", "1")], device=DEVICE)
    assert result.observation.failure is Failure.REFUSED
    assert changed(result.changes) == {"sid": "2"}


def test_deleting_what_is_not_there_changes_nothing(web: Web) -> None:
    web.put("/a", web.answer("", 200, "never=; Max-Age=0", "bad=1; Domain=other.example"))
    assert probe(web.url("/a"), cookies=[], device=DEVICE).changes == ()


def test_a_token_goes_to_its_own_origin_only(web: Web) -> None:
    web.put("/a", web.redirect(web.url("/b", host="portside.localhost")))
    web.put("/b", "end")
    probe(web.url("/a"), cookies=[], device=DEVICE, bearer=("Authorization", "Bearer t"), follow=lambda *_: True)
    assert [asked.headers.get("authorization") for asked in web.asked] == ["Bearer t", None]


def test_names_below_localhost_are_this_machine(web: Web) -> None:
    web.put("/a", "hello")
    seen = probe(web.url("/a", host="portside.localhost"), cookies=[cookie("sid", domain="portside.localhost")], device=DEVICE).observation
    assert (seen.status, seen.final_url) == (200, web.url("/a", host="portside.localhost"))
    assert (web.asked[-1].host, web.asked[-1].cookies) == (f"portside.localhost:{web.port}", {"sid": "1"})


def test_another_site_is_named_and_not_followed(web: Web) -> None:
    web.put("/a", web.redirect("http://wifi.hotel.example/login"))
    seen = probe(web.url("/a"), cookies=[], device=DEVICE).observation
    assert (seen.status, seen.redirects, seen.final_url) == (302, ("http://wifi.hotel.example/login",), web.url("/a"))


def test_redirects_without_end_are_a_failure(web: Web) -> None:
    web.put("/a", web.redirect("/a", "n=1"))
    result = probe(web.url("/a"), cookies=[], device=DEVICE)
    assert result.observation.failure is Failure.LOOP
    assert changed(result.changes) == {"n": "1"}


def test_a_closed_port_is_refused() -> None:
    seen = probe(f"http://127.0.0.1:{free_port()}/?key=hunter2", cookies=[], device=DEVICE).observation
    assert (seen.failure, seen.status) == (Failure.REFUSED, None)
    assert "hunter2" not in seen.detail


def test_a_name_that_is_none_is_a_dns_failure() -> None:
    assert probe("http://portside.invalid/", cookies=[], device=DEVICE, timeout=20.0).observation.failure in {Failure.DNS, Failure.TIMEOUT}


def test_an_open_port_is_no_secure_one(web: Web) -> None:
    assert probe(f"https://127.0.0.1:{web.port}/", cookies=[], device=DEVICE).observation.failure is Failure.TLS


def test_a_server_that_says_nothing_is_a_timeout(web: Web) -> None:
    let_go = threading.Event()
    web.put("/a", web.answer("late", hold=let_go))
    try:
        assert probe(web.url("/a"), cookies=[], device=DEVICE, timeout=0.2).observation.failure is Failure.TIMEOUT
    finally:
        let_go.set()


def test_a_broken_answer_is_a_network_failure() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def cut() -> None:
            connection, _ = server.accept()
            with closing(connection):
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")

        thread = threading.Thread(target=cut)
        thread.start()
        seen = probe(f"http://127.0.0.1:{server.getsockname()[1]}/", cookies=[], device=DEVICE).observation
        thread.join()
    assert seen.failure is Failure.NETWORK


def test_a_body_is_bounded_also_when_it_is_packed_small(web: Web) -> None:
    web.put("/big", b"x" * (MAX_BODY + 10))
    web.put("/bomb", gzip.compress(b"x" * (8 * MAX_BODY)), Content_Encoding="gzip")
    with Transports() as transports:
        for path in ("/big", "/bomb"):
            assert len(probe(web.url(path), cookies=[], device=DEVICE, transports=transports).observation.body) == MAX_BODY


@pytest.mark.parametrize("url", ["http://127.0.0.1:1x/", "ftp://127.0.0.1/", "http:///x", "/account", ""])
def test_what_is_no_url_of_the_web_is_an_error_of_the_caller(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        probe(url, cookies=[], device=DEVICE)


def test_a_live_session_is_valid_and_its_rotated_id_comes_back(web: Web) -> None:
    web.put("/account", web.answer(INSIDE, 200, "sid=new; HttpOnly"))
    looked = check_by_http(site(web), state(web, cookie("sid", "old")), DEVICE)
    assert looked.verdict.health is Health.VALID
    assert (changed(looked.changes), looked.withheld) == ({"sid": "new"}, ())


def test_an_ended_session_is_expired_and_the_login_page_is_left_alone(web: Web) -> None:
    web.put("/account", web.redirect("/login?next=/account", "sid=; Max-Age=0"))
    looked = check_by_http(site(web), state(web, cookie("sid", "old")), DEVICE)
    assert (looked.verdict.health, looked.verdict.evidence[0].rule) == (Health.EXPIRED, "logged-out")
    assert [one.expires for one in looked.changes] == [0.0]
    assert web.count("/login") == 0


def test_a_token_from_local_storage_is_sent(web: Web) -> None:
    web.put("/account", INSIDE)
    check_by_http(site(web, bearer=Bearer(local_storage="token")), state(web, token="abc"), DEVICE)
    assert web.asked[-1].headers["authorization"] == "Bearer abc"


def test_a_session_bound_to_its_user_agent_outlives_the_check(web: Web) -> None:
    alive = {"sid"}

    def account(asked: Asked) -> Answer:
        if asked.headers.get("user-agent") != DEVICE.user_agent:
            alive.clear()
        return web.answer(INSIDE) if alive else web.redirect("/login")

    web.pages["/account"] = account
    for _ in range(10):
        assert check_by_http(site(web), state(web, cookie("sid")), DEVICE).verdict.health is Health.VALID


@pytest.mark.parametrize(
    ("status", "health"), [(500, Health.UNKNOWN), (502, Health.UNKNOWN), (403, Health.BLOCKED), (429, Health.BLOCKED), (404, Health.UNKNOWN)]
)
def test_a_bad_day_of_the_site_is_no_end_of_the_session(web: Web, status: int, health: Health) -> None:
    web.put("/account", "Sorry", status)
    looked = check_by_http(site(web), state(web, cookie("sid")), DEVICE)
    assert (looked.verdict.health, looked.changes) == (health, ())


def test_an_answer_that_cannot_tell_deletes_nothing(web: Web) -> None:
    web.put("/account", web.answer("Sorry", 500, "sid=; Max-Age=0", "extra=1"))
    looked = check_by_http(site(web), state(web, cookie("sid", "old")), DEVICE)
    assert looked.verdict.health is Health.UNKNOWN
    assert (changed(looked.changes), [one.name for one in looked.withheld]) == ({"extra": "1"}, ["sid"])


def test_the_application_s_own_rotation_is_kept_even_with_an_error(web: Web) -> None:
    web.put("/account", web.answer("Sorry", 500, "sid=new"))
    looked = check_by_http(site(web), state(web, cookie("sid", "old")), DEVICE)
    assert changed(looked.changes) == {"sid": "new"}


def test_a_gateway_sets_nothing_in_the_sites_name(web: Web) -> None:
    web.put("/account", web.answer("Bad gateway", 502, "sid=new"))
    looked = check_by_http(site(web), state(web, cookie("sid", "old")), DEVICE)
    assert (looked.changes, changed(looked.withheld)) == ((), {"sid": "new"})


def test_a_site_that_is_down_is_unknown() -> None:
    away = Site(Recipe("portside", f"http://127.0.0.1:{free_port()}", ("127.0.0.1",), check=CHECK))
    looked = check_by_http(away, StorageState(), DEVICE)
    assert (looked.verdict.health, looked.verdict.evidence[0].rule) == (Health.UNKNOWN, "no-answer")
    assert "connection refused" in looked.verdict.text


def test_a_sites_own_check_is_left_to_the_browser(web: Web) -> None:
    class Odd(Site):
        async def check(self, page: Page, *, timeout: float = 10.0) -> Verdict:
            raise NotImplementedError

    looked = check_by_http(Odd(site(web).recipe), state(web), DEVICE)
    assert (looked.verdict.health, looked.verdict.ask_browser) == (Health.UNKNOWN, True)
    assert web.asked == []


def test_a_site_without_a_check_cannot_be_told(web: Web) -> None:
    looked = check_by_http(Site(Recipe("x", web.url(), ("127.0.0.1",))), state(web), DEVICE)
    assert (looked.verdict.health, looked.verdict.ask_browser) == (Health.UNKNOWN, False)
    assert web.asked == []
