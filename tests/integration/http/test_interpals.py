"""The clients of interpals as they are documented, sync and async, against the stand-in service."""

from __future__ import annotations

import asyncio
import inspect
import json
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from handstamp.errors import LoginBudgetSpent, LoginFailed, LoginRequired, SealBroken, UnreadableState
from handstamp.http.service import Call
from handstamp.sites.interpals import AsyncInterpalClient, InterpalClient

if TYPE_CHECKING:
    from handstamp.demo import DemoServers

FILE = Path(".interpals_session.json")
WHO = ("dana", "blue-crane-42")


def logins(demo: DemoServers) -> int:
    return demo.control.stats().interpals.logins


def attempts(demo: DemoServers) -> int:
    return demo.control.stats().interpals.attempts


def kept(**options: Any) -> InterpalClient:
    return InterpalClient(*WHO, auto_login=True, persist_session=True, **options)


def test_the_documented_signature() -> None:
    wanted = {
        "username": None,
        "password": None,
        "session_cookie": None,
        "auth_token": None,
        "auto_login": False,
        "persist_session": False,
        "session_file": ".interpals_session.json",
        "session_expiration_hours": 24,
        "base_url": None,
    }
    for kind in (InterpalClient, AsyncInterpalClient):
        given = {name: item.default for name, item in inspect.signature(kind).parameters.items()}
        assert dict(list(given.items())[: len(wanted)]) == wanted
        assert all(hasattr(kind, name) for name in ("login", "validate_session", "export_session", "import_session", "get_session_info"))
        assert all(hasattr(kind, name) for name in ("clear_saved_session", "get_self", "close"))


def test_the_first_run_logs_in_and_saves_and_later_runs_reuse(demo: DemoServers) -> None:
    for _ in range(3):
        client = kept()
        assert client.get_self()["username"] == "dana"
        client.close()
    assert logins(demo) == 1


def test_the_async_client_does_the_same_at_its_first_await(demo: DemoServers) -> None:
    async def run(before: int) -> None:
        client = AsyncInterpalClient(*WHO, auto_login=True, persist_session=True)
        assert logins(demo) == before
        assert (await client.get_self())["username"] == "dana"
        assert await client.validate_session()
        await client.close()

    for before in (0, 1):
        asyncio.run(run(before))
    assert logins(demo) == 1


@pytest.mark.usefixtures("demo")
def test_login_of_the_async_client_is_a_blocking_call_and_alogin_is_not() -> None:
    async def run() -> None:
        async with AsyncInterpalClient(*WHO) as client:
            client.login()
            assert (await client.get_self())["login_count"] == 1
            await client.alogin()
            assert (await client.get_self())["login_count"] == 2

    assert not inspect.iscoroutinefunction(AsyncInterpalClient.login)
    asyncio.run(run())


def test_a_hundred_calls_at_once_meet_a_refused_session_and_log_in_once(demo: DemoServers) -> None:
    async def run() -> None:
        async with AsyncInterpalClient(*WHO, auto_login=True) as client:
            await client.get_self()
            demo.control.revoke()
            found = await asyncio.gather(*(client.get_self() for _ in range(100)))
            assert {one["login_count"] for one in found} == {2}

    asyncio.run(run())


def test_a_refused_session_costs_one_new_login_that_is_saved(demo: DemoServers) -> None:
    kept().close()
    demo.control.revoke()
    with kept() as client:
        assert client.get_self()["login_count"] == 2
    with kept() as client:
        assert client.get_self()["login_count"] == 2


def test_a_session_that_is_refused_in_mid_use_comes_back(demo: DemoServers) -> None:
    with kept() as client:
        demo.control.revoke()
        assert client.get_self()["login_count"] == 2


@pytest.mark.usefixtures("demo")
def test_an_expired_file_costs_one_new_login() -> None:
    with kept(session_expiration_hours=1 / 3600) as client:
        client.get_self()
    old = json.loads(FILE.read_text()) | {"expires_at": (datetime.now(UTC) - timedelta(seconds=1)).isoformat()}
    FILE.write_text(json.dumps(old))
    with kept() as client:
        assert client.get_self()["login_count"] == 2


@pytest.mark.usefixtures("demo")
def test_the_file_is_private_and_its_secrets_are_sealed() -> None:
    with kept() as client:
        exported = client.export_session()
    assert stat.S_IMODE(FILE.stat().st_mode) == 0o600
    saved = json.loads(FILE.read_text())
    assert list(saved) == ["session_cookie", "auth_token", "username", "created_at", "expires_at"]
    assert exported is not None
    assert exported["session_cookie"] not in FILE.read_text()
    assert exported["auth_token"] not in FILE.read_text()
    assert {name: saved[name] for name in ("username", "created_at", "expires_at")} == {
        name: exported[name] for name in ("username", "created_at", "expires_at")
    }


@pytest.mark.usefixtures("demo")
def test_plaintext_writes_the_secrets_open_and_existing_plain_files_are_read() -> None:
    with kept(plaintext=True) as client:
        assert json.loads(FILE.read_text()) == client.export_session()
    assert stat.S_IMODE(FILE.stat().st_mode) == 0o600
    old = json.loads(FILE.read_text())
    FILE.write_text(
        json.dumps(old | {name: datetime.fromisoformat(old[name]).astimezone().replace(tzinfo=None).isoformat() for name in ("created_at", "expires_at")})
    )
    with kept() as client:
        assert client.get_self()["login_count"] == 1


def test_a_file_of_another_user_is_neither_used_nor_overwritten(demo: DemoServers) -> None:
    kept().close()
    before = FILE.read_bytes()
    for _ in range(2):
        with InterpalClient("omar", "green-buoy-17", auto_login=True, persist_session=True) as client:
            assert client.get_self()["username"] == "omar"
    assert FILE.read_bytes() == before
    assert logins(demo) == 2


@pytest.mark.usefixtures("demo")
def test_session_info_is_read_without_changing_anything() -> None:
    assert InterpalClient(persist_session=True).get_session_info() is None
    kept().close()
    before = FILE.read_bytes()
    info = InterpalClient(persist_session=True).get_session_info()
    assert info is not None
    assert set(info) == {"username", "created_at", "expires_at", "time_remaining", "is_expired"}
    assert info["username"] == "dana"
    assert not info["is_expired"]
    assert 0 < info["time_remaining"] <= 24 * 3600
    FILE.write_text(json.dumps(json.loads(before) | {"expires_at": "2020-01-01T00:00:00+00:00"}))
    old = FILE.read_bytes()
    info = InterpalClient(persist_session=True).get_session_info()
    assert info is not None
    assert (info["is_expired"], info["time_remaining"]) == (True, 0.0)
    assert FILE.read_bytes() == old


def test_a_session_is_exported_and_imported(demo: DemoServers) -> None:
    with InterpalClient(*WHO) as client:
        client.login()
        exported = client.export_session()
    assert exported is not None
    with InterpalClient(session_cookie=exported["session_cookie"], auth_token=exported["auth_token"]) as client:
        assert client.validate_session()
    for give in (lambda client: client.import_session(exported), lambda client: client.import_session(**exported)):
        with InterpalClient(persist_session=True) as client:
            give(client)
            assert client.get_self()["username"] == "dana"
        with InterpalClient(persist_session=True) as client:
            assert client.get_self()["username"] == "dana"
            assert client.clear_saved_session()
            assert not client.clear_saved_session()
            assert client.export_session() is None
    with pytest.raises(ValueError, match="auth_token"):
        InterpalClient().import_session("cookie-alone")
    assert logins(demo) == 1


def test_without_auto_login_nobody_logs_in_by_itself(demo: DemoServers) -> None:
    with InterpalClient(*WHO) as client:
        assert not client.validate_session()
        with pytest.raises(LoginRequired, match=r"GET /v1/account/self: there is no login at interpals; call login\(\)"):
            client.get_self()
        client.login()
        demo.control.revoke()
        with pytest.raises(LoginRequired, match="the login has ended"):
            client.get_self()
    assert logins(demo) == 1


@pytest.mark.usefixtures("demo")
def test_credentials_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LoginRequired, match="INTERPALS_USERNAME and INTERPALS_PASSWORD"):
        InterpalClient(auto_login=True)
    monkeypatch.setenv("INTERPALS_USERNAME", "dana")
    monkeypatch.setenv("INTERPALS_PASSWORD", "blue-crane-42")
    with InterpalClient(auto_login=True) as client:
        assert client.get_self()["username"] == "dana"
    with pytest.raises(LoginRequired):
        InterpalClient("omar", auto_login=True)  # dana's password is not omar's


def test_refusals_are_named(demo: DemoServers) -> None:
    with pytest.raises(LoginFailed, match="refused the login of dana") as refused:
        InterpalClient("dana", "wrong", auto_login=True)
    assert refused.value.health == "expired"
    demo.control.set("interpals", attempt_limit=0)
    with pytest.raises(LoginFailed, match="429: too many attempts of dana; do not try again before") as blocked:
        InterpalClient("dana", "wrong too", auto_login=True)
    assert blocked.value.health == "blocked"
    assert blocked.value.until is not None


def test_trouble_of_the_service_or_the_network_is_an_error_and_costs_no_session(demo: DemoServers, monkeypatch: pytest.MonkeyPatch) -> None:
    kept().close()
    before = FILE.read_bytes()
    demo.control.set("interpals", error_share=1.0, error_status=503)
    with pytest.raises(httpx2.HTTPStatusError):
        kept()
    demo.control.set("interpals", error_share=0.0)
    monkeypatch.setenv("INTERPALS_BASE_URL", "http://127.0.0.1:1")
    with pytest.raises(httpx2.ConnectError):
        kept()
    assert FILE.read_bytes() == before
    assert logins(demo) == 1


def test_a_rotated_session_id_is_kept(demo: DemoServers) -> None:
    demo.control.set("interpals", rotate=True)
    with kept() as client:
        client.get_self()
    with kept() as client:
        client.get_self()
    assert logins(demo) == 1


def test_two_processes_with_one_file_log_in_once(demo: DemoServers) -> None:
    code = (
        "from handstamp.sites.interpals import InterpalClient\n"
        "with InterpalClient('dana', 'blue-crane-42', auto_login=True, persist_session=True) as client: print(client.get_self()['username'])"
    )
    workers = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [worker.communicate()[0].strip() for worker in workers] == ["dana", "dana"]
    assert logins(demo) == 1


@pytest.mark.parametrize("content", ["", "[]", "no json", '{"username": "dana"}'])
@pytest.mark.usefixtures("demo")
def test_a_file_that_is_none_is_named_and_left_alone(content: str) -> None:
    FILE.write_text(content)
    with pytest.raises(UnreadableState, match=r"\.interpals_session\.json"):
        kept()
    assert FILE.read_text() == content


@pytest.mark.usefixtures("demo")
def test_a_file_that_another_key_sealed_is_named_and_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept().close()
    before = FILE.read_bytes()
    monkeypatch.setenv("HANDSTAMP_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(SealBroken, match=r"\.interpals_session\.json was sealed by another key"):
        kept()
    assert FILE.read_bytes() == before


@pytest.mark.usefixtures("demo")
def test_no_secret_is_in_the_repr() -> None:
    with kept() as client:
        exported = client.export_session()
        shown = repr(client) + repr(vars(client)["_login"])
    assert exported is not None
    assert exported["auth_token"] not in shown
    assert exported["session_cookie"] not in shown


@pytest.mark.parametrize("persist", [True, False])
def test_a_refused_password_is_not_tried_again_by_itself(demo: DemoServers, *, persist: bool) -> None:
    for _ in range(4):
        with pytest.raises(LoginFailed, match="refused"):
            InterpalClient("dana", "wrong", auto_login=True, persist_session=persist)
    assert attempts(demo) == 1
    with kept() as client:  # another password is another matter, and what works is forgotten
        client.get_self()
        client._password = "changed meanwhile"
        demo.control.revoke()
        for _ in range(4):
            with pytest.raises(LoginFailed, match="refused"):
                client.get_self()
        assert attempts(demo) == 3
        with pytest.raises(LoginFailed, match="look at user name and password"):
            client.login()  # asked for by name
    assert attempts(demo) == 4


def test_ever_new_wrong_passwords_stop_at_the_budget(demo: DemoServers) -> None:
    for number in range(6):
        with pytest.raises((LoginFailed, LoginBudgetSpent)):
            InterpalClient("dana", f"wrong-{number}", auto_login=True, persist_session=True)
    assert attempts(demo) == 3
    with InterpalClient(*WHO, persist_session=True) as client:
        client.login()
    with kept() as client:
        assert client.get_self()["username"] == "dana"


def test_a_service_that_wants_no_login_before_a_time_is_left_alone_until_then(demo: DemoServers) -> None:
    demo.control.set("interpals", attempt_limit=0)
    for _ in range(3):
        with pytest.raises(LoginFailed) as blocked:
            kept()
        assert blocked.value.until is not None
        assert blocked.value.health == "blocked"
    assert demo.control.stats().interpals.requests["POST /v1/token"] == 1


def test_an_imported_session_takes_no_other_users_place(demo: DemoServers) -> None:
    with kept() as client:
        danas = client.export_session()
    assert danas is not None
    before = FILE.read_bytes()
    omars = danas | {"username": "omar", "auth_token": "o"}
    with InterpalClient("dana", persist_session=True) as client, pytest.raises(ValueError, match="omar's at interpals, not dana's"):
        client.import_session(omars)
    with InterpalClient(persist_session=True) as client:
        client.import_session(omars)
    assert FILE.read_bytes() == before
    with InterpalClient("omar", persist_session=True) as client:
        assert client.export_session() == omars
    assert logins(demo) == 1


def test_a_login_goes_to_no_other_place_than_the_service(demo: DemoServers) -> None:
    with kept() as client:
        for path in ("https://elsewhere.example/", demo.portside.url + "/about"):
            with pytest.raises(ValueError, match="to another place"):
                client.call(Call("GET", path))
        request = client.request(Call("GET", "@elsewhere.example/"))
        assert (request.headers["host"], request.url.path) == (demo.interpals.url.removeprefix("http://"), "/@elsewhere.example/")
