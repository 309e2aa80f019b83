"""What cannot travel is named on the session, by kind and place, and `handstamp show` prints it; the rest is saved."""

from __future__ import annotations

import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from handstamp.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OPEN = """
    import os, sys
    from handstamp.sync_api import signed_in
    with signed_in("portside") as context:
        page = context.new_page()
        {before}
        page.goto(os.environ["ELSEWHERE"])
        print(page.evaluate('''async () => {{
          const openDatabase = (name, version) => new Promise((resolve, reject) => {{
            const asked = indexedDB.open(name, version);
            asked.onupgradeneeded = () => asked.result.createObjectStore('s');
            asked.onsuccess = () => resolve(asked.result);
            asked.onerror = () => reject(asked.error);
          }});
          const put = async (name, ...values) => {{
            const db = await openDatabase(name, 1);
            const transaction = db.transaction('s', 'readwrite');
            values.forEach((value, at) => transaction.objectStore('s').put(value, at));
            await new Promise((resolve) => {{ transaction.oncomplete = resolve; }});
            db.close();
          }};
          localStorage.setItem('kept', 'K');
          {script}
          return 'done';
        }}'''))
"""
KEY = """
          const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt']);
          await put('locked', key, 'beside it');"""
CACHE = "await (await caches.open('v1')).put('/cached', new Response('cached'));"
WORKER = "await navigator.serviceWorker.register('/worker.js'); await navigator.serviceWorker.ready;"
BUSY = """
          (await openDatabase('busy', 1)).close();
          await new Promise((started) => {
            const asked = indexedDB.open('busy', 2);
            asked.onupgradeneeded = () => {
              const spin = () => { asked.transaction.objectStore('s').count().onsuccess = spin; };
              spin();
              started();
            };
          });"""
FULL = "await put('full', ...Array.from({ length: 100 }, () => 'x'.repeat(10000)));"
COUNT = """
          const found = (await openDatabase('full', 1)).transaction('s').objectStore('s').count();
          await new Promise((resolve) => { found.onsuccess = resolve; });
          if (found.result !== 100) throw Error(`${found.result} records are there`);"""
NO_ROOM = """context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", {"origin": os.environ["ELSEWHERE"], "quotaSize": 100000})"""


def program(script: str, before: str = "") -> str:
    return OPEN.format(before=before, script=script)


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """Origin of a site beside the one of the session."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            worker = self.path == "/worker.js"
            body = b"addEventListener('install', () => skipWaiting());" if worker else b"<!doctype html><link rel=icon href=data:,><script></script>"
            self.send_response(200)
            self.send_header("Content-Type", "text/javascript" if worker else "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://elsewhere.localhost:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def losses(machine, brought, elsewhere, monkeypatch) -> Callable[..., list[tuple[str, str, str]]]:
    """`losses(program, …)`: what the session lost after processes have run these programs, one after the other; what and where, without the origin."""
    here = machine(ELSEWHERE=elsewhere)
    brought(here)

    def after(*programs: str) -> list[tuple[str, str, str]]:
        for one in programs:
            done = here.run(one)
            assert done.returncode == 0, done.stderr
        monkeypatch.setenv("HANDSTAMP_HOME", here.environment["HANDSTAMP_HOME"])
        with closing(Vault()) as vault:
            session = vault.session("default", "portside")
            assert session is not None
            assert vault.load("default").parts  # the rest is saved
        shown = here.handstamp("show", "portside", COLUMNS="300")
        assert shown.returncode == 0, shown.stderr
        for loss in session.losses:
            assert [line for line in shown.stdout.splitlines() if loss.what in line and loss.where in line], shown.stdout
        return [(loss.what, loss.where.replace(elsewhere, "…"), loss.why) for loss in session.losses]

    return after


def test_a_key_that_cannot_be_exported_is_named_by_its_store(losses) -> None:
    (loss,) = losses(program(KEY))
    assert loss == ("crypto-key", "…, database 'locked', store 's'", "the AES-GCM key is not extractable: it cannot leave the browser that made it")


def test_a_cache_is_named(losses) -> None:
    ((what, where, why),) = losses(program(CACHE))
    assert (what, "Cache API" in why) == ("cache-storage", True)
    assert where.startswith("…")


def test_a_service_worker_is_named(losses) -> None:
    found = {what: (where, why) for what, where, why in losses(program(WORKER))}
    assert found.keys() == {"service-worker"}
    assert found["service-worker"][0].startswith("…")


def test_a_database_that_will_not_open_is_named(losses) -> None:
    ((what, where, why),) = losses(program(BUSY))
    assert (what, where.partition(",")[0]) == ("database", "…")
    # The last look waits for a page no longer than `SILENCE`; where that is over first, the loss is the origin's.
    assert (where.endswith("'busy'") and "did not open" in why) or (where == "…" and "could not be read" in why)


def test_a_database_for_which_there_is_no_room_is_named_and_stays_in_the_vault(losses) -> None:
    found = losses(program(FULL), program("", before=NO_ROOM))
    assert found == [("quota", "…, database 'full'", "it was not given back (QuotaExceededError)")]
    assert losses(program(COUNT)) == found
