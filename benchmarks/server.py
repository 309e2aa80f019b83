"""The server beside what it spares: a bare endpoint, the same code run directly, a login, a saved file, a browser for each session.

Rows `get_session …`: for a live session, by 1 and by 16 clients; the peer is an endpoint of the same framework on the same server program
that answers at once. Row `operation on a live session`: `get_containers` by REST; the peer is its code on a page of a signed-in context,
without server. Row `revive beside login`: the same operation in a hibernated session; the peer in one that has to log in first, through a
form and a captcha, whose service answers at once. Row `revive beside saved file`: from hibernated to the account's page; the peer is
Playwright's `new_context(storage_state=…)` with what it saved itself. Rows `memory per live session`: ten sessions with a page each; the peer
has a browser for each: a whole Chromium, and the same headless shell. Rows `10,000 hibernated sessions`: beside a server with an empty vault.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import requests
from _measure import Row, arguments, show, stopwatch
from playwright.async_api import async_playwright

from handstamp.async_api import signed_in
from handstamp.browser import find_browser
from handstamp.demo import BUILT_IN, Account, DemoServers, start
from handstamp.operations import Files
from handstamp.pool import Pool, PoolSettings
from handstamp.pool.memory import megabytes_of
from handstamp.sites import find_site
from handstamp.sites.portside.operations import OPERATIONS
from handstamp.vault import Vault

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))
from serving import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.async_api import Page

    from handstamp.sites import Site

SESSIONS = 10
HIBERNATED = 10_000
CLIENTS = 16
DEMO = BUILT_IN[0]
GET_CONTAINERS = next(operation for operation in OPERATIONS if operation.name == "get_containers")


class Direct:
    """A `Run` without anything around it.

    Args:
        page: of a signed-in context.
        site: where.
        folder: for files.
    """

    def __init__(self, page: Page, site: Site, folder: Path) -> None:
        self.page, self.site, self.username, self._folder = page, site, "demo", folder

    async def keep(self, name: str, data: bytes) -> str:
        """Write it."""
        path = self._folder / name
        await asyncio.to_thread(path.write_bytes, data)
        return str(path)

    async def shot(self, label: str, *, object_id: str = "", selector: str | None = None) -> str:
        """No operation here takes one."""
        raise NotImplementedError(label, object_id, selector)

    def tell(self, text: str) -> None:
        """Nobody listens."""


@contextmanager
def server(demo: DemoServers, folder: Path, *flags: str, **env: str) -> Iterator[ServerProcess]:
    """A server whose home is in the folder."""
    known = {"HANDSTAMP_PORTSIDE_BASE_URL": demo.portside.url, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    with ServerProcess(folder / "home", "--requests-per-minute", "10000000", *flags, env=known | env) as running:
        yield running


def timed(call: Callable[[], requests.Response]) -> float:
    """Milliseconds of a call that goes well."""
    seconds = stopwatch()
    answer = call()
    took = seconds()
    if answer.status_code != 200:
        raise SystemExit(f"{answer.url}: {answer.status_code} {answer.text[:300]}")
    return 1000 * took


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of them lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


# -- get_session ----------------------------------------------------------------------------------------------


BARE = """
import socket, sys, uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
class Given(BaseModel):
    username: str
    password: str
app = FastAPI()
@app.post("/get_session")
async def get_session(given: Given) -> dict:
    return {"success": True, "session_id": "0", "is_new": False, "username": given.username}
sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP); sock.bind(("127.0.0.1", 0)); sock.listen(2048)
print(sock.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run(sockets=[sock])
"""


@contextmanager
def bare() -> Iterator[str]:
    """The peer: an endpoint that answers at once, in a process of its own."""
    import subprocess  # noqa: PLC0415

    with subprocess.Popen([sys.executable, "-c", BARE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def rate(ask: Callable[[requests.Session], requests.Response], seconds: float) -> float:
    """Calls a second by several clients with a connection each."""
    done = [0] * CLIENTS
    until = time.perf_counter() + seconds

    def work(number: int) -> None:
        with requests.Session() as client:
            while time.perf_counter() < until:
                timed(lambda: ask(client))
                done[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / seconds


def get_session_rows(ours: ServerProcess, turns: int) -> list[Row]:
    """Rows about a session that is live."""
    body = {"username": DEMO.username, "password": DEMO.password}
    headers = {"Authorization": f"Bearer {ours.token}"}
    with bare() as peer, requests.Session() as client:
        asks: list[Callable[[requests.Session], requests.Response]] = [
            lambda session: session.post(f"{ours.url}/get_session", json=body, headers=headers, timeout=60),
            lambda session: session.post(f"{peer}/get_session", json=body, timeout=60),
        ]
        seen: list[list[float]] = [[], []]
        for ask in asks:
            timed(lambda ask=ask: ask(client))
        for _ in range(100 * turns):
            for times, ask in zip(seen, asks, strict=True):
                times.append(timed(lambda ask=ask: ask(client)))
        rates = [[rate(ask, 2.0) for ask in asks] for _ in range(max(1, turns // 2))]
    mine, theirs = (statistics.median(column) for column in zip(*rates, strict=True))
    return [
        Row.less_is_better("get_session live p50", percentile(seen[0], 0.5), percentile(seen[1], 0.5), "ms; the peer answers at once"),
        Row.less_is_better("get_session live p99", percentile(seen[0], 0.99), percentile(seen[1], 0.99), "ms; the peer answers at once"),
        Row(f"get_session live, {CLIENTS} clients", round(mine, 1), round(theirs, 1), round(mine / theirs, 3), "requests per second"),
    ]


# -- operations -----------------------------------------------------------------------------------------------


async def operation_row(ours: ServerProcess, folder: Path, site: Site, turns: int) -> Row:
    """By REST, beside the same code on a page of a signed-in context."""
    session_id = ours.post("/get_session", username="demo", password=DEMO.password).json()["session_id"]
    with Vault(home=folder / "direct") as vault:
        vault.set_secret("portside", "demo", "password", DEMO.password)
        async with signed_in(site.base_url, username="demo", vault=vault) as context:

            async def direct() -> float:
                seconds = stopwatch()
                page = await context.new_page()
                await GET_CONTAINERS.phases[0].act(Direct(page, site, folder), GET_CONTAINERS.phases[0].fields())
                await page.close()
                return 1000 * seconds()

            mine, theirs = [], []
            for _ in range(4 * turns):
                mine.append(await asyncio.to_thread(timed, lambda: ours.post("/get_containers", session_id=session_id)))
                theirs.append(await direct())
    return Row.less_is_better("operation on a live session", statistics.median(mine[1:]), statistics.median(theirs[1:]), "ms")


def revive_rows(ours: ServerProcess, demo: DemoServers, turns: int) -> Row:
    """An operation in a hibernated session, beside one that has to log in."""
    session_id = ours.post("/get_session", username="demo", password=DEMO.password).json()["session_id"]
    demo.control.set("portside", captcha=True)
    revived, logged_in = [], []
    for number in range(turns):
        ours.post(f"/sessions/{session_id}/hibernate")
        time.sleep(0.5)
        revived.append(timed(lambda: ours.post("/get_containers", session_id=session_id)))
        account = Account(f"newcomer-{number}", f"fresh-{number}")
        demo.control.add_account(account)
        logged_in.append(timed(lambda account=account: ours.post("/get_containers", username=account.username, password=account.password)))
    demo.control.set("portside", captcha=False)
    return Row.less_is_better(
        "revive beside login", statistics.median(revived), statistics.median(logged_in), "ms of an operation; the peer logs in, with captcha"
    )


async def saved_file_row(demo: DemoServers, folder: Path, turns: int) -> Row:
    """From hibernated to the account's page, beside Playwright with the file that it saved."""
    url = f"{demo.portside.url}/account"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(find_browser()), args=arguments_of_a_browser())
        context = await browser.new_context()
        page = await context.new_page()
        await page.goto(f"{demo.portside.url}/login")
        await page.fill("#username", "dana")
        await page.fill("#password", "blue-crane-42")
        await page.click("main button[type=submit]")
        await page.wait_for_url("**/account")
        file = folder / "dana.json"
        await context.storage_state(path=str(file))
        await context.close()
        with Vault(home=folder / "revive") as vault:
            async with Pool(vault, PoolSettings(), files=Files(folder / "files")) as pool:
                session_id = (await pool.admit("portside", "omar", "green-buoy-17")).session.session_id
                mine, theirs = [], []
                for _ in range(2 * turns):
                    await pool.hibernate(session_id)
                    while pool.facts().live:  # noqa: ASYNC110  (the pool tells nobody)
                        await asyncio.sleep(0.02)
                    seconds = stopwatch()
                    async with pool.use(session_id) as live:
                        await arrive(await live.context.new_page(), url)
                        mine.append(1000 * seconds())
                    seconds = stopwatch()
                    context = await browser.new_context(storage_state=str(file))
                    await arrive(await context.new_page(), url)
                    theirs.append(1000 * seconds())
                    await context.close()
        await browser.close()
    return Row.less_is_better(
        "revive beside saved file", statistics.median(mine), statistics.median(theirs), "ms to the account's page; ours checks the login first"
    )


async def arrive(page: Page, url: str) -> None:
    """Reach the account's page."""
    await page.goto(url)
    assert page.url == url


def arguments_of_a_browser() -> list[str]:
    """What our browsers get, too."""
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return [*root, "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]


# -- memory ---------------------------------------------------------------------------------------------------


async def memory_rows(demo: DemoServers, folder: Path) -> list[Row]:
    """Ten sessions in the pool, beside ten browsers."""
    accounts = [Account(f"tenant-{number}", f"word-{number}") for number in range(SESSIONS)]
    for account in accounts:
        demo.control.add_account(account)
    from handstamp._signed_in import engine  # noqa: PLC0415  (whose browsers they are)

    with Vault(home=folder / "memory") as vault:
        async with Pool(vault, PoolSettings(max_sessions=SESSIONS), files=Files(folder / "files")) as pool:
            for account in accounts:
                admission = await pool.admit("portside", account.username, account.password)
                async with pool.use(admission.session.session_id) as live:
                    live.pages["kept"] = await live.context.new_page()
                    await arrive(live.pages["kept"], f"{demo.portside.url}/account")
            await asyncio.sleep(6)  # the browser of the logins ends
            assert pool.facts().live == SESSIONS
            ours = megabytes_of(engine().pids()) / SESSIONS
    rows = []
    for what, program in (("", find_browser(headless=False)), (", a headless shell each", find_browser())):
        theirs = await one_browser_each(demo, program)
        rows.append(Row.less_is_better(f"memory per live session{what}", ours, theirs, "MB; the peer has a browser for each"))
    return rows


async def one_browser_each(demo: DemoServers, program: Path) -> float:
    """Megabytes for each of three browsers, with a page each."""
    count, before = 3, children()
    async with async_playwright() as playwright:
        browsers = []
        for _ in range(count):
            more = [] if "headless" in program.name else ["--headless=new"]
            browser = await playwright.chromium.launch(executable_path=str(program), args=[*arguments_of_a_browser(), *more])
            browsers.append(browser)
            page = await (await browser.new_context()).new_page()
            await page.goto(f"{demo.portside.url}/about")
        await asyncio.sleep(3)
        total = sum(megabytes_of([group]) for group in children() - before)
        for browser in browsers:
            await browser.close()
    return total / count


def children() -> set[int]:
    """Process groups of Chromium that there are."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if "chromium" in (entry / "cmdline").read_text(errors="replace"):
                    found.add(os.getpgid(int(entry.name)))
            except OSError:
                continue
    return found


def hibernated_rows(demo: DemoServers, folder: Path) -> list[Row]:
    """A server with very many sessions, beside one with none."""
    many, none = folder / "many", folder / "none"
    with Vault(home=many / "home") as vault:
        for number in range(HIBERNATED):
            session = vault.update_session(f"portside.person-{number}", "portside", partial(replace, username=f"person-{number}"))
            vault.serve(session.session_id, keep_alive=True)
    told = []
    for place in (many, none):
        seconds = stopwatch()
        with server(demo, place, "--session-refresh-interval", "86400") as running:
            took = 1000 * seconds()
            time.sleep(3)
            timed(lambda running=running: running.get("/sessions"))
            told.append((took, resident(running.pid)))
    (mine, memory), (theirs, peers) = told
    return [
        Row.less_is_better("10,000 hibernated sessions: start", mine, theirs, "ms until it listens; the peer has none"),
        Row.less_is_better("10,000 hibernated sessions: memory", memory, peers, "MB after a list of all; the peer has none"),
    ]


def resident(pid: int) -> float:
    """Megabytes of one process."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) / 1024


def measure(turns: int) -> list[Row]:
    """All rows."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="handstamp-bench-")))
        demo = stack.enter_context(start())
        os.environ |= {"HANDSTAMP_HOME": str(folder / "home"), "HANDSTAMP_PORTSIDE_BASE_URL": demo.portside.url}
        os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
        solver = {"HANDSTAMP_SOLVER_URL": demo.solver.url, "HANDSTAMP_CAPTCHA_API_KEY": demo.solver.api_key}
        site = find_site("portside")
        with server(demo, folder / "server", **solver) as ours:
            rows = [*get_session_rows(ours, turns), asyncio.run(operation_row(ours, folder, site, turns)), revive_rows(ours, demo, turns)]
        rows.append(asyncio.run(saved_file_row(demo, folder, turns)))
        rows += asyncio.run(memory_rows(demo, folder))
        return [*rows, *hibernated_rows(demo, folder)]


if __name__ == "__main__":
    options = arguments(__doc__ or "")
    show("The server", measure(options.turns), as_json=options.json)
