"""Many accounts on few windows, for a while: `scripts/server_soak.py --minutes 10 --accounts 60 --windows 10 --clients 20 [--kills]`.

A server in a process of its own, the stand-in portside beside it, clients in threads that each ask for the containers of some account,
by session id or by credentials. Each answer carries the account's own data, so one that is another's is seen. With `--kills` the
server's browser, and now and then the server itself, is killed (SIGKILL) every few seconds.

Faults: an answer with another account's data; an error that no kill explains; after a kill, an error that does not say what to do, or
an account that does not come back; more logins than accounts; a browser or directory that is left behind. The exit status is 1 then.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from handstamp.demo import Account, start
from serving import ServerProcess, remains
from serving.remains import browsers

if TYPE_CHECKING:
    from collections.abc import Sequence

EXPLAINED = {"browser-gone", "operation-failed", "pool-full", "stopping", "browser", "browser-timeout", "lease-held"}
"""Codes that a call may meet around a kill; each says what to do."""
KILL_EVERY = 12.0  # seconds
SERVER_SHARE = 0.1  # of the kills
PATIENCE = 90.0  # seconds in which an account is back; they begin anew with a new server, which has nothing of what the old one held


@dataclass
class Seen:
    """What the clients saw; filled by all of them."""

    answers: int = 0
    wrong: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    server_killed_at: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, fault: str) -> None:
        """Something that must not be."""
        with self.lock:
            self.faults.append(fault)


def accounts_of(count: int) -> list[Account]:
    """So many made-up people."""
    return [Account(f"person-{number:03d}", f"pass-word-{number:03d}") for number in range(count)]


class Clients:
    """Programs that use the server at the same time.

    Args:
        server: whom they call.
        accounts: for whom.
        seen: where they note what happens.
        kills: whether the server may go away under them.
    """

    def __init__(self, server: ServerProcess, accounts: Sequence[Account], seen: Seen, *, kills: bool) -> None:
        self._server = server
        self._accounts = accounts
        self._seen = seen
        self._kills = kills
        self._sessions: dict[str, str] = {}
        self._stop = threading.Event()

    def log_in(self) -> None:
        """A session for each account, before anything is killed."""
        for account in self._accounts:
            answer = self._server.post("/get_session", username=account.username, password=account.password)
            if answer.status_code != 200:
                raise SystemExit(f"{account.username} was not let in: {answer.text}")
            self._sessions[account.username] = answer.json()["session_id"]

    def run(self, number: int, seconds: float) -> None:
        """All of them, for so long."""
        threads = [threading.Thread(target=self._client, args=(random.Random(client),)) for client in range(number)]  # noqa: S311  (a schedule, no secret)
        for thread in threads:
            thread.start()
        self._stop.wait(seconds)
        self._stop.set()
        for thread in threads:
            thread.join()

    def _client(self, chance: random.Random) -> None:
        while not self._stop.is_set():
            account = chance.choice(self._accounts)
            by_credentials = chance.random() < 0.3
            who: dict[str, Any] = (
                {"username": account.username, "password": account.password} if by_credentials else {"session_id": self._sessions[account.username]}
            )
            try:
                self._ask(account, who)
            except Exception as error:  # noqa: BLE001  (a client that ends silently would hide what it met)
                self._seen.note(f"{account.username}: {type(error).__name__}: {error}")

    def _ask(self, account: Account, who: dict[str, Any]) -> None:
        until, began = time.monotonic() + PATIENCE, time.monotonic()
        while True:
            told = self._once(account, who)
            if told is None:
                with self._seen.lock:
                    self._seen.answers += 1
                    self._seen.seconds.append(time.monotonic() - began)
                return
            with self._seen.lock:
                self._seen.errors[told] += 1
            if not self._kills and told != "pool-full":
                self._seen.note(f"{account.username}: {told} without any kill")
                return
            if told not in EXPLAINED | {"no connection"}:
                self._seen.note(f"{account.username}: {told}")
                return
            if time.monotonic() > max(until, self._seen.server_killed_at + PATIENCE):
                self._seen.note(f"{account.username}: not back after {PATIENCE:.0f} s, last {told}")
                return
            time.sleep(0.3)

    def _once(self, account: Account, who: dict[str, Any]) -> str | None:
        """None for the account's own data, else what came instead."""
        try:
            answer = self._server.post("/get_containers", **who)
        except requests.RequestException:
            return "no connection"
        told: dict[str, Any] = answer.json()
        if answer.status_code == 200:
            rows = told["containers"]
            if told["username"] != account.username or not rows or not all(row["reference"].startswith(account.username) for row in rows):
                with self._seen.lock:
                    self._seen.wrong.append(f"asked for {account.username}, got {told['username']} with {len(rows)} rows")
            return None
        code = str(told.get("code"))
        return code if answer.status_code < 500 or code in EXPLAINED else f"{answer.status_code} {code}: {told.get('error')}"


def kill_now_and_then(server: ServerProcess, seen: Seen, stop: threading.Event) -> None:
    """Kill a browser of the server, or the server, every few seconds."""
    chance = random.Random(7)  # noqa: S311  (a schedule, no secret)
    while not stop.wait(chance.uniform(0.5, 1.5) * KILL_EVERY):
        if chance.random() < SERVER_SHARE:
            seen.kills["server"] += 1
            seen.server_killed_at = time.monotonic()
            server.kill()
            server.start()
        else:
            for pid in browsers_of(server.pid):
                seen.kills["browser"] += 1
                os.kill(pid, signal.SIGKILL)


def browsers_of(server: int) -> list[int]:
    """Browsers whose parent is the server."""
    return [pid for pid in browsers() if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1] == str(server)]


def soak(*, seconds: float, accounts: int, windows: int, clients: int, kills: bool) -> dict[str, Any]:
    """Run it; what was seen."""
    seen = Seen()
    with tempfile.TemporaryDirectory(prefix="handstamp-soak-") as folder, start() as demo:
        people = accounts_of(accounts)
        for account in people:
            demo.control.add_account(account)
        env = {"HANDSTAMP_PORTSIDE_BASE_URL": demo.portside.url, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
        with ServerProcess(Path(folder) / "home", "--max-sessions", str(windows), "--requests-per-minute", "1000000", env=env) as server:
            every = Clients(server, people, seen, kills=kills)
            every.log_in()
            stop = threading.Event()
            killer = threading.Thread(target=kill_now_and_then, args=(server, seen, stop))
            if kills:
                killer.start()
            every.run(clients, seconds)
            stop.set()
            if kills:
                killer.join()
            metrics = {line.split()[0]: line.split()[1] for line in server.get("/metrics").text.splitlines() if line.startswith("handstamp_pool")}
            if kills:  # the last word: every account is there
                for account in people:
                    every._ask(account, {"username": account.username, "password": account.password})  # noqa: SLF001  (the same question once more)
            status = server.stop()
            log = server.log
        logins = demo.control.stats().portside.logins
    left = remains(server.pids)
    if logins != accounts:
        seen.note(f"{logins} logins for {accounts} accounts")
    if status not in {0, 128 + signal.SIGTERM}:
        seen.note(f"the server ended with status {status}")
    seen.faults += [f"left behind: {path}" for path in left] + [f"another account's data: {text}" for text in seen.wrong]
    times = sorted(seen.seconds) or [0.0]
    return {
        "answers": seen.answers,
        "wrong": len(seen.wrong),
        "logins": logins,
        "errors": dict(seen.errors),
        "kills": dict(seen.kills),
        "seconds": {"median": round(statistics.median(times), 3), "p99": round(times[int(len(times) * 0.99)], 3), "most": round(times[-1], 3)},
        "pool": metrics,
        "log": [line for line in log.splitlines() if "level=error" in line or "Error" in line][-30:],
        "faults": seen.faults,
    }


def main() -> int:
    """Read the options, run, tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--accounts", type=int, default=60)
    parser.add_argument("--windows", type=int, default=10)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--kills", action="store_true", help="kill the browser and the server now and then")
    given = parser.parse_args()
    found = soak(seconds=60 * given.minutes, accounts=given.accounts, windows=given.windows, clients=given.clients, kills=given.kills)
    print(json.dumps(found, indent=2))
    return 1 if found["faults"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
