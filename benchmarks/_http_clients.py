"""What a session costs in an HTTP client: added time per request beside the bare library, and the way to the first answer from inside.

- `added per request`: the processor's time for requests to a server in another process, ten cookies and a token in the session, beside the bare
  library with the same headers. The goal is at most 60 µs.
- `1 ms server`: requests per second where the server takes a millisecond. The goal is a ratio of at least 0.97.
- `first authorised response`: a fresh process with a saved session, beside logging in anew in a browser, and beside requests with a pickle of
  its cookies in clear.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
from _measure import Row, arguments, median_of, show, stopwatch

import handstamp
from handstamp.demo import start
from handstamp.sites import Bearer, Check, Condition, Recipe, SessionRules, Site
from handstamp.state import Clock, Cookie, Entry, Part, PartId, PartKind, StorageState
from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

COOKIES = 10
REQUESTS = 50  # a turn: short, so that what else the machine does hits both alike
TURNS = 8  # for each one that is asked
_BODY = b'{"ok": true}'


class Server(ThreadingHTTPServer):
    """Answers every GET after `pause` seconds."""

    daemon_threads = True
    pause = 0.0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        if self.server.pause:
            time.sleep(self.server.pause)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(_BODY)}\r\n\r\n"
        self.wfile.write(head.encode() + _BODY)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@contextmanager
def serving(pause: float) -> Iterator[str]:
    """A server in a thread of a process of its own, so that it does not share our interpreter's lock."""
    command = [sys.executable, str(Path(__file__).with_name("http.py")), "--serve", str(pause)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def serve(pause: float) -> None:
    """Run the server until stdin ends."""
    server = Server(("127.0.0.1", 0), _Handler)
    server.pause = pause
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    sys.stdin.read()


def session(url: str) -> tuple[Site, StorageState]:
    """A site with cookies and a token, and its saved state."""
    clock = Clock("benchmark")
    check = Check("/account", (Condition(status=(200,), text=("Log out",)),), (Condition(redirect=("/login",)),))
    rules = SessionRules(auth_cookies=("c0",), bearer=Bearer(local_storage="token"))
    recipe = Recipe("bench", url, ("127.0.0.1",), check=check, session=rules)
    cookies = [Cookie(f"c{number}", "v" * 24, "127.0.0.1") for number in range(COOKIES)]
    jar = Part(PartId(PartKind.COOKIES, "127.0.0.1"), {cookie.key: Entry(cookie, clock.stamp()) for cookie in cookies})
    items = Part(PartId(PartKind.LOCAL, url), {("token",): Entry("t" * 40, clock.stamp())})
    return Site(recipe), StorageState.of([jar, items])


def asking(get: Callable[[str], Any], clock: Callable[[], float]) -> Callable[[], Awaitable[float]]:
    """Seconds per request of so many in a row."""

    async def work() -> float:
        begun = clock()
        for _ in range(REQUESTS):
            assert get("/").status_code == 200
        return (clock() - begun) / REQUESTS

    return work


async def requests_at(pause: float, turns: int, vault: Vault, clock: Callable[[], float]) -> tuple[float, float]:
    """Seconds per request, ours and the bare library's with the same headers."""
    with serving(pause) as url:
        site, state = session(url)
        vault.save(f"at {pause}", state)
        headers = {"Cookie": "; ".join(f"c{number}={'v' * 24}" for number in range(COOKIES)), "Authorization": f"Bearer {'t' * 40}"}
        with handstamp.Client(site, profile=f"at {pause}", vault=vault) as ours, httpx2.Client(base_url=url, headers=headers) as bare:
            assert ours.get("/").json() == {"ok": True}
            ours_seconds, bare_seconds = await median_of(turns * TURNS, asking(ours.get, clock), asking(bare.get, clock))
            return ours_seconds, bare_seconds


_FIRST = {
    "ours": "import handstamp\nwith handstamp.Client('portside') as c: assert 'Log out' in c.get('/account').text",
    "pickle": (
        "import pickle, requests\ns = requests.Session()\ns.cookies.update(pickle.load(open('cookies.pickle', 'rb')))\n"
        "assert 'Log out' in s.get('{url}/account', headers={{'Host': '{host}'}}).text"
    ),
}


async def first_answers(turns: int, home: Path) -> tuple[float, float, float]:
    """Seconds from the start of a process to its first answer from inside: ours, a login anew, requests with a pickle."""
    with start() as demo:
        who = {"HANDSTAMP_PORTSIDE_USERNAME": "dana", "HANDSTAMP_PORTSIDE_PASSWORD": "blue-crane-42"}
        env = {**os.environ, **who, "HANDSTAMP_PORTSIDE_BASE_URL": demo.portside.url, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
        kept, anew = home / "kept", home / "anew"
        run(_FIRST["ours"], env | {"HANDSTAMP_HOME": str(kept)}, home)
        sid = demo.control.open_sessions("dana")[0].cookie
        pickled = f"import pickle\npickle.dump({{'sid': {sid!r}}}, open('cookies.pickle', 'wb'))"
        run(pickled, env, home)
        host = demo.portside.url.removeprefix("http://")
        pickle_code = _FIRST["pickle"].format(url=demo.portside.plain_url, host=host)

        async def ours() -> float:
            return run(_FIRST["ours"], env | {"HANDSTAMP_HOME": str(kept)}, home)

        async def login() -> float:
            return run(_FIRST["ours"], env | {"HANDSTAMP_HOME": str(anew / str(time.monotonic_ns()))}, home)

        async def requests() -> float:
            return run(pickle_code, env, home)

        one, two, three = await median_of(turns, ours, login, requests)
        return one, two, three


def run(code: str, env: dict[str, str], folder: Path) -> float:
    """Seconds that a fresh interpreter takes for `code`."""
    seconds = stopwatch()
    subprocess.run([sys.executable, "-c", code], env=env, cwd=folder, check=True)
    return seconds()


async def measure(turns: int) -> list[Row]:
    """All rows."""
    with tempfile.TemporaryDirectory(prefix="handstamp-benchmark-") as folder, Vault(f"sqlite:///{folder}/vault.db", home=Path(folder)) as vault:
        ours, bare = await requests_at(0.0, turns, vault, time.process_time)
        slow, bare_slow = await requests_at(0.001, turns, vault, time.perf_counter)
        saved, anew, pickled = await first_answers(turns, Path(folder))
    added = (ours - bare) * 1e6
    return [
        Row.less_is_better(f"added per request: {added:.0f} µs of processor time, goal at most 60", ours * 1e6, bare * 1e6, "µs"),
        Row("1 ms server", round(1 / slow, 1), round(1 / bare_slow, 1), round(bare_slow / slow, 3), "requests/s"),
        Row.less_is_better("first authorised response: saved session, beside a login anew", saved, anew, "s"),
        Row.less_is_better("first authorised response: saved session, beside requests and a pickle", saved, pickled, "s"),
    ]


def main(arguments_given: list[str]) -> None:
    """Measure and show, or be the server (`--serve SECONDS`)."""
    if arguments_given[:1] == ["--serve"]:
        serve(float(arguments_given[1]))
    else:
        given = arguments(__doc__.partition("\n")[0])
        show("HTTP: a session in a client", asyncio.run(measure(given.turns)), as_json=given.json)
