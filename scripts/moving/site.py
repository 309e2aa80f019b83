"""The web server: every host under `localhost` is an origin of its own, and every page can write and read state of every kind."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from moving.kinds import Where

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moving.kinds import Kind

NAME = "kinds"  # of the site, as handstamp knows it
VALUES = Path(__file__).parents[2] / "tests" / "integration" / "idb" / "values.js"
_HEAD = "<!doctype html><meta charset=utf-8><link rel=icon href=data:,>"
_WORKER = "addEventListener('install', () => skipWaiting()); addEventListener('activate', (event) => event.waitUntil(clients.claim()));"
_RECIPE = """
name = "{name}"
base_url = "http://home.localhost:{port}"
[login]
url = "/login"
steps = [{{fill = "input", value = "{{username}}"}}, {{click = "button"}}]
[check]
url = "/account"
logged_in = {{text = "Log out"}}
logged_out = {{text = "Sign in"}}
"""


class Site:
    """Where a kind of state lives.

    Args:
        port: on the loopback interface.
    """

    def __init__(self, port: int) -> None:
        self.port = port

    @property
    def recipe(self) -> str:
        """By which handstamp logs in at it: whoever presses the button is in."""
        return _RECIPE.format(name=NAME, port=self.port)

    def origin(self, kind: Kind) -> str:
        """Of the documents that write and read it."""
        return f"http://{kind.subdomain}{kind.host}.localhost:{self.port}"

    def top(self, kind: Kind) -> str:
        """Of the page around the frame, for a kind of a frame."""
        return f"http://around-{kind.host}.localhost:{self.port}"

    def page(self, kind: Kind, path: str = "/") -> str:
        """URL of the page to open; for a kind of a frame it is a page of another site with the frame in it."""
        inner = self.origin(kind) + path
        return f"{self.top(kind)}/around?{inner}" if kind.where is Where.FRAME else inner

    def cookie_domains(self, kind: Kind) -> frozenset[str]:
        """Of its cookies, without a dot before."""
        return frozenset({f"{kind.subdomain}{kind.host}.localhost", f"{kind.host}.localhost"})

    def owns(self, kind: Kind, place: str) -> bool:
        """Whether a loss that is said to be at `place` is this kind's."""
        return self.origin(kind) in place or any(place.endswith(f" of {dot}{domain}") for domain in self.cookie_domains(kind) for dot in ("", "."))


@contextmanager
def serving(kinds: tuple[Kind, ...]) -> Iterator[Site]:
    """The site, for as long as the block lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(kinds))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Site(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(kinds: tuple[Kind, ...]) -> type[BaseHTTPRequestHandler]:
    page = f"{_HEAD}<script>{VALUES.read_text(encoding='utf-8')}</script>"
    cookies = {kind.subdomain + kind.host: kind.cookies for kind in kinds}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            where = urlsplit(self.path)
            host = self.headers.get("Host", "").partition(".localhost")[0]
            signed_in = "in=yes" in self.headers.get("Cookie", "")
            pages = {
                "/around": f"{_HEAD}<iframe src='{where.query}'></iframe>",
                "/login": f"{_HEAD}<form action=/account><input name=who><button>Sign in</button></form>",
                "/account": f"{_HEAD}<p>{'Log out' if signed_in or where.query else 'Sign in'}",
            }
            lines = cookies.get(host, ()) if where.path == "/set" else ("in=yes; Max-Age=86400",) if where.path == "/account" and where.query else ()
            if where.path == "/worker.js":
                self.answer(_WORKER, kind="text/javascript")
            else:
                self.answer(pages.get(where.path, page), cookies=lines)

        def answer(self, text: str, *, kind: str = "text/html; charset=utf-8", cookies: tuple[str, ...] = ()) -> None:
            body = text.encode("utf-8", "surrogatepass")
            self.send_response(200)
            for line in cookies:
                self.send_header("Set-Cookie", line.encode().decode("latin-1"))
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class's name)
            """Nothing is logged."""

    return Handler
