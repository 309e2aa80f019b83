"""What the browser benchmarks run on: a page that answers at every origin, and saved states of many origins."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from handstamp.formats import read
from handstamp.state import Clock, PartKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from handstamp.state import StorageState

ITEMS = 10
RECORDS = 20
VALUE = "x" * 200
EVERY = 10  # each tenth origin has a database
# An application's first lines: it looks whether somebody is signed in, by cookie and item, and opens its database. Where there is a
# session, all three tell so; where there is none, the same is done in vain.
PAGE = b"""<!doctype html><title>page</title><script>
const known = localStorage.getItem('k0') !== null && document.cookie.includes('sid=');
const told = new Promise((done) => {
  const asked = indexedDB.open('app', 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore('kv');
  asked.onsuccess = () => {
    const got = asked.result.transaction('kv').objectStore('kv').get('r0');
    got.onsuccess = () => done(known && got.result !== undefined);
  };
});
</script><h1>hello</h1>"""


class _Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextlib.contextmanager
def serving() -> Iterator[int]:
    """A server on a free loopback port; `o7.localhost` and the like lead to it in Chromium."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def origin(number: int, port: int) -> str:
    """The nth origin."""
    return f"http://o{number}.localhost:{port}"


def playwrights(origins: int, port: int) -> dict[str, Any]:
    """A saved state as Playwright's: in each origin a cookie and some localStorage, in a tenth of them a database, beginning with the first."""
    return {
        "cookies": [
            {"name": "sid", "value": VALUE, "domain": f"o{number}.localhost", "path": "/", "expires": -1, "httpOnly": False, "secure": False, "sameSite": "Lax"}
            for number in range(origins)
        ],
        "origins": [
            {
                "origin": origin(number, port),
                "localStorage": [{"name": f"k{item}", "value": VALUE} for item in range(ITEMS)],
                "indexedDB": [_database()] if number % EVERY == 0 else [],
            }
            for number in range(origins)
        ],
    }


def _database() -> dict[str, Any]:
    records = [{"key": f"r{number}", "value": {"name": VALUE, "number": number}} for number in range(RECORDS)]
    return {"name": "app", "version": 1, "stores": [{"name": "kv", "autoIncrement": False, "records": records, "indexes": []}]}


def ours(origins: int, port: int) -> StorageState:
    """The same state as ours."""
    return read(json.dumps(playwrights(origins, port)).encode(), format="playwright", now=time.time(), clock=Clock("benchmark")).state


def held(state: StorageState) -> tuple[int, int, int]:
    """How many cookies, storage items and database records a state holds."""
    parts = list(state.parts.values())
    return (
        len(state.cookies()),
        sum(len(part.live()) for part in parts if part.id.kind is PartKind.LOCAL),
        sum(key[0] == "record" for part in parts if part.id.kind is PartKind.IDB for key in part.live()),
    )


def expected(origins: int) -> tuple[int, int, int]:
    """The same for what `ours` and `playwrights` make."""
    return origins, origins * ITEMS, len(range(0, origins, EVERY)) * RECORDS


def held_by_playwright(state: dict[str, Any]) -> tuple[int, int, int]:
    """The same for Playwright's storage state."""
    items = sum(len(one["localStorage"]) for one in state["origins"])
    records = sum(len(store["records"]) for one in state["origins"] for database in one.get("indexedDB", []) for store in database["stores"])
    return len(state["cookies"]), items, records
