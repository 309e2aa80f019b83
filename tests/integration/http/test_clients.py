"""The clients on httpx2, httpx and requests against the stand-in sites."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest
import requests

import handstamp
import handstamp.httpx_client
from handstamp.errors import ChallengeUnsolved, ConfigError, LoginRequired, SiteUnknown
from handstamp.sites import Check, Condition, Recipe, SessionRules, Site
from handstamp.state import Clock, Cookie, Device, Entry, Health, Part, PartId, PartKind, StorageState

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Answer, Asked, Web
    from handstamp.demo import DemoServers
    from handstamp.vault import Vault

SYNC = {"httpx2": handstamp.Client, "httpx": handstamp.httpx_client.Client, "requests": handstamp.requests_session}
ASYNC = {"httpx2": handstamp.AsyncClient, "httpx": handstamp.httpx_client.AsyncClient}
ACCOUNT_PAGE = "Log out"


@pytest.fixture(params=list(SYNC))
def client_of(request: pytest.FixtureRequest) -> Any:
    return SYNC[request.param]


@pytest.fixture(params=["httpx2", "httpx"])
def httpx_client_of(request: pytest.FixtureRequest) -> Any:
    return SYNC[request.param]


@pytest.fixture(params=list(ASYNC))
def async_client_of(request: pytest.FixtureRequest) -> Any:
    return ASYNC[request.param]


def saved(vault: Vault, web: Web, *, profile: str = "default", check: Check | None = None, **rules: Any) -> Site:
    """A site at the test's server that `sid=good` is logged in to, and its saved session."""
    usual = Check("/account", (Condition(status=(200,), text=("Log out",)),), (Condition(redirect=("/login",)), Condition(text=("Please sign in",))))
    site = Site(Recipe("local", web.url(), ("127.0.0.1",), check=check or usual, session=SessionRules(auth_cookies=("sid",), **rules)))
    cookie = Cookie("sid", "good", "127.0.0.1", http_only=True)
    jar = Part(PartId(PartKind.COOKIES, "127.0.0.1"), {cookie.key: Entry(cookie, Clock("test").stamp())})
    vault.save(profile, StorageState.of([jar]))
    web.pages["/account"] = lambda asked: inside() if asked.cookies.get("sid") == "good" else outside()
    return site


def inside(text: str = "Log out") -> Answer:
    return 200, text.encode(), []


def outside(*headers: tuple[str, str]) -> Answer:
    return 302, b"", [("Location", "/login"), *headers]


def test_the_first_request_logs_in_and_a_later_process_does_not(demo: DemoServers, client_of: Any) -> None:
    for _ in range(2):
        with client_of("portside") as client:
            assert ACCOUNT_PAGE in client.get("/account").text
            assert client.get("/api/account").json()["username"] == "dana"
    assert demo.control.stats().portside.logins == 1


def test_a_session_that_ends_costs_one_login_and_the_request_is_sent_again(demo: DemoServers, client_of: Any) -> None:
    with client_of("portside") as client:
        client.get("/account")
        demo.control.revoke()
        answer = client.get("/account")
        assert answer.status_code == 200
        assert ACCOUNT_PAGE in answer.text
        assert client.get("/api/account").json()["login_count"] == 2


def test_a_redirect_to_the_login_page_that_was_followed_is_noticed(demo: DemoServers, httpx_client_of: Any) -> None:
    with httpx_client_of("portside", follow_redirects=True) as client:
        client.get("/account")
        demo.control.revoke()
        answer = client.get("/account")
        assert answer.url.path == "/account"
        assert ACCOUNT_PAGE in answer.text


def test_many_requests_at_once_meet_the_end_and_cost_one_login(demo: DemoServers, async_client_of: Any) -> None:
    async def meet() -> None:
        async with async_client_of("portside") as client:
            await client.get("/account")
            demo.control.revoke()
            answers = await asyncio.gather(*(client.get("/account") for _ in range(20)))
            assert all(ACCOUNT_PAGE in answer.text for answer in answers)

    asyncio.run(meet())
    assert demo.control.stats().portside.logins == 2


def test_a_request_that_may_not_be_sent_twice_names_itself_after_the_login(demo: DemoServers, client_of: Any) -> None:
    with client_of("portside") as client:
        client.get("/account")
        demo.control.revoke()
        with pytest.raises(LoginRequired, match=r"POST http://portside\.localhost:\d+/logout met an ended session"):
            client.post("/logout", data={"csrf": "x"})
        assert ACCOUNT_PAGE in client.get("/account").text
    assert demo.control.stats().portside.logins == 2


def test_a_200_login_page_is_noticed(vault: Vault, web: Web, httpx_client_of: Any) -> None:
    site = saved(vault, web)
    web.put("/report", body="<h1>Please sign in</h1>")
    web.pages["/account"] = lambda _: outside()
    with httpx_client_of(site, vault=vault) as client, pytest.raises(LoginRequired, match=r"GET http://127\.0\.0\.1:\d+/report.*handstamp login"):
        client.get("/report")


def test_a_page_that_only_looks_signed_out_is_handed_on_and_believed_for_a_while(vault: Vault, web: Web, client_of: Any) -> None:
    site = saved(vault, web)
    web.put("/help", body="Please sign in to see more")
    with client_of(site, vault=vault) as client:
        for _ in range(3):
            assert "Please sign in" in client.get("/help").text
    assert sum(asked.path == "/account" for asked in web.asked) == 1


def test_a_stream_is_looked_at_and_can_still_be_read(vault: Vault, web: Web, httpx_client_of: Any) -> None:
    site = saved(vault, web)
    web.put("/page", 200, "<p>all of it</p>" * 1000)
    web.put("/file", 200, b"\0\1" * 5000, ("Content-Type", "application/octet-stream"))
    with httpx_client_of(site, vault=vault) as client:
        with client.stream("GET", "/page") as answer:
            assert answer.read() == b"<p>all of it</p>" * 1000
        with client.stream("GET", "/file") as answer:
            assert b"".join(answer.iter_raw(chunk_size=999)) == b"\0\1" * 5000


def test_an_async_stream_is_looked_at_and_can_still_be_read(vault: Vault, web: Web, async_client_of: Any) -> None:
    site = saved(vault, web)
    web.put("/page", 200, "<p>all of it</p>" * 1000)

    async def read() -> bytes:
        async with async_client_of(site, vault=vault) as client, client.stream("GET", "/page") as answer:
            return b"".join([chunk async for chunk in answer.aiter_bytes()])

    assert asyncio.run(read()) == b"<p>all of it</p>" * 1000


def test_a_sign_in_page_in_a_stream_is_noticed(vault: Vault, web: Web, httpx_client_of: Any) -> None:
    site = saved(vault, web)
    web.put("/export", body="Please sign in")
    web.pages["/account"] = lambda _: outside()
    with httpx_client_of(site, vault=vault) as client, pytest.raises(LoginRequired), client.stream("GET", "/export"):
        pass


def test_an_upload_goes_through_and_is_not_repeated_when_it_cannot_be(vault: Vault, web: Web, httpx_client_of: Any) -> None:
    site = saved(vault, web, replay=True)
    web.put("/upload", 201)
    with httpx_client_of(site, vault=vault) as client:
        assert client.post("/upload", files={"file": ("a.txt", io.BytesIO(b"hello"))}).status_code == 201
        assert b"hello" in web.asked[-1].body
        assert client.post("/upload", content=(piece for piece in [b"one ", b"two"])).status_code == 201
        assert web.asked[-1].body == b"one two"


def test_with_replay_a_post_is_sent_again_when_somebody_else_logged_in_meanwhile(vault: Vault, web: Web, client_of: Any) -> None:
    site = saved(vault, web, replay=True)
    web.pages["/order"] = lambda asked: inside("ordered") if asked.cookies.get("sid") == "newer" else outside()
    with client_of(site, vault=vault) as client:
        client.get("/account")
        renew(vault, "newer", told=False)
        assert client.post("/order", data={"n": "1"}).text == "ordered"
    assert [asked.cookies["sid"] for asked in web.asked if asked.path == "/order"][-1] == "newer"


def renew(vault: Vault, value: str, *, told: bool = True) -> None:
    """What another process does: a newer session id in the vault."""
    from handstamp.vault import Vault

    cookie = Cookie("sid", value, "127.0.0.1", http_only=True)
    change = StorageState.of([Part(PartId(PartKind.COOKIES, "127.0.0.1"), {cookie.key: Entry(cookie, Clock("other").stamp())})])
    with Vault() as other:
        (vault if told else other).save("default", change)


def test_a_late_answer_to_a_replaced_id_deletes_nothing(vault: Vault, web: Web, client_of: Any) -> None:
    site = saved(vault, web)

    def page(asked: Asked) -> Answer:
        if asked.cookies.get("sid") == "newer":
            return inside("here")
        renew(vault, "newer")
        return outside(("Set-Cookie", "sid=; Max-Age=0; Path=/"))

    web.pages["/page"] = page
    with client_of(site, vault=vault) as client:
        assert client.get("/page").text == "here"
    assert [cookie.value for cookie in vault.load("default").cookies()] == ["newer"]


@pytest.mark.usefixtures("demo")
def test_a_logout_is_kept_and_known(vault: Vault, httpx_client_of: Any) -> None:
    with httpx_client_of("portside", vault=vault) as client:
        page = client.get("/account").text
        csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
        assert csrf
        assert client.post("/logout", data={"csrf": csrf}).status_code in {302, 303}
    assert not [cookie for cookie in vault.load("default").cookies() if cookie.name == "sid"]
    session = vault.session("default", "portside")
    assert session is not None
    assert session.health is Health.EXPIRED


@pytest.mark.usefixtures("demo")
def test_the_device_of_the_login_is_shown_and_what_the_caller_says_counts_before(vault: Vault, web: Web, client_of: Any) -> None:
    site = saved(vault, web)
    device = Device(user_agent="Harbour/1.0", language="de-CH")
    from dataclasses import replace

    vault.update_session("default", "local", lambda session: replace(session, device=device))
    web.put("/page")
    with client_of(site, vault=vault) as client:
        client.get("/page")
        client.get("/page", headers={"User-Agent": "Mine/2", "Accept-Language": "fr"})
    assert [(asked.headers["user-agent"], asked.headers["accept-language"]) for asked in web.asked] == [("Harbour/1.0", "de-CH"), ("Mine/2", "fr")]


def test_client_hints_of_the_login_go_along_unless_the_caller_is_another_browser(vault: Vault, web: Web, client_of: Any) -> None:
    site = saved(vault, web)
    device = Device(user_agent="Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0", brands='"Chromium";v="156"')
    with client_of(site, vault=vault, device=device) as client:
        client.get("/account")
        client.get("/account", headers={"User-Agent": "Mozilla/5.0 Firefox/150.0"})
    told = [{name: asked.headers.get(f"sec-ch-ua{name}") for name in ("", "-mobile", "-platform")} for asked in web.asked]
    assert told == [{"": '"Chromium";v="156"', "-mobile": "?0", "-platform": '"Linux"'}, {"": None, "-mobile": None, "-platform": None}]


def test_an_error_of_requests_hands_out_no_cookie_of_the_session(vault: Vault, web: Web) -> None:
    site = saved(vault, web)
    with handstamp.requests_session(site, vault=vault) as client:
        adapter = client.get_adapter("http://x")
        with pytest.raises(requests.ConnectionError) as failed:
            adapter.send(requests.Request("GET", "http://127.0.0.1:1/account").prepare(), timeout=5, proxies={})
    assert failed.value.request is not None
    assert "Cookie" not in failed.value.request.headers


def test_cookies_of_the_caller_go_along_and_are_not_kept(vault: Vault, web: Web, client_of: Any) -> None:
    site = saved(vault, web)
    web.put("/page", 200, "", ("Set-Cookie", "theirs=1; Path=/"))
    with client_of(site, vault=vault) as client:
        client.cookies.set("mine", "yes")
        client.get("/page")
        client.get("/page")
    assert web.asked[-1].cookies == {"sid": "good", "mine": "yes", "theirs": "1"}
    assert {cookie.name for cookie in vault.load("default").cookies()} == {"sid", "theirs"}


def test_event_hooks_auth_and_an_own_transport_work_as_in_the_library(vault: Vault, web: Web) -> None:
    site = saved(vault, web)
    web.put("/page", 200, "x")
    for library, kind in ((httpx2, handstamp.Client), (httpx, handstamp.httpx_client.Client)):
        seen: list[str] = []
        hooks = {"request": [lambda request, seen=seen: seen.append(request.method)], "response": [lambda answer, seen=seen: seen.append(answer.status_code)]}
        with kind(site, vault=vault, event_hooks=hooks, auth=("user", "pass"), transport=library.HTTPTransport(retries=1), timeout=5.0) as client:
            assert client.get("/page").text == "x"
        assert seen == ["GET", 200]
        assert web.asked[-1].headers["authorization"].startswith("Basic ")
        assert web.asked[-1].cookies == {"sid": "good"}


def test_http2_and_mounts_are_handed_to_the_library(vault: Vault, web: Web) -> None:
    site = saved(vault, web)
    answered = httpx2.MockTransport(lambda request: httpx2.Response(200, text=request.headers.get("cookie", "none")))
    with handstamp.Client(site, vault=vault, mounts={"http://127.0.0.1": answered}, base_url=web.url("/api/")) as client:
        assert client.get("things").text == "sid=good"
        assert str(client.base_url) == web.url("/api/")


@pytest.mark.usefixtures("demo")
def test_another_user_than_the_saved_one_is_refused(client_of: Any) -> None:
    with client_of("portside") as client:
        client.get("/account")
    with client_of("portside", username="omar", password="green-buoy-17") as client, pytest.raises(ConfigError, match="is dana's at portside, not omar's"):
        client.get("/account")


@pytest.mark.usefixtures("home")
def test_an_unknown_site_is_named(client_of: Any) -> None:
    with pytest.raises(SiteUnknown, match="no site is called 'nowhere'"):
        client_of("nowhere")


def test_a_captcha_before_everything_is_an_error_that_keeps_the_session(vault: Vault, web: Web, client_of: Any) -> None:
    check = Check("/account", (Condition(text=("Log out",)),), (Condition(redirect=("/login",)),), challenged=(Condition(text=("Are you a robot",)),))
    site = saved(vault, web, check=check)
    web.put("/page", 200, "Are you a robot?")
    with client_of(site, vault=vault) as client, pytest.raises(ChallengeUnsolved, match=r"GET .*/page: .*run `handstamp login local --by-hand`"):
        client.get("/page")
    assert [cookie.value for cookie in vault.load("default").cookies()] == ["good"]


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_site_in_trouble_answers_as_in_the_library_and_loses_no_session(vault: Vault, web: Web, client_of: Any, status: int) -> None:
    site = saved(vault, web)
    web.put("/page", status, "Please sign in", ("Set-Cookie", "sid=; Max-Age=0; Path=/"), ("Retry-After", "7"))
    with client_of(site, vault=vault) as client:
        assert client.get("/page").status_code == status
    kept = [cookie.value for cookie in vault.load("default").cookies()]
    assert kept == ([] if status == 429 else ["good"])
    assert not any(asked.path == "/account" for asked in web.asked)


def test_without_a_network_the_librarys_error_is_raised_and_the_session_kept(vault: Vault, web: Web) -> None:
    site = saved(vault, web)
    gone = Site(Recipe("local", "http://127.0.0.1:1", ("127.0.0.1",), check=site.recipe.check, session=site.recipe.session))
    import requests

    errors: dict[str, Callable[..., Any]] = {"httpx2": httpx2.ConnectError, "httpx": httpx.ConnectError, "requests": requests.ConnectionError}
    for name, error in errors.items():
        with SYNC[name](gone, vault=vault) as client, pytest.raises(error):
            client.get("/page")
    assert [cookie.value for cookie in vault.load("default").cookies()] == ["good"]
    assert vault.events(kind="login-failed") == []


def test_a_client_sees_what_another_in_the_process_changes_at_once(vault: Vault, web: Web) -> None:
    site = saved(vault, web)
    web.put("/set", 200, "", ("Set-Cookie", "theme=dark; Path=/"))
    web.put("/page")
    with handstamp.Client(site, vault=vault) as one, handstamp.httpx_client.Client(site, vault=vault) as other:
        other.get("/page")
        one.get("/set")
        other.get("/page")
    assert web.asked[-1].cookies == {"sid": "good", "theme": "dark"}


def test_nothing_secret_is_in_the_repr_of_a_client(vault: Vault, web: Web, client_of: Any) -> None:
    site = saved(vault, web)
    web.put("/page")
    with client_of(site, vault=vault) as client:
        client.get("/page")
        shown = repr(client) + repr(vars(client)) + repr(vars(client._membership)) + repr(vars(client._membership.carrier))
    assert "good" not in shown
