"""Whole profiles on bad days: what was stored last and what the mirror saved since are there, and nothing stays behind in clear."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from handstamp.browser.process import MEMORY
from handstamp.browser.profile.manifest import MANIFEST, Manifest
from handstamp.errors import ConfigError, Conflict, LeaseLost
from handstamp.state import Cookie, Entry, Part, PartId, PartKind, Stamp, StorageState
from handstamp.sync_api import signed_in
from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

PUT = "(name) => caches.open(name).then((cache) => cache.put('/' + name, new Response(name)))"
# A key that only the browser's files hold, and an item that the mirror sees.
MAKE = """async () => {
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt']);
  await new Promise((resolve) => {
    const opening = indexedDB.open('keys', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('k').put(key, 'key');
    opening.onsuccess = () => { opening.result.close(); resolve(); };
  });
  localStorage.setItem('made', 'yes');
}"""
KEY = """() => new Promise((resolve) => {
  const opening = indexedDB.open('keys');
  opening.onsuccess = () => {
    const { result: db } = opening;
    if (!db.objectStoreNames.contains('k')) return resolve(null);
    const got = db.transaction('k').objectStore('k').get('key');
    got.onsuccess = () => resolve(got.result instanceof CryptoKey && !got.result.extractable);
  };
})"""
KILLED = """
import os, signal, sys, time
from handstamp.sync_api import signed_in
with signed_in(sys.argv[1], fidelity="profile") as context:
    page = context.new_page()
    page.goto("/")
    page.evaluate(sys.argv[2], "second")
    page.evaluate("localStorage.setItem('after', 'the last good version')")
    print("written", flush=True)
    time.sleep(60)
"""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b"<!doctype html><link rel=icon href='data:,'><h1>hello</h1>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A site without a recipe of which one cookie is saved."""
    monkeypatch.setenv("HANDSTAMP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    cookie = Cookie("sid", "v", "127.0.0.1")
    with closing(Vault()) as vault:
        vault.save("default", StorageState.of([Part(PartId(PartKind.COOKIES, "127.0.0.1"), {cookie.key: Entry(cookie, Stamp(1))})]))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def stored(site: str) -> Manifest:
    """After a session that ended well: the cache ``first`` and the key are in the browser's files."""
    with signed_in(site, fidelity="profile") as context:
        page = at(context, site)
        page.evaluate(PUT, "first")
        page.evaluate(MAKE)
    return manifest()


def at(context, site: str) -> Page:
    page = context.new_page()
    page.goto(site)
    return page


def manifest() -> Manifest:
    with closing(Vault()) as vault:
        (part,) = vault.pieces("default", [MANIFEST])
        return Manifest.of(part)


def seen(site: str) -> dict[str, object]:
    """What a page of the next session finds."""
    with signed_in(site, fidelity="profile") as context:
        page = at(context, site)
        return {"caches": page.evaluate("caches.keys()"), "key": page.evaluate(KEY), "items": page.evaluate("({...localStorage})")}


def saved_item(key: str) -> bool:
    with closing(Vault()) as vault:
        return any((key,) in part.live() for part in vault.load("default").of_kind(PartKind.LOCAL))


def directories_of(pid: int) -> list[Path]:
    found = [path for folder in (Path(tempfile.gettempdir()), MEMORY) for path in folder.glob("handstamp-browser-*")]
    return [path for path in found if (path / "owner").exists() and (path / "owner").read_text().startswith(f"{pid} ")]


def browsers_of(pid: int) -> list[int]:
    """Browsers on a directory of this process."""
    found = []
    for directory in directories_of(pid):
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if f"--user-data-dir={directory}\0".encode() in command and b"--type=" not in command:
                found.append(int(process.name))
    return found


def wait_for(condition) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError


def test_a_killed_process_costs_what_only_its_browsers_files_had(site, stored) -> None:
    program = [sys.executable, "-c", KILLED, site, PUT]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        assert directories_of(process.pid)
        wait_for(lambda: saved_item("after"))
        process.kill()
    assert manifest() == stored
    assert seen(site) == {"caches": ["first"], "key": True, "items": {"made": "yes", "after": "the last good version"}}
    assert directories_of(process.pid) == []
    wait_for(lambda: browsers_of(process.pid) == [])


def test_a_killed_browser_does_too(site, stored, caplog) -> None:
    before = set(browsers_of(os.getpid()))
    with signed_in(site, fidelity="profile") as context:
        page = at(context, site)
        page.evaluate(PUT, "second")
        page.evaluate("localStorage.setItem('after', 'the last good version')")
        wait_for(lambda: saved_item("after"))
        (browser,) = set(browsers_of(os.getpid())) - before
        with caplog.at_level(logging.WARNING, "handstamp"):
            os.kill(browser, signal.SIGKILL)
    assert "did not end well" in caplog.text
    assert manifest() == stored
    assert seen(site) == {"caches": ["first"], "key": True, "items": {"made": "yes", "after": "the last good version"}}


def test_damaged_files_leave_what_is_mirrored_and_are_replaced(site, stored, caplog) -> None:
    assert stored.pieces
    with closing(sqlite3.connect(Path(os.environ["HANDSTAMP_HOME"]) / "vault.db")) as connection, connection:
        piece = "SELECT MAX(part_id) FROM parts WHERE kind = 'files' AND part_id < (SELECT MAX(part_id) FROM parts WHERE kind = 'files')"
        connection.execute(f"UPDATE versions SET sealed = zeroblob(LENGTH(sealed)) WHERE part_id = ({piece})")  # noqa: S608
    with caplog.at_level(logging.ERROR, "handstamp"):
        assert seen(site) == {"caches": [], "key": False, "items": {"made": "yes"}}
    assert "cannot be read" in caplog.text
    with signed_in(site, fidelity="profile") as context:
        at(context, site).evaluate(PUT, "third")
    assert seen(site)["caches"] == ["third"]
    with closing(Vault()) as vault:
        assert vault.check() == []


def test_files_of_a_later_browser_are_refused_and_not_touched(site, stored) -> None:
    assert stored.browser
    later = ("browser",)
    with closing(Vault()) as vault:
        (part,) = vault.pieces("default", [MANIFEST])
        stamp = part.entries[later].stamp
        vault.save("default", StorageState.of([Part(MANIFEST, {later: Entry("999.0.1.2", Stamp(stamp.time, stamp.counter + 1))})]))
    with pytest.raises(ConfigError, match=r"999\.0\.1\.2.*fidelity='state'"), signed_in(site, fidelity="profile"):
        pass
    assert manifest().browser == "999.0.1.2"
    with signed_in(site, fidelity="state") as context:
        assert at(context, site).evaluate("localStorage.made") == "yes"


def test_who_has_lost_the_profile_stores_nothing(site, stored) -> None:
    session = signed_in(site, fidelity="profile")
    at(session.__enter__(), site).evaluate(PUT, "second")
    with closing(Vault()) as vault:
        vault.break_lease("default", reason="test")
    with pytest.raises(LeaseLost):
        session.__exit__(None, None, None)
    assert manifest() == stored
    assert seen(site)["caches"] == ["first"]


def test_what_was_forgotten_does_not_come_back_with_the_files(site, stored) -> None:
    assert stored.pieces
    session = signed_in(site, fidelity="profile")
    at(session.__enter__(), site).evaluate("localStorage.setItem('after', '1')")
    with closing(Vault()) as vault:
        vault.forget("default", domain="127.0.0.1")
    with pytest.raises(Conflict, match="forgotten"):
        session.__exit__(None, None, None)
    with closing(Vault()) as vault:
        assert vault.pieces("default", [MANIFEST]) == []
        assert vault.load("default").of_kind(PartKind.LOCAL) == []


def test_files_that_are_too_many_are_not_stored_and_it_is_said(site, stored, caplog, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("handstamp.browser.profile.keep.MOST", 50_000)
        with caplog.at_level(logging.WARNING, "handstamp"), signed_in(site, fidelity="profile") as context:
            at(context, site).evaluate(PUT, "second")
    assert "are not stored" in caplog.text
    assert manifest() == stored
    assert seen(site)["caches"] == ["first"]


LEFT_OPEN = """
import sys, time
from handstamp.sync_api import signed_in
session = signed_in(sys.argv[1], fidelity="profile")
page = session.__enter__().new_page()
page.goto("/")
page.evaluate("localStorage.setItem('after', 'left open')")
time.sleep(3)
print("written", flush=True)
"""


def test_a_process_that_ends_without_leaving_the_session_removes_the_files(site, stored) -> None:
    with subprocess.Popen([sys.executable, "-c", LEFT_OPEN, site], stdout=subprocess.PIPE, text=True) as process:
        assert process.communicate(timeout=60)[0] == "written\n"
    assert directories_of(process.pid) == []
    assert saved_item("after")
    assert manifest() == stored
