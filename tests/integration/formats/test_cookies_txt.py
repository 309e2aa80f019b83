"""cookies.txt with curl itself: it sends what is written, and what it saves is read back.

Deletions are not looked at: curl 7.88, Debian 12's, reads its file again at the end and so brings back what a server deleted.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from handstamp.formats import completed, read, write
from handstamp.state import Clock, Cookie, Entry, Part, PartId, PartKind, StorageState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CURL = shutil.which("curl")
pytestmark = pytest.mark.skipif(CURL is None, reason="curl is not installed")


class Site:
    """A server that remembers what it was sent and sets what it is told to."""

    def __init__(self) -> None:
        self.received: list[str] = []
        self.sets: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.received.append(self.headers.get("Cookie", ""))
                self.send_response(200)
                for line in site.sets:
                    self.send_header("Set-Cookie", line)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nothing is logged."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/app/x"


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    thread = threading.Thread(target=site.server.serve_forever, daemon=True)
    thread.start()
    yield site
    site.server.shutdown()
    site.server.server_close()
    thread.join()


def curl(jar: Path, url: str) -> None:
    subprocess.run([str(CURL), "-sS", "--noproxy", "*", "-b", str(jar), "-c", str(jar), url], check=True, timeout=20)


def state_of(*cookies: Cookie) -> StorageState:
    return StorageState.of([Part(PartId(PartKind.COOKIES, "127.0.0.1"), {cookie.key: Entry(cookie) for cookie in cookies})])


def test_curl_sends_what_is_written_and_its_changes_come_back(tmp_path: Path, site: Site) -> None:
    now = time.time()
    before = state_of(
        Cookie("sid", "old", "127.0.0.1", expires=now + 1000.5, http_only=True, same_site="Lax"),
        Cookie("deep", "1", "127.0.0.1", path="/app"),
        Cookie("elsewhere", "1", "127.0.0.1", path="/other"),
    )
    jar = tmp_path / "cookies.txt"
    jar.write_bytes(write(before, format="netscape", now=now).data)
    site.sets = ["sid=new; HttpOnly; Path=/", "added=1; Max-Age=60; Path=/"]
    curl(jar, site.url)
    assert set(site.received[0].split("; ")) == {"sid=old", "deep=1"}
    after = completed(read(jar.read_bytes(), name=jar.name, now=now, clock=Clock("t")), before)
    cookies = {cookie.name: cookie for cookie in after.cookies()}
    assert cookies.keys() == {"sid", "deep", "elsewhere", "added"}
    assert cookies["sid"] == Cookie("sid", "new", "127.0.0.1", http_only=True, same_site="Lax")
    assert cookies["elsewhere"] == Cookie("elsewhere", "1", "127.0.0.1", path="/other")
