"""Playwright's own files in and out, with Playwright itself: what it saves is read whole, what is written it takes."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import async_playwright

from handstamp.browser import find_browser
from handstamp.browser.idb import World, changes, dump
from handstamp.errors import BrowserMissing
from handstamp.formats import read, write
from handstamp.state import Clock, Cookie, Entry, Part, PartId, PartitionKey, PartKind, StorageState, cookie_scope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator

    from playwright.async_api import Browser, BrowserContext

COOKIES = ("sid=1; HttpOnly; Max-Age=1000", "part=1; Secure; Partitioned; SameSite=None", "theme=dark; SameSite=Strict; Path=/app")

# Every kind of value that Playwright 1.65 saves and restores exactly (an invalid Date it makes 1970), under every kind of key.
FILL = """async () => {
  localStorage.setItem('token', 'v\\ud800'); localStorage.setItem('', 'empty');
  const request = indexedDB.open('auth', 3);
  request.onupgradeneeded = () => {
    const store = request.result.createObjectStore('inline', {keyPath: ['user', 'no'], autoIncrement: false});
    store.createIndex('by', ['a', 'b'], {unique: true}); store.createIndex('tags', 'tags', {multiEntry: true});
    request.result.createObjectStore('nested', {keyPath: 'a.id'});
    request.result.createObjectStore('counted', {autoIncrement: true});
    request.result.createObjectStore('plain');
  };
  const db = await new Promise((resolve, reject) => { request.onsuccess = () => resolve(request.result); request.onerror = reject; });
  const at = db.transaction(['inline', 'nested', 'counted', 'plain'], 'readwrite');
  at.objectStore('inline').put({user: 'me', no: 1, a: 'x', b: new Date(5), tags: ['t']});
  at.objectStore('inline').put({user: 'me', no: new Date(7), o: [1]});
  at.objectStore('nested').put({a: {id: 7}, o: [{k: 'id', v: 1}]});
  at.objectStore('nested').put({a: {id: 'x'}, big: 12n});
  at.objectStore('counted').put('one'); at.objectStore('counted').put(undefined);
  const plain = at.objectStore('plain'), shared = [1, NaN, -0, null, undefined];
  plain.put({list: shared, again: shared, when: new Date(0)}, 'object');
  plain.put(new Map([['k', new Set([1, 'two', {three: 3}])], [{x: 1}, /a+/gi]]), 1.5);
  plain.put({bytes: new Uint8Array([1, 2, 3]), wide: new Float64Array([1.5, -0]), raw: new Uint8Array([9]).buffer}, new Date(1800000000000));
  plain.put(new TypeError('no'), [1, 'a', [new Date(2)]]);
  plain.put({clone: 1, root: 'mine', é: '\\u2028'}, new Uint8Array([1, 2]));
  plain.put('\\ud83d\\ude00', -Infinity);
  await new Promise((resolve, reject) => { at.oncomplete = resolve; at.onabort = () => reject(at.error); });
  db.close();
  const root = await navigator.storage.getDirectory();
  const file = await (await root.getDirectoryHandle('dir', {create: true})).getFileHandle('f.bin', {create: true});
  const writable = await file.createWritable(); await writable.write(new Uint8Array([0, 255])); await writable.close();
}"""


@contextmanager
def site() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            for line in COOKIES:
                self.send_header("Set-Cookie", line)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><link rel=icon href=data:,>")

        def log_message(self, *_: Any) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(find_browser()), args=["--no-sandbox"])
        yield browser
        await browser.close()


def with_browser(test: Callable[[Browser, str], Coroutine[Any, Any, None]]) -> None:
    try:
        find_browser()
    except BrowserMissing as missing:
        pytest.skip(str(missing))

    async def run() -> None:
        async with chromium() as browser:
            with site() as url:
                await test(browser, url)

    asyncio.run(run())


async def saved(context: BrowserContext) -> dict[str, Any]:
    state: dict[str, Any] = dict(await context.storage_state(indexed_db=True, opfs=True))
    state["cookies"] = sorted(state["cookies"], key=lambda cookie: cookie["name"])
    return state


async def filled(browser: Browser, url: str) -> tuple[dict[str, Any], World]:
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(url)
    await page.evaluate(FILL)
    return await saved(context), World(page.evaluate, url)


def taken(state: dict[str, Any]) -> StorageState:
    found = read(json.dumps(state).encode(), now=time.time(), clock=Clock("t"))
    assert (found.format, found.notes) == ("playwright", ())
    return found.state


def test_what_playwright_saved_comes_back_through_our_file() -> None:
    async def test(browser: Browser, url: str) -> None:
        before, _ = await filled(browser, url)
        data = write(taken(before), format="playwright", now=time.time()).data
        after = await saved(await browser.new_context(storage_state=json.loads(data)))
        assert after == before

    with_browser(test)


def test_databases_read_from_playwrights_file_are_those_that_the_engine_captures() -> None:
    async def test(browser: Browser, url: str) -> None:
        state, world = await filled(browser, url)
        captured = await world.databases()
        assert captured.losses == ()
        values, _ = changes({}, captured.databases["auth"])
        said = {key: value for key, value in values.items() if key[0] != "counter"}
        assert taken(state).parts[PartId(PartKind.IDB, url, "auth")].live() == said
        files = await world.files()
        assert {path: {"type": "file", "data": data} for path, data in files.files.items()} | {path: {"type": "directory"} for path in files.folders} == {
            path: value for (path,), value in taken(state).parts[PartId(PartKind.OPFS, url)].live().items()
        }

    with_browser(test)


def test_the_engine_fills_what_was_read_from_playwrights_file() -> None:
    async def test(browser: Browser, url: str) -> None:
        before, _ = await filled(browser, url)
        part = taken(before).parts[PartId(PartKind.IDB, url, "auth")]
        restore = dump("auth", part.live())
        assert restore is not None
        context = await browser.new_context()
        page = await context.new_page()
        await page.goto(url)
        report = await World(page.evaluate, url).fill([restore])
        assert report["auth"].outcome == "restored"
        after = await saved(context)
        assert after["origins"][0]["indexedDB"] == before["origins"][0]["indexedDB"]

    with_browser(test)


def everything() -> StorageState:
    end = time.time() + 1000
    cookies = [
        Cookie("sid", "1", "a.example", host_only=False, expires=end, secure=True, http_only=True, same_site="Lax", source_scheme="Secure", source_port=443),
        Cookie("low", "1", "a.example", priority="Low"),
        Cookie("", "nameless", "a.example"),
        Cookie("far", "1", "a.example", expires=1e13),
        Cookie("part", "1", "w.example", secure=True, same_site="None", partition_key=PartitionKey("https://a.example", has_cross_site_ancestor=True)),
    ]
    parts: list[Part] = [
        Part(PartId(PartKind.COOKIES, scope), {cookie.key: Entry(cookie) for cookie in cookies if cookie_scope(cookie.domain) == scope})
        for scope in ("a.example", "w.example")
    ]
    parts.append(Part(PartId(PartKind.LOCAL, "https://a.example"), {("token",): Entry("\ud800"), ("length",): Entry("1")}))
    parts.append(Part(PartId(PartKind.LOCAL, "https://w.example^0https://a.example"), {("k",): Entry("v")}))
    parts.append(Part(PartId(PartKind.SESSION, "https://a.example"), {("tab", "k"): Entry("v")}))
    schema = {"version": 1, "stores": [{"name": "s", "keyPath": None, "autoIncrement": True, "indexes": []}]}
    blob = '{"clone":1,"root":[0],"nodes":[["Blob","text/plain","aGk="]]}'
    database: dict[tuple[str, ...], Any] = {("schema",): schema, ("record", "s", "1"): '"x"', ("record", "s", "2"): blob, ("counter", "s"): 9}
    parts.append(Part(PartId(PartKind.IDB, "https://a.example", "d"), {key: Entry(value) for key, value in database.items()}))
    return StorageState.of(parts)


def test_playwright_takes_a_file_with_all_that_is_ours_besides() -> None:
    async def test(browser: Browser, url: str) -> None:
        assert url
        data = write(everything(), format="playwright", now=time.time()).data
        state = await saved(await browser.new_context(storage_state=json.loads(data)))
        assert [cookie["name"] for cookie in state["cookies"]] == ["", "far", "low", "part", "sid"]
        (origin,) = state["origins"]
        assert {"name": "token", "value": "\ud800"} in origin["localStorage"]
        assert origin["indexedDB"][0]["stores"][0]["records"] == [{"key": 1, "value": "x"}]
        assert read(data, now=time.time(), clock=Clock("t")).state.parts.keys() == everything().parts.keys()

    with_browser(test)


def test_playwrights_http_client_takes_the_file_too() -> None:
    async def test(browser: Browser, url: str) -> None:
        del browser
        data = write(everything(), format="playwright", now=time.time()).data
        async with async_playwright() as playwright:
            client = await playwright.request.new_context(storage_state=json.loads(data), base_url=url)
            state = await client.storage_state()
            await client.dispose()
        assert {cookie["name"] for cookie in state["cookies"]} == {"sid", "low", "far", "", "part"}

    with_browser(test)
