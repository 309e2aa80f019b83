"""The stand-in sites, a vault of either kind, and worker processes that all want the same session."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from handstamp._signed_in import engine
from handstamp.demo import BUILT_IN
from handstamp.keeper import Given, Keeper
from handstamp.sites import find_site
from handstamp.state import Clock, Device, Part, PartId, PartKind, StorageState, cookie_scope, observed, set_cookie

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from handstamp.demo import Control, DemoServers
    from handstamp.sites import Site
    from handstamp.vault import Vault

DEMO = BUILT_IN[0]
WORKER = Path(__file__).parent / "worker.py"
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"


@pytest.fixture
def portside(servers: DemoServers, control: Control) -> Site:
    del control
    return find_site("portside", env={"HANDSTAMP_PORTSIDE_BASE_URL": servers.portside.url})


@pytest.fixture
def keeper(vault: Vault) -> Keeper:
    return Keeper(engine(), vault)


@pytest.fixture
def given() -> Given:
    return Given(DEMO.username, DEMO.password)


@pytest.fixture
def saved(control: Control, portside: Site) -> Callable[..., None]:
    """`saved(vault, "work")` keeps a living session, which was made without a login; `dead=True` one that has ended."""

    def save(vault: Vault, profile: str, *, agent: str = AGENT, dead: bool = False) -> None:
        (session,) = control.open_sessions(DEMO.username, user_agent=agent)
        keep(vault, profile, portside, session.cookie, session.token, agent=agent)
        if dead:
            control.revoke()

    return save


def keep(vault: Vault, profile: str, site: Site, sid: str, token: str, *, agent: str = AGENT) -> None:
    """Save a session as a login would."""
    clock = Clock("test")
    cookie = set_cookie(f"sid={sid}; Path=/; HttpOnly; SameSite=Lax", site.base_url, now=time.time())
    assert cookie is not None
    cookies = PartId(PartKind.COOKIES, cookie_scope(cookie.domain))
    local = PartId(PartKind.LOCAL, site.base_url)
    parts: list[Part] = [observed(None, cookies, {cookie.key: cookie}, clock), observed(None, local, {("token",): token}, clock)]
    vault.save(profile, StorageState.of(parts))

    def change(session: Any) -> Any:
        from dataclasses import replace
        from datetime import UTC, datetime

        from handstamp.state import Health

        now = datetime.now(UTC)
        return replace(session, username=DEMO.username, device=Device(user_agent=agent), health=Health.VALID, logged_in_at=now, last_verified=now)

    vault.update_session(profile, site.name, change)


class Workers:
    """Processes of worker.py, on their marks."""

    def __init__(self, processes: int, order: dict[str, Any], home: Path) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HANDSTAMP_") or name == "HANDSTAMP_BROWSER"}
        environment |= {"HANDSTAMP_HOME": str(home)}
        pipe = subprocess.PIPE
        self.processes = [
            subprocess.Popen([sys.executable, str(WORKER)], stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment) for _ in range(processes)
        ]
        for process in self.processes:
            assert process.stdin is not None
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()
        for process in self.processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", process.stderr.read() if process.stderr else ""

    def go(self) -> None:
        for process in self.processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)

    def ends(self) -> Counter[str]:
        """What all threads said, of the processes that lived."""
        told: Counter[str] = Counter()
        for process in self.processes:
            out, err = process.communicate(timeout=150)
            if process.returncode != -signal.SIGKILL:
                assert process.returncode == 0, err
                told.update(out.split())
        return told

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()


@pytest.fixture
def workers(home: Path, servers: DemoServers) -> Iterator[Callable[..., Workers]]:
    made: list[Workers] = []

    def make(processes: int, threads: int, *, url: str | None = None, password: str = DEMO.password) -> Workers:
        order = {"vault": url, "site": servers.portside.url, "threads": threads, "username": DEMO.username, "password": password}
        made.append(Workers(processes, order, home))
        return made[-1]

    yield make
    for one in made:
        one.close()
