"""Random browsing over many origins with random kills of browser and process: `scripts/soak.py --minutes 30 --origins 50`.

A worker process browses in a session: its pages write cookies, localStorage, sessionStorage and IndexedDB, delete, and open
popups. Every few seconds it or its browser is killed (SIGKILL), or it leaves as it should; the next worker revives the session,
visits every origin and reads everything. The site's server knows what each page held after each step. What was revived must be
what the page held after its last step, or after an earlier one if the steps since were at most `--grace` seconds old at the kill:
an older state, a mixture of two, or a deleted key that is back is a fault. After an orderly end nothing may be missing.

Prints what happened; the exit status is 1 when there was a fault.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handstamp.errors import HandstampError
from handstamp.state import Cookie, Entry, Part, PartId, PartKind, Stamp, StorageState
from handstamp.sync_api import signed_in
from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext, Page

STORES = ("cookies", "local", "session", "idb")
KEYS = tuple("abcdefgh")
END_WITHIN = 30.0  # seconds, in which a worker has ended after its browser was killed, or after it was asked to
Held = dict[str, str]
PAGE = b"""<!doctype html><link rel=icon href="data:,"><title>soak</title><script>
const database = () => new Promise((resolve, reject) => {
  const asked = indexedDB.open('soak', 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore('kv');
  asked.onsuccess = () => resolve(asked.result);
  asked.onerror = () => reject(asked.error);
});
const done = (transaction) => new Promise((resolve, reject) => {
  transaction.oncomplete = resolve;
  transaction.onabort = () => reject(transaction.error);
});
async function read() {
  const opened = await database(), idb = {}, reading = opened.transaction('kv');
  reading.objectStore('kv').openCursor().onsuccess = ({ target: { result: cursor } }) => {
    if (cursor) { idb[cursor.key] = cursor.value.step; cursor.continue(); }
  };
  await done(reading);
  opened.close();
  return { local: { ...localStorage }, session: { ...sessionStorage }, idb };
}
async function tell(path, what) {
  await (await fetch(path, { method: 'POST', body: JSON.stringify(what) })).text();
}
async function act(plan) {
  await tell('/intends', plan);
  const { step, puts, drops, main } = plan, areas = main ? [localStorage, sessionStorage] : [localStorage];
  const opened = await database(), writing = opened.transaction('kv', 'readwrite', { durability: 'strict' }), kv = writing.objectStore('kv');
  for (const key of puts) kv.put({ step, blob: new Blob([step]) }, key);
  for (const key of drops) kv.delete(key);
  await done(writing);
  opened.close();
  for (const area of areas) {
    for (const key of puts) area.setItem(key, step);
    for (const key of drops) area.removeItem(key);
  }
  await tell('/acted', { main, ...await read() });
}
</script>"""


@dataclass(frozen=True)
class Moment:
    """What one store of an origin held, and when."""

    at: float
    held: Held


def stages(held: Held, plan: dict[str, Any] | None, store: str) -> Iterator[Held]:
    """What the store may hold while a step is taken: a transaction is whole, items are written one by one."""
    yield held
    if plan is None or (store == "session" and not plan["main"]):
        return
    now = dict(held)
    for key in plan["puts"]:
        now[key] = plan["step"]
        if store in {"local", "session"}:
            yield dict(now)
    for key in plan["drops"]:
        now.pop(key, None)
        if store in {"local", "session"}:
            yield dict(now)
    yield now


@dataclass
class Reference:
    """What the sites' server knows, and the faults that it found."""

    grace: float
    history: dict[tuple[str, str], list[Moment]] = field(default_factory=dict)
    plans: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    oldest: float = 0.0  # seconds: the age at the kill of the oldest step that was lost
    ended_at: float = 0.0
    end: str = "orderly"
    lock: threading.Lock = field(default_factory=threading.Lock)

    def acted(self, origin: str, seen: dict[str, Any]) -> None:
        """A page took a step."""
        with self.lock:
            self.counts["steps"] += 1
            plan = self.plans.pop(origin, None)
            for store in STORES:
                if store != "session" or seen["main"]:
                    moments = self.history.setdefault((origin, store), [Moment(0.0, {})])
                    between = [] if store == "cookies" else list(stages(moments[-1].held, plan, store))[1:-1]
                    moments += [Moment(time.monotonic(), held) for held in (*between, seen[store])]

    def revived(self, origin: str, seen: dict[str, Any]) -> None:
        """A page in the revived session holds this: judge it. From here on, that is what it held."""
        with self.lock:
            self.counts["origins read after a revival"] += 1
            plan = self.plans.pop(origin, None)
            for store in STORES:
                if moments := self.history.get((origin, store), []):
                    self._judge(origin, store, moments, plan, seen[store])
                self.history[origin, store] = [Moment(0.0, seen[store])]

    def _judge(self, origin: str, store: str, moments: list[Moment], plan: dict[str, Any] | None, held: Held) -> None:
        if any(held == stage for stage in stages(moments[-1].held, plan, store)):
            return
        known = next((number for number in reversed(range(len(moments))) if moments[number].held == held), None)
        if known is None:
            nearest = min((moment.held for moment in moments), key=lambda one: len(one.items() ^ held.items()))
            why = f"is none that it ever had (nearest: {nearest})"
        else:
            lost = self.ended_at - moments[known + 1].at
            if self.end != "orderly" and lost <= self.grace:
                self.counts[f"{store} without its last seconds"] += 1
                self.oldest = max(self.oldest, lost)
                return
            why = f"lacks what was {lost:.1f} s old"
        self.faults.append(f"{origin}, end: {self.end}: {store} {why}: {held}; last: {moments[-1].held}")


class Site(BaseHTTPRequestHandler):
    """Every origin's server. It sets a new HttpOnly cookie at each step, and sets and deletes others."""

    protocol_version = "HTTP/1.1"
    reference: Reference

    def do_GET(self) -> None:
        """Every address is the page."""
        self._answer(PAGE)

    def do_POST(self) -> None:
        """What a page is going to do, has done, or holds after a revival."""
        what = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        origin = self.headers["Host"]
        sent = {name: morsel.value for name, morsel in SimpleCookie(self.headers.get("Cookie", "")).items()}
        if self.path == "/intends":
            with self.reference.lock:
                self.reference.plans[origin] = what
            self._answer(b"")
        elif self.path == "/acted":
            fresh = self._turned(sent, self.reference.plans[origin])
            self._answer(b"", cookies=_headers(sent, fresh))
            self.reference.acted(origin, {**what, "cookies": fresh})
        else:
            self._answer(b"")
            self.reference.revived(origin, {**what, "cookies": sent})

    @staticmethod
    def _turned(sent: Held, plan: dict[str, Any]) -> Held:
        kept = {name: value for name, value in sent.items() if name not in plan["drops"]}
        return {**kept, **dict.fromkeys(plan["puts"], plan["step"]), "sid": plan["step"]}

    def _answer(self, body: bytes, *, cookies: tuple[str, ...] = ()) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        for cookie in cookies:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


def _headers(sent: Held, fresh: Held) -> tuple[str, ...]:
    new = [f"{name}={value}; HttpOnly; SameSite=Lax; Max-Age=86400" for name, value in fresh.items() if sent.get(name) != value]
    return (*new, *(f"{name}=; Max-Age=0" for name in sent.keys() - fresh.keys()))


# -- the worker ---------------------------------------------------------------------------------------------------


def work(sites: list[str], known: set[str], seed: int) -> None:
    """Read every known origin, then browse until a line comes on the standard input."""
    asked = threading.Event()

    def listen() -> None:
        sys.stdin.readline()
        asked.set()

    threading.Thread(target=listen, daemon=True).start()
    dice = random.Random(seed)  # noqa: S311
    with signed_in(sites[0], wait=60) as context:
        page = context.new_page()
        for site in sorted(known):
            page.goto(site)
            page.evaluate("read().then((all) => tell('/revived', all))")
        print("revived", flush=True)
        for number in range(sys.maxsize):
            if asked.is_set():
                break
            step(context, page, sites, dice, f"{seed}-{number}")


def step(context: BrowserContext, page: Page, sites: list[str], dice: random.Random, name: str) -> None:
    """Go somewhere, or open a popup there, and change something."""
    here, there = page, dice.choice(sites)
    popup = dice.random() < 0.1 and page.url.startswith("http://")  # a page before its first address has no scripts of ours
    if popup:
        with context.expect_page() as opened:
            page.evaluate("(url) => void window.open(url)", there)
        here = opened.value
        here.wait_for_load_state()
    elif dice.random() < 0.6 or not page.url.startswith("http://"):
        here.goto(there)
    keys = dice.sample(KEYS, 4)
    here.evaluate("(plan) => act(plan)", {"step": name, "puts": keys[:3], "drops": keys[3:], "main": not popup})
    if popup:
        here.close()


# -- the ordeal ---------------------------------------------------------------------------------------------------


def ordeal(options: argparse.Namespace, home: Path) -> Reference:
    """Start workers and end them, one way or another, until the time is over."""
    reference = Reference(options.grace)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OurSite", (Site,), {"reference": reference}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sites = [f"http://o{number}.localhost:{server.server_address[1]}/" for number in range(options.origins)]
    reference.history[f"o0.localhost:{server.server_address[1]}", "cookies"] = [Moment(0.0, first_cookie(home, "o0.localhost"))]
    dice, until, seed = random.Random(options.seed), time.monotonic() + options.minutes * 60, options.seed * 10_000  # noqa: S311
    try:
        while time.monotonic() < until and len(reference.faults) < options.faults:
            seed += 1
            life(reference, sites, home, seed, dice)
            print(f"\r{reference.counts['steps']} steps, {len(reference.faults)} faults, {until - time.monotonic():.0f} s to go ", end="", file=sys.stderr)
        print(file=sys.stderr)
    finally:
        server.shutdown()
        server.server_close()
    return reference


def first_cookie(home: Path, domain: str) -> Held:
    """Something to revive, and what a kill before the first save leaves: a site without a recipe is opened only when a session of it is saved."""
    cookie = Cookie("first", "x", domain)
    with closing(Vault(home=home)) as vault:
        vault.save("default", StorageState.of([Part(PartId(PartKind.COOKIES, domain), {cookie.key: Entry(cookie, Stamp(1))})]))
    return {cookie.name: cookie.value}


def life(reference: Reference, sites: list[str], home: Path, seed: int, dice: random.Random) -> None:
    """One worker, from its start to its end."""
    known = {f"http://{origin}/" for origin, _ in reference.history}
    command = [sys.executable, __file__, "--worker", str(seed), "--sites", json.dumps(sites), "--known", json.dumps(sorted(known))]
    environment = {**os.environ, "HANDSTAMP_HOME": str(home), "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    with (home / "worker.log").open("w+") as log:
        worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
        with worker:
            if worker.stdout is None or worker.stdout.readline().strip() != "revived":
                worker.kill()
                reference.faults.append(f"no revival after the end: {reference.end}: {(home / 'worker.log').read_text().strip()[-300:]}")
                return
            time.sleep(dice.uniform(0.5, 15))
            end(reference, worker, dice.choice(("a killed process", "a killed browser", "orderly")))


def end(reference: Reference, worker: subprocess.Popen[str], how: str) -> None:
    """End the worker in this way; how and when is what its successor is judged by."""
    reference.counts[f"ends: {how}"] += 1
    reference.end, reference.ended_at = how, time.monotonic()
    if how == "a killed process":
        worker.kill()
    elif how == "a killed browser":
        for pid in browsers_of(worker.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    elif worker.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            worker.stdin.write("end\n")
            worker.stdin.flush()
    try:
        status = worker.wait(END_WITHIN)
        if how == "orderly" and status != 0:
            reference.faults.append(f"an orderly end with status {status}")
    except subprocess.TimeoutExpired:
        reference.faults.append(f"end: {how}: it did not end within {END_WITHIN:.0f} s")
        worker.kill()
        worker.wait()


def browsers_of(pid: int) -> list[int]:
    """The browsers among a process's descendants; their own children end with them."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
    return [one for one in parents if "chrom" in _program(one) and pid in _ancestors(one, parents) and "--type=" not in _command(one)]


def _ancestors(pid: int, parents: dict[int, int]) -> Iterator[int]:
    while pid := parents.get(pid, 0):
        yield pid


def _program(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8")
    return ""


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
    return ""


def report(reference: Reference, *, as_json: bool) -> None:
    """For people, or for programs."""
    counts = {**dict(sorted(reference.counts.items())), "oldest step that a kill cost, s": round(reference.oldest, 2), "faults": len(reference.faults)}
    if as_json:
        print(json.dumps({"counts": counts, "faults": reference.faults}))
        return
    for name, count in counts.items():
        print(f"{name:45} {count}")
    for fault in reference.faults:
        print(f"\n{fault}")


def main() -> int:
    """As worker or as whole."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--origins", type=int, default=50)
    parser.add_argument("--grace", type=float, default=5.0, help="seconds that a kill may cost")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=10, help="stop at so many")
    parser.add_argument("--json", action="store_true")
    for internal in ("--worker", "--sites", "--known"):
        parser.add_argument(internal, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        try:
            work(json.loads(options.sites), set(json.loads(options.known)), int(options.worker))
        except HandstampError as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            return 3
        return 0
    with tempfile.TemporaryDirectory(prefix="handstamp-soak-") as home:
        reference = ordeal(options, Path(home))
    report(reference, as_json=options.json)
    return 1 if reference.faults else 0


if __name__ == "__main__":
    sys.exit(main())
