"""Tokens: carried as the recipe says, and renewed once, whoever asks at the same time."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

import handstamp
from handstamp.keeper.looks import Looking
from handstamp.sites import Bearer, Check, Condition, Recipe, Refresh, SessionRules, Site
from handstamp.state import Clock, Cookie, Entry, Health, Part, PartId, PartKind, StorageState

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Web
    from handstamp.demo import DemoServers
    from handstamp.vault import Vault

LIFE = 60.0


def signed_in(demo: DemoServers, vault: Vault) -> None:
    """A session at portside whose tokens are short-lived and whose refresh tokens work once, without a browser."""
    demo.control.set(token_seconds=LIFE, refresh_rotation=True)
    opened = demo.control.open_sessions("dana")[0]
    clock = Clock("test")
    cookie = Cookie("sid", opened.cookie, "portside.localhost", http_only=True)
    items = {("token",): Entry(opened.token, clock.stamp()), ("refresh_token",): Entry(opened.refresh_token, clock.stamp())}
    jar = Part(PartId(PartKind.COOKIES, "portside.localhost"), {cookie.key: Entry(cookie, clock.stamp())})
    vault.save("default", StorageState.of([jar, Part(PartId(PartKind.LOCAL, demo.portside.url), items)]))


def refreshes(demo: DemoServers) -> int:
    return demo.control.stats().portside.requests.get("POST /api/token", 0)


def test_a_spent_token_is_renewed_and_the_request_sent_again(demo: DemoServers, vault: Vault) -> None:
    signed_in(demo, vault)
    with handstamp.Client("portside", vault=vault) as client:
        assert client.get("/api/account").json()["username"] == "dana"
        for count in (1, 2, 3):
            demo.control.advance(LIFE + 1)
            assert client.get("/api/account").json()["username"] == "dana"
            assert refreshes(demo) == count
    assert demo.control.stats().portside.logins == 0


def test_threads_and_tasks_that_meet_a_spent_token_renew_it_once(demo: DemoServers, vault: Vault) -> None:
    signed_in(demo, vault)
    with handstamp.Client("portside", vault=vault) as client:
        client.get("/api/account")
        demo.control.advance(LIFE + 1)
        found: list[int] = []
        threads = [threading.Thread(target=lambda: found.append(client.get("/api/account").status_code)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [200] * 8

    async def tasks() -> list[int]:
        async with handstamp.AsyncClient("portside", vault=vault) as client:
            await client.get("/api/account")
            demo.control.advance(LIFE + 1)
            return [answer.status_code for answer in await asyncio.gather(*(client.get("/api/account") for _ in range(8)))]

    assert asyncio.run(tasks()) == [200] * 8
    assert refreshes(demo) == 2
    assert "token-reuse" not in demo.control.stats().portside.sessions_ended


def test_processes_that_meet_a_spent_token_renew_it_once(demo: DemoServers, vault: Vault) -> None:
    signed_in(demo, vault)
    demo.control.advance(LIFE + 1)
    code = "import handstamp\nwith handstamp.Client('portside') as client: print(client.get('/api/account').status_code)"
    workers = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [worker.communicate()[0].strip() for worker in workers] == ["200"] * 4
    assert refreshes(demo) == 1


@pytest.mark.usefixtures("demo")
def test_a_site_in_trouble_costs_no_token(vault: Vault, web: Web) -> None:
    site = tokens_at(web, vault)
    web.put("/api/token", 503)
    with handstamp.Client(site, vault=vault) as client:
        assert client.get("/api/things").status_code == 401
    assert vault.load("default").local_storage(web.url()) == {"token": "old", "refresh_token": "r1"}


@pytest.mark.usefixtures("demo")
def test_of_those_who_find_that_the_token_has_run_out_one_renews_it(vault: Vault, web: Web) -> None:
    rules = SessionRules(bearer=Bearer(cookie="access"), refresh=Refresh("/api/token", cookie="refresh"))
    check = Check("/account", (Condition(status=(200,)),), (Condition(status=(401,)),))
    site, clock, now = Site(Recipe("local", web.url(), ("127.0.0.1",), check=check, session=rules)), Clock("test"), time.time()
    cookies = [Cookie("access", "old", "127.0.0.1", expires=now - 60), Cookie("refresh", "r0", "127.0.0.1", expires=now + 600)]
    jar = Part(PartId(PartKind.COOKIES, "127.0.0.1"), {cookie.key: Entry(cookie, clock.stamp()) for cookie in cookies})
    vault.save("default", StorageState.of([jar]))
    both = threading.Barrier(2)

    def account(asked: Any) -> Any:
        if "authorization" not in asked.headers:
            both.wait()
            return 401, b"", []
        return 200, b"", []

    web.pages["/account"] = account
    web.put("/api/token", 200, "", ("Set-Cookie", "access=new; Max-Age=600; Path=/"))
    looking = Looking(vault, Clock("look"))
    with ThreadPoolExecutor(2) as threads:
        verdicts = list(threads.map(lambda _: looking.look(site, "default", None), range(2)))
    assert [verdict.health for verdict in verdicts if verdict] == [Health.VALID] * 2
    assert [asked.path for asked in web.asked].count("/api/token") == 1


TOKENS = """
name = "local"
base_url = "{url}"
domains = ["127.0.0.1"]

[session]
bearer = {{ local_storage = "token" }}
refresh = {{ url = "/api/token", local_storage = "refresh_token", store = {{ "data.access" = "token" }} }}
"""


@pytest.mark.usefixtures("demo")
def test_of_processes_whose_token_says_itself_that_it_has_run_out_one_renews_it(vault: Vault, web: Web, home: Path) -> None:
    tokens_at(web, vault, token=jwt(ends=time.time() - 600))
    (home / "sites").mkdir(parents=True, exist_ok=True)
    (home / "sites" / "local.toml").write_text(TOKENS.format(url=web.url()))

    def token(_: Any) -> Any:
        time.sleep(1.0)  # in which the other comes
        return 200, json.dumps({"data": {"access": "new"}}).encode(), []

    web.pages["/api/token"] = token
    code = (
        "import handstamp\nwith handstamp.Client('local') as client:\n  print('ready', flush=True)\n  input()\n  print(client.get('/api/things').status_code)"
    )
    pipe = subprocess.PIPE
    workers = [subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, text=True) for _ in range(2)]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(lambda worker: worker.communicate("\n")[0], workers)) == ["200\n"] * 2
    assert [asked.path for asked in web.asked].count("/api/token") == 1


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    ("status", "to", "health", "cookies"),
    [
        (302, "/login", Health.EXPIRED, set()),
        (303, "/login", Health.EXPIRED, set()),
        (302, "http://portal.example/", Health.UNKNOWN, {"csrf"}),
        (302, "http://[", Health.UNKNOWN, {"csrf"}),
        (307, "/api/token/", Health.UNKNOWN, {"csrf"}),
        (429, "", Health.UNKNOWN, {"csrf"}),
    ],
)
def test_a_renewal_that_is_sent_to_a_page_of_the_site_is_refused_and_one_of_which_nobody_can_tell_deletes_nothing(
    vault: Vault, web: Web, status: int, to: str, health: Health, cookies: set[str]
) -> None:
    site = tokens_at(web, vault)
    web.put("/account", 401)
    web.put("/api/token", status, "", ("Location", to), ("Set-Cookie", "csrf=; Max-Age=0; Path=/"))
    verdict = Looking(vault, Clock("look")).look(site, "default", None)
    assert verdict is not None
    assert (verdict.health, {cookie.name for cookie in vault.load("default").cookies()}) == (health, cookies)


@pytest.mark.usefixtures("demo")
def test_a_renewal_by_form_goes_to_the_place_that_the_recipe_names(vault: Vault, web: Web) -> None:
    site = tokens_at(web, vault, form=True)
    web.put("/api/token", 200, json.dumps({"data": {"access": "new"}}), ("Content-Type", "application/json"))
    with handstamp.Client(site, vault=vault) as client:
        assert client.get("/api/things").text == "things"
    assert next(asked.body for asked in web.asked if asked.path == "/api/token") == b"grant_type=refresh_token&refresh_token=r1"
    assert vault.load("default").local_storage(web.url())["token"] == "new"


def tokens_at(web: Web, vault: Vault, *, form: bool = False, token: str = "old") -> Site:
    refresh = Refresh("/api/token", local_storage="refresh_token", form=form, send=(("grant_type", "refresh_token"),), store=(("data.access", "token"),))
    check = Check("/account", (Condition(status=(200,)),), (Condition(status=(401,)),))
    rules = SessionRules(bearer=Bearer(local_storage="token"), refresh=refresh, csrf=Bearer(cookie="csrf", header="X-CSRF", format="{value}"))
    clock = Clock("test")
    items = {("token",): Entry(token, clock.stamp()), ("refresh_token",): Entry("r1", clock.stamp())}
    cookie = Cookie("csrf", "c-1", "127.0.0.1")
    jar = Part(PartId(PartKind.COOKIES, "127.0.0.1"), {cookie.key: Entry(cookie, clock.stamp())})
    vault.save("default", StorageState.of([jar, Part(PartId(PartKind.LOCAL, web.url()), items)]))

    def things(asked: Any) -> Any:
        return (200, b"things", []) if asked.headers.get("authorization") == "Bearer new" else (401, b"", [])

    web.pages["/api/things"] = things
    return Site(Recipe("local", web.url(), ("127.0.0.1",), check=check, session=rules))


@pytest.mark.usefixtures("demo")
def test_a_csrf_value_goes_with_what_changes_something_and_with_nothing_else(vault: Vault, web: Web) -> None:
    site = tokens_at(web, vault)
    web.put("/page")
    with handstamp.Client(site, vault=vault) as client:
        client.get("/page")
        client.post("/page")
    assert [asked.headers.get("x-csrf") for asked in web.asked] == [None, "c-1"]


@pytest.mark.usefixtures("demo")
def test_a_token_goes_to_no_other_origin_also_by_redirect(vault: Vault, web: Web) -> None:
    site = tokens_at(web, vault)
    web.put("/away", 302, "", ("Location", web.url("/there", host="localhost")))
    web.put("/there")
    with handstamp.Client(site, vault=vault, follow_redirects=True) as client:
        client.get("/away")
    assert [asked.headers.get("authorization") for asked in web.asked] == ["Bearer old", None]
    assert web.asked[1].cookies == {}


@pytest.mark.usefixtures("demo")
def test_a_spent_token_that_nobody_can_renew_now_starts_no_login(vault: Vault, web: Web) -> None:
    site = tokens_at(web, vault, token=jwt(ends=time.time() - 600))
    web.put("/api/token", 503)
    web.put("/page", 401)
    with handstamp.Client(site, vault=vault) as client:
        assert client.get("/page").status_code == 401
    assert {asked.path for asked in web.asked} == {"/api/token", "/page"}
    assert vault.events(site="local") == []


def jwt(*, ends: float) -> str:
    head, claims = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "none"}, {"exp": ends}))
    return f"{head}.{claims}.x"
