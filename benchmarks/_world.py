"""What the browser benchmarks run on: a page that answers at every origin, and saved states of many origins."""

from __future__ import annotations

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from handstamp.state import Cookie, Entry, Part, PartId, PartKind, Stamp, StorageState, cookie_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

ITEMS = 10
VALUE = "x" * 200
PAGE = b"""<!doctype html><title>page</title><script>
const signedIn = localStorage.getItem('k0') !== null && document.cookie.includes('sid=');
document.title = signedIn ? 'signed in' : 'signed out';
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


def ours(origins: int, port: int) -> StorageState:
    """A saved state: in each origin one cookie and some localStorage."""
    stamp = Stamp(1)
    parts = []
    for number in range(origins):
        cookie = Cookie("sid", VALUE, f"o{number}.localhost")
        parts.append(Part(PartId(PartKind.COOKIES, cookie_scope(cookie.domain)), {cookie.key: Entry(cookie, stamp)}))
        parts.append(Part(PartId(PartKind.LOCAL, origin(number, port)), {(f"k{item}",): Entry(VALUE, stamp) for item in range(ITEMS)}))
    return StorageState.of(parts)


def playwrights(origins: int, port: int) -> dict[str, Any]:
    """The same as Playwright's storage state."""
    return {
        "cookies": [
            {"name": "sid", "value": VALUE, "domain": f"o{number}.localhost", "path": "/", "expires": -1, "httpOnly": False, "secure": False, "sameSite": "Lax"}
            for number in range(origins)
        ],
        "origins": [
            {"origin": origin(number, port), "localStorage": [{"name": f"k{item}", "value": VALUE} for item in range(ITEMS)]} for number in range(origins)
        ],
    }
