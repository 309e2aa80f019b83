"""A PostgreSQL server that is killed and comes back under load: no acknowledged write is lost or made twice, clients go on by themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from handstamp.errors import ConfigError, VaultUnavailable
from handstamp.vault import MasterKey, Vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _postgres import Server

SECONDS = float(os.environ.get("HANDSTAMP_FAULTS_SECONDS", "10"))
CLIENTS = 6
ORIGIN = "https://app.example"

PROGRAM = """
import json, os, sys, time, traceback
from dataclasses import replace
from pathlib import Path
from handstamp.state import Entry, Part, PartId, PartKind, Stamp, StorageState
from handstamp.vault import Vault
url, home, clients = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
vault = Vault(url, home=home)
vault.load("work")

def live():
    told = {"saved": 0, "counted": 0, "recorded": 0}
    with vault.lease(f"own-{me}", life=5) as lease:
        while not (home / "stop").exists():
            part = Part(PartId(PartKind.LOCAL, "https://app.example"), {(f"{me}-{told['saved']}",): Entry("v", Stamp(1, 0, str(me)))})
            vault.save(f"own-{me}", StorageState.of([part]), lease=lease)
            told["saved"] += 1
            vault.update_session("work", "site", lambda session: replace(session, logins=session.logins + 1))
            told["counted"] += 1
            vault.record_event("step", data={"who": me, "number": told["recorded"]})
            told["recorded"] += 1
            vault.load(f"own-{me}")
    return told

children = []
for me in range(clients):
    child = os.fork()
    if child == 0:
        status = 1
        try:
            (home / f"told-{me}").write_text(json.dumps(live()))
            status = 0
        except BaseException:
            traceback.print_exc()
        os._exit(status)
    children.append(child)
print("started", flush=True)
sys.exit(sum(os.waitpid(child, 0)[1] != 0 for child in children))
"""


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of the test's own, that waits for the disk."""
    from _postgres import NotInstalled, serving

    try:
        with serving() as server:
            yield server
    except NotInstalled as missing:
        pytest.skip(str(missing))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    (tmp_path / "home").mkdir(mode=0o700)
    return tmp_path / "home"


@pytest.mark.timeout(300 + 3 * SECONDS)
def test_a_server_that_is_killed_under_load_loses_nothing_and_its_clients_go_on(server: Server, home: Path) -> None:
    url, kills = server.url(server.new_database()), 0
    with subprocess.Popen([sys.executable, "-W", "ignore", "-c", PROGRAM, url, str(home), str(CLIENTS)], stdout=subprocess.PIPE, text=True) as clients:
        assert clients.stdout is not None
        assert clients.stdout.readline() == "started\n"
        deadline = time.monotonic() + SECONDS
        while kills < 3 or time.monotonic() < deadline:
            time.sleep(1.0)
            server.kill()
            kills += 1
            time.sleep(0.2)
            server.start()
        time.sleep(1.0)
        (home / "stop").touch()
        assert clients.wait(120) == 0
    told = [json.loads((home / f"told-{me}").read_text()) for me in range(CLIENTS)]
    with Vault(url, home=home) as vault:
        for me, one in enumerate(told):
            assert set(vault.load(f"own-{me}").local_storage(ORIGIN)) == {f"{me}-{number}" for number in range(one["saved"])}
        session = vault.session("work", "site")
        assert session is not None
        assert session.logins == sum(one["counted"] for one in told)
        steps = [(event.data["who"], event.data["number"]) for event in vault.events(kind="step", limit=10**7)]
        assert sorted(steps) == sorted((me, number) for me, one in enumerate(told) for number in range(one["recorded"]))
        assert vault.leases() == []
        assert vault.check() == []
    print(f"{kills} kills of the server, {len(steps)} of each write")  # noqa: T201  (a long run tells what it was)


def test_a_server_that_is_not_there_is_an_error_at_once_that_names_it(home: Path) -> None:
    with (
        Vault("postgresql://me:correct-horse@127.0.0.1:1/db", home=home) as vault,
        pytest.raises(VaultUnavailable, match=r"me@127.0.0.1:1/db .*refused") as caught,
    ):
        vault.profiles()
    assert "correct-horse" not in str(caught.value) + repr(vault) + repr(caught.value.__cause__)


def test_a_wrong_password_is_an_error_that_does_not_tell_it(server: Server, home: Path) -> None:
    with (
        Vault(server.network_url(password="wrong-horse"), home=home) as vault,
        pytest.raises(VaultUnavailable, match="password authentication failed") as caught,
    ):
        vault.profiles()
    assert "wrong-horse" not in str(caught.value)


@pytest.mark.parametrize("url", ["postgresql://me:correct-horse@host:port/db", "postgresql://me:correct-horse@[::1/db"])
def test_a_url_that_cannot_be_read_is_not_repeated(url: str, home: Path) -> None:
    with pytest.raises((ConfigError, VaultUnavailable)) as caught:
        Vault(url, home=home).profiles()
    assert "correct-horse" not in str(caught.value) + repr(caught.value.__cause__)


def test_two_machines_share_a_vault_by_its_url_and_key(server: Server, tmp_path: Path) -> None:
    key, url = MasterKey.generate(), server.network_url(server.new_database())
    with Vault(url, home=tmp_path / "one", key=key) as one, Vault(url, home=tmp_path / "other", key=key) as other:
        one.set_secret("portside", "me", "password", "a-secret")
        assert other.secret("portside", "me", "password") == "a-secret"
        assert "correct-horse" not in one.where + repr(one)


def test_an_idle_connection_that_the_server_ended_is_not_noticed(server: Server, home: Path) -> None:
    with Vault(server.url(), home=home) as vault:
        vault.record_event("before")
        server.kill()
        server.start()
        vault.record_event("after")
        assert [event.kind for event in vault.events()] == ["after", "before"]
