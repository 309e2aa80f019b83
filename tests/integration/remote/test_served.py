"""The clients against a server of ours in its own process, with the stand-in site behind it."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from handstamp.demo import start
from handstamp.errors import Forbidden, InputMissing, LoginFailed, OperationRefused, ServerError, SessionNotFound, SiteUnknown, Unauthorized
from handstamp.remote import AsyncRemote, Remote
from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _postgres import Server

    from handstamp.demo import DemoServers

PASSWORD = "harbour-light-7"
MOVE = {"trucking_company": "Alder Road Haulage", "terminal": "North Quay", "move_type": "Pick up full", "container_id": "HBRU3729986"}


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServers]:
    with start() as servers:
        yield servers


@pytest.fixture(scope="module")
def served_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served") / "home"


@pytest.fixture(scope="module")
def served(demo: DemoServers, served_home: Path) -> Iterator[str]:
    """The server's URL."""
    with serving(demo, served_home) as url:
        yield url


@contextmanager
def serving(demo: DemoServers, home: Path, port: int = 0, **more: str) -> Iterator[str]:
    environment = dict(os.environ) | {"HANDSTAMP_HOME": str(home), "HANDSTAMP_PORTSIDE_BASE_URL": demo.portside.url} | more
    command = [sys.executable, "-m", "handstamp.cli", "serve", "--port", str(port), "--json"]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        started = json.loads(server.stdout.readline() or "{}")
        assert started, "the server did not start"
        yield started["url"]
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=50)


@pytest.fixture
def here(served_home: Path, served: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """This process on the server's machine: URL by the variable, token by the file."""
    monkeypatch.setenv("HANDSTAMP_HOME", str(served_home))
    monkeypatch.setenv("HANDSTAMP_SERVER", served)
    return served


@pytest.mark.usefixtures("here")
def test_many_clients_with_the_same_credentials_are_one_login(demo: DemoServers) -> None:
    async def many() -> None:
        async with AsyncRemote() as remote:
            sessions = await asyncio.gather(*(remote.get_session("dana", "blue-crane-42") for _ in range(20)))
            assert len({session.session_id for session in sessions}) == 1
            assert [session.is_new for session in sessions].count(True) == 1
            assert {session.username for session in sessions} == {"dana"}

    before = demo.control.stats().portside.logins
    asyncio.run(many())
    assert demo.control.stats().portside.logins == before + 1


@pytest.mark.usefixtures("here")
def test_a_workflow_stops_refuses_and_goes_on(tmp_path: Path) -> None:
    with Remote() as remote:
        session = remote.get_session("demo", PASSWORD)
        with pytest.raises(OperationRefused) as refused:
            remote.call("check_appointments", session_id=session.session_id, **MOVE | {"container_id": "HBRU1112085"})
        assert (refused.value.phase, refused.value.operation) == (1, "check_appointments")
        with pytest.raises(InputMissing, match="Phase 2: truck_plate") as stopped:
            remote.call("check_appointments", session_id=session.session_id, **MOVE, own_chassis=True)
        assert (stopped.value.missing, stopped.value.phase) == (("truck_plate",), 2)
        bundle = remote.download(stopped.value.bundle, tmp_path / "bundle.zip")
        assert zipfile.ZipFile(bundle).namelist()
        found = remote.call(
            "check_appointments", session_id=session.session_id, appointment_session_id=stopped.value.appointment_session_id, truck_plate="KX 42 AB"
        )
        assert found["available_times"]
        assert found.appointment_session_id == stopped.value.appointment_session_id


@pytest.mark.usefixtures("here")
def test_errors_of_the_server_are_ours(served_home: Path, tmp_path: Path) -> None:
    with Vault(home=served_home) as vault:
        reader = vault.add_token("reader", ["read"])
    with Remote() as remote:
        with pytest.raises(SessionNotFound, match="Invalid or expired session_id"):
            remote.call("get_containers", session_id="nobodys")
        with pytest.raises(SiteUnknown):
            remote.get_session("demo", PASSWORD, site="atlantis")
        with pytest.raises(LoginFailed) as failed:
            remote.get_session("nobody", "wrong")
        assert failed.value.health == "expired"
        with pytest.raises(ServerError) as invalid:
            remote.call("get_containers", session_id="nobodys", infinite_scroling=True)
        assert invalid.value.remote_code == "invalid-request"
        with pytest.raises(ServerError) as absent:
            remote.download("none-0123456789abcdef0123456789abcdef.zip", tmp_path / "none")
        assert absent.value.remote_code == "not-found"
        with pytest.raises(ServerError):
            remote.call("no_such_operation", session_id="nobodys")
    with Remote(token=reader) as remote:
        assert remote.sessions() is not None
        with pytest.raises(Forbidden, match="'use'"):
            remote.get_session("demo", PASSWORD)
    with Remote(token="hs_guessed") as remote, pytest.raises(Unauthorized):
        remote.sessions()


@pytest.mark.timeout(120)  # a server that is started twice, and browsers
def test_a_server_that_is_started_anew_is_waited_for_and_has_its_sessions(demo: DemoServers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("HANDSTAMP_HOME", str(home))
    with serving(demo, home) as url, Remote(url) as remote:
        session = remote.get_session("demo", PASSWORD)
    before = demo.control.stats().portside.logins
    with ThreadPoolExecutor(1) as thread, Remote(url) as remote:  # nobody listens there now
        asking = thread.submit(remote.call, "get_container_timeline", session_id=session.session_id, container_id="HBRU3729986")
        time.sleep(0.3)
        with serving(demo, home, int(url.rpartition(":")[2])):
            found = asking.result()
    assert (found.session_id, found["container_id"]) == (session.session_id, "HBRU3729986")
    assert demo.control.stats().portside.logins == before


@pytest.mark.timeout(120)  # two servers, a database, and a browser that moves
def test_two_servers_on_one_database_serve_the_same_session_and_know_each_others_tokens(demo: DemoServers, postgres: Server, tmp_path: Path) -> None:
    """As on two machines: each has a home of its own; they share the database and the key."""
    database = postgres.new_database()
    shared = {"HANDSTAMP_VAULT": postgres.url(database), "HANDSTAMP_KEY": secrets.token_hex(32)}
    with serving(demo, tmp_path / "a", **shared) as one, serving(demo, tmp_path / "b", **shared) as other:
        token = (tmp_path / "a" / "server.token").read_text().strip()
        with Remote(one, token=token) as first, Remote(other, token=token) as second:
            session = first.get_session("demo", PASSWORD)
            before = demo.control.stats().portside.logins
            for remote in (second, first, second):
                found = remote.call("get_container_timeline", session_id=session.session_id, container_id="HBRU3729986")
                assert (found.session_id, found["username"]) == (session.session_id, "demo")
            assert not second.get_session("demo", PASSWORD).is_new
            assert demo.control.stats().portside.logins == before
    postgres.drop(database)
