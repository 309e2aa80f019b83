"""A site whose login is bound to a key that no script can export, with a service worker and a cache of its own."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from handstamp.state import Cookie, Entry, Part, PartId, PartKind, Stamp, StorageState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from handstamp.vault import Vault

USERNAME, PASSWORD = "ada", "canary-password-9a1f"
ITEM, CACHED, TAB = "canary-item-5b2e", "canary-cached-7c3d", "canary-tab-1d4c"

SCRIPT = """
const store = (mode, work) => new Promise((resolve, reject) => {
  const opening = indexedDB.open('keys', 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore('pairs');
  opening.onsuccess = () => {
    const transaction = opening.result.transaction('pairs', mode);
    const request = work(transaction.objectStore('pairs'));
    transaction.oncomplete = () => { opening.result.close(); resolve(request.result); };
    transaction.onabort = reject;
  };
});
const post = (path, body) => fetch(path, { method: 'POST', body: JSON.stringify(body) });
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));
async function logIn(username, password) {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
  await store('readwrite', (pairs) => pairs.put(pair, 'login'));
  await store('readwrite', (pairs) => pairs.put({ theme: 'dark' }, 'settings'));
  const key = text(await crypto.subtle.exportKey('spki', pair.publicKey));
  const answer = await post('/log-in', { username, password, key });
  if (!answer.ok) return false;
  localStorage.setItem('item', 'ITEM');
  sessionStorage.setItem('tab', 'TAB');
  await (await caches.open('first')).put('/cached', new Response('CACHED'));
  await navigator.serviceWorker.register('/worker.js');
  await navigator.serviceWorker.ready;
  return true;
}
async function proven() {
  const pair = await store('readonly', (pairs) => pairs.get('login'));
  if (!pair) return false;
  const { nonce } = await (await fetch('/challenge')).json();
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, new TextEncoder().encode(nonce));
  return (await post('/prove', { nonce, signature: text(signature) })).ok;
}
async function cached() {
  const answer = await caches.match('/cached');
  return answer ? answer.text() : null;
}
"""
LOGIN = """<form><input id=username><input id=password type=password><button type=submit>Sign in</button></form><script>
document.querySelector('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  if (await logIn(username.value, password.value)) location.href = '/account';
});</script>"""
ACCOUNT = "<script>proven().then((yes) => { document.body.innerHTML = yes ? '<button id=out>Log out</button>' : '<a id=in>Sign in</a>'; });</script>"
PLAIN = "<h1>hello</h1>"
WORKER = """
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(clients.claim()));
self.addEventListener('fetch', (event) => {
  if (new URL(event.request.url).pathname === '/offline') {
    event.respondWith(new Response('<!doctype html><title>from the worker</title>', { headers: { 'Content-Type': 'text/html' } }));
  }
});"""
RECIPE = """
name = "keyed"
base_url = "{url}"
domains = ["localhost"]
[login]
url = "/login"
steps = [{{fill = "#username", value = "{{username}}"}}, {{fill = "#password", value = "{{password}}"}}, {{click = "button[type=submit]"}}]
[check]
url = "/account"
logged_in = {{selector = "#out"}}
logged_out = {{selector = "#in"}}
[session]
auth_cookies = ["sid"]
"""


@dataclass
class Keyed:
    """The site. Signed in is who has the cookie of a login, and signs with the key of the same.

    Attributes:
        down: whether it hangs up on everybody.
        logins: how many were made.
    """

    port: int = 0
    down: bool = False
    logins: int = 0
    keys: dict[str, EllipticCurvePublicKey] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def log_in(self, body: dict[str, str]) -> str | None:
        if (body["username"], body["password"]) != (USERNAME, PASSWORD):
            return None
        self.logins += 1
        sid = "canary-sid-" + secrets.token_hex(8)
        self.keys[sid] = load_der_public_key(base64.b64decode(body["key"]))
        return sid

    def proves(self, sid: str, body: dict[str, str]) -> bool:
        raw = base64.b64decode(body["signature"])
        signature = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
        try:
            self.keys[sid].verify(signature, body["nonce"].encode(), ECDSA(SHA256()))
        except (KeyError, InvalidSignature):
            return False
        return True


def handler(site: Keyed) -> type[BaseHTTPRequestHandler]:
    script = SCRIPT.replace("ITEM", ITEM).replace("TAB", TAB).replace("CACHED", CACHED)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/worker.js":
                self.answer(WORKER, kind="text/javascript")
            elif path == "/challenge":
                self.answer(json.dumps({"nonce": secrets.token_hex(8)}), kind="application/json")
            else:
                page = {"/login": LOGIN, "/account": ACCOUNT}.get(path, PLAIN)
                self.answer(f"<!doctype html><link rel=icon href='data:,'><body><script>{script}</script>{page}</body>")

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/log-in":
                sid = site.log_in(body)
                self.answer("", status=200 if sid else 403, cookie=f"sid={sid}; HttpOnly" if sid else None)
            else:
                sids = dict(pair.split("=", 1) for pair in self.headers.get("Cookie", "").split("; ") if "=" in pair)
                self.answer("", status=200 if site.proves(sids.get("sid", ""), body) else 403)

        def answer(self, body: str, *, status: int = 200, kind: str = "text/html; charset=utf-8", cookie: str | None = None) -> None:
            if site.down:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Type", kind)
            if cookie:
                self.send_header("Set-Cookie", cookie)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.fixture
def keyed(home: Path, listening: Callable[[type[BaseHTTPRequestHandler]], int], monkeypatch: pytest.MonkeyPatch) -> Keyed:
    """The site, known to handstamp as ``keyed``, in a home of the test's own."""
    site = Keyed()
    site.port = listening(handler(site))
    (home / "sites").mkdir(parents=True, mode=0o700)
    home.chmod(0o700)
    (home / "sites" / "keyed.toml").write_text(RECIPE.format(url=site.url))
    monkeypatch.setenv("HANDSTAMP_KEYED_USERNAME", USERNAME)
    monkeypatch.setenv("HANDSTAMP_KEYED_PASSWORD", PASSWORD)
    return site


@pytest.fixture
def vault(keyed: Keyed, vault: Vault) -> Vault:
    assert keyed.port
    return vault


@pytest.fixture
def plain(keyed: Keyed, vault: Vault) -> str:
    """The same server by a name for which there is no recipe, hence neither check nor login; one cookie is saved."""
    cookie = Cookie("given", "canary-given-8e2f", "127.0.0.1", expires=time.time() + 86400)
    vault.save("default", StorageState.of([Part(PartId(PartKind.COOKIES, "127.0.0.1"), {cookie.key: Entry(cookie, Stamp(1))})]))
    return f"http://127.0.0.1:{keyed.port}/"


@pytest.fixture
def elsewhere(keyed: Keyed, tmp_path: Path) -> Callable[[str], Any]:
    """`elsewhere("…")`: what another process prints as JSON. Its program begins within the session of `keyed`, at `page`."""
    assert keyed.port

    def run(body: str, *, fidelity: str = "profile", expect: int = 0) -> Any:
        program = tmp_path / "program.py"
        lines = [f"    {line}" for line in body.strip().splitlines()]
        head = ["import json, os, sys, time", "from handstamp.sync_api import signed_in", f"with signed_in('keyed', fidelity={fidelity!r}) as context:"]
        program.write_text("\n".join([*head, "    page = context.new_page()", *lines, ""]))
        environment = {**os.environ, "PYTHONWARNINGS": "error"}
        done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=60, env=environment, check=False)
        assert done.returncode == expect, done.stderr
        return json.loads(done.stdout) if done.stdout else None

    return run
