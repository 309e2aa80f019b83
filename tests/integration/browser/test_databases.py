"""IndexedDB through a whole context: mirrored while it is open, there again before the page's first open()."""

from __future__ import annotations

import asyncio
import time

from handstamp.state import PartId, PartKind

OPEN = """
const opened = new Promise((done) => {
  const asked = indexedDB.open('auth', 3);
  asked.onupgradeneeded = () => {
    const db = asked.result;
    if (!db.objectStoreNames.contains('kv')) db.createObjectStore('kv', {keyPath: 'id', autoIncrement: true}).createIndex('by', ['a', 'b'], {unique: true});
    if (!db.objectStoreNames.contains('free')) db.createObjectStore('free');
  };
  asked.onsuccess = () => done(asked.result);
});
const tell = (request) => new Promise((done, fail) => { request.onsuccess = () => done(request.result); request.onerror = () => fail(request.error); });
const first = opened.then(async (db) => (await tell(db.transaction('kv').objectStore('kv').getAll())).length);
"""
PAGE = f"<!doctype html><script>{OPEN}</script><h1>hello</h1>"
PUT = """async (values) => { const t = (await opened).transaction('kv', 'readwrite');
  for (const v of values) t.objectStore('kv').put(v); await new Promise(d => t.oncomplete = d); }"""


def records(state, origin: str, database: str = "auth") -> int:
    part = state.parts.get(PartId(PartKind.IDB, origin, database))
    return sum(1 for key in part.live() if key[0] == "record") if part else 0


async def until(condition, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


def test_a_database_is_saved_while_open_and_back_at_the_first_open(web, opened) -> None:
    a = web.origin()
    web.pages["/db"] = PAGE

    async def scenario() -> None:
        async with opened() as (context, _, saves):
            page = await context.new_page()
            await page.goto(f"{a}/db")
            await page.evaluate(PUT, [{"a": 1, "b": "x", "when": None}, {"a": 2, "b": "y"}])
            await until(lambda: records(saves.state, a) == 2)
            await page.evaluate("async () => tell((await opened).transaction('kv', 'readwrite').objectStore('kv').delete(2))")
            await until(lambda: records(saves.state, a) == 1)
            await page.evaluate("async () => { const t = (await opened).transaction('free', 'readwrite'); t.objectStore('free').put(new Date(7), ['k', -0]); }")
        before = len(saves.changes)
        async with opened(saves.state) as (context, live, again):
            page = await context.new_page()
            await page.goto(f"{a}/db")
            assert await page.evaluate("first") == 1
            assert await page.evaluate("async () => tell((await opened).transaction('kv', 'readwrite').objectStore('kv').add({a: 9, b: 'z'}))") == 3
            free = "async () => [await tell((await opened).transaction('free').objectStore('free').getAll())].map(([d]) => d instanceof Date && +d)"
            assert await page.evaluate(free) == [7]
            assert live.losses == []
        assert before
        assert records(again.state, a) == 3

    asyncio.run(scenario())


def test_a_restore_alone_changes_nothing_and_is_done_once(web, opened) -> None:
    a = web.origin()
    web.pages["/db"] = PAGE
    web.pages["/names"] = "<script>names = indexedDB.databases().then(all => all.map(one => one.name))</script>"

    async def scenario() -> None:
        async with opened() as (context, _, saves):
            page = await context.new_page()
            await page.goto(f"{a}/db")
            await page.evaluate(PUT, [{"a": 1, "b": "x"}])
        async with opened(saves.state) as (context, _, again):
            page = await context.new_page()
            await page.goto(f"{a}/db")
            assert await page.evaluate("first") == 1
            await asyncio.sleep(1)
            assert again.changes == []
            await page.evaluate("async () => { (await opened).close(); await tell(indexedDB.deleteDatabase('auth')); }")
            await page.goto(f"{a}/names")
            assert await page.evaluate("names") == []
            other = await context.new_page()
            await other.goto(f"{a}/names")
            assert await other.evaluate("names") == []
        assert records(again.state, a) == 0
        assert records(saves.state, a) == 1

    asyncio.run(scenario())


def test_a_database_written_just_before_going_to_another_origin_is_saved(web, opened) -> None:
    a, b = web.origin("a"), web.origin("b")
    web.pages["/login"] = (
        f"<script>{OPEN} opened.then(async db => {{ await tell(db.transaction('kv', 'readwrite').objectStore('kv').put({{a: 1, b: 2}}));"
        f"location = '{b}/home'; }})</script>"
    )

    async def scenario() -> None:
        async with opened() as (context, _, saves):
            page = await context.new_page()
            await page.goto(f"{a}/login")
            await page.wait_for_url("**/home")
            assert len(context.pages) == 1
        assert records(saves.state, a) == 1

    asyncio.run(scenario())


def test_a_non_extractable_key_is_reported_and_the_rest_kept(web, opened) -> None:
    a = web.origin()
    web.pages["/db"] = PAGE
    make = """async () => {
      const key = await crypto.subtle.generateKey({name: 'AES-GCM', length: 256}, false, ['encrypt']);
      const t = (await opened).transaction('free', 'readwrite'); t.objectStore('free').put(key, 'key'); t.objectStore('free').put('plain', 'other');
      await new Promise(d => t.oncomplete = d); }"""

    async def scenario() -> None:
        async with opened() as (context, live, saves):
            page = await context.new_page()
            await page.goto(f"{a}/db")
            await page.evaluate(make)
            await until(lambda: records(saves.state, a) == 1)
            await until(lambda: bool(live.losses))
            (loss,) = live.losses
            assert (loss.what, loss.where.startswith(a)) == ("crypto-key", True)

    asyncio.run(scenario())


def test_files_are_saved_and_there_before_the_first_script_and_no_helper_page_is_seen(web, opened) -> None:
    a = web.origin()
    write = """async () => { const root = await navigator.storage.getDirectory(); const folder = await root.getDirectoryHandle('d', {create: true});
      const file = await (await folder.getFileHandle('f.bin', {create: true})).createWritable();
      await file.write(new Uint8Array([0, 255, 7])); await file.close(); }"""
    web.pages["/read"] = """<script>first = navigator.storage.getDirectory().then(r => r.getDirectoryHandle('d')).then(d => d.getFileHandle('f.bin'))
      .then(f => f.getFile()).then(f => f.arrayBuffer()).then(b => [...new Uint8Array(b)], error => error.name)</script>"""

    async def scenario() -> None:
        async with opened() as (context, _, saves):
            page = await context.new_page()
            await page.goto(a)
            await page.evaluate(write)
        async with opened(saves.state) as (context, live, again):
            pages: list[str] = []
            context.on("page", lambda page: pages.append(page.url))
            page = await context.new_page()
            await page.goto(f"{a}/read")
            assert await page.evaluate("first") == [0, 255, 7]
            assert len(pages) == len(context.pages) == 1
            session = await context.browser.new_browser_cdp_session()
            targets = (await session.send("Target.getTargets"))["targetInfos"]
            assert sum(target["type"] == "page" and target["url"].startswith("http") for target in targets) == 1
            assert live.losses == []
        assert again.changes == []
        assert web.received.count(("/", "")) == 1  # no request of a helper page reached the server

    asyncio.run(scenario())


def test_databases_and_files_of_a_frame_under_another_site_come_back_in_their_own_partition(web, opened) -> None:
    a, b = web.origin("a"), web.origin("b")
    web.pages["/inner"] = PAGE
    web.pages["/outer"] = f"<iframe src='{b}/inner'></iframe>"

    async def scenario() -> None:
        async with opened() as (context, _, saves):
            page = await context.new_page()
            await page.goto(f"{a}/outer")
            await page.frames[1].evaluate(PUT, [{"a": 1, "b": "framed"}])
        assert records(saves.state, f"{b}^0http://a.localhost") == 1
        assert records(saves.state, b) == 0
        async with opened(saves.state) as (context, _, _again):
            page = await context.new_page()
            await page.goto(f"{a}/outer")
            assert await page.frames[1].evaluate("first") == 1
            await page.goto(f"{b}/inner")
            assert await page.evaluate("first") == 0

    asyncio.run(scenario())


def test_a_page_that_leaves_while_its_database_is_filled_uses_nothing_up(web, opened) -> None:
    a = web.origin()
    web.pages["/db"] = PAGE
    web.pages["/leave"] = f"<script>location.replace('{a}/db')</script>"

    async def scenario() -> None:
        async with opened() as (context, _, saves):
            page = await context.new_page()
            await page.goto(f"{a}/db")
            await page.evaluate(PUT, [{"a": number, "b": "x" * 1000} for number in range(2000)])
        async with opened(saves.state) as (context, live, again):
            page = await context.new_page()
            await page.goto(f"{a}/leave")
            await page.wait_for_url("**/db")
            assert await page.evaluate("first") == 2000
            assert live.losses == []
        assert records(again.state, a) == 2000

    asyncio.run(scenario())


def test_what_a_frame_under_another_site_stored_is_kept_though_its_page_is_closed_at_once(web, opened) -> None:
    a = web.origin("a")
    inner = [web.origin(f"b{number}") for number in range(5)]
    for number, b in enumerate(inner):
        web.pages[f"/outer{number}"] = f"<iframe src='{b}/inner'></iframe>"
    web.pages["/inner"] = (
        f"<script>{OPEN} opened.then(async db => {{ const t = db.transaction('kv', 'readwrite'); t.objectStore('kv').put({{a: 1, b: 2}});"
        "t.oncomplete = () => top.postMessage('done', '*'); })</script>"
    )
    stored = "new Promise((done) => addEventListener('message', () => done(true)))"

    async def scenario() -> None:
        async with opened() as (context, _, saves):
            for number in range(len(inner)):
                page = await context.new_page()
                await page.add_init_script(f"globalThis.stored = {stored}")
                await page.goto(f"{a}/outer{number}")
                assert await page.evaluate("stored")
                await page.close()
        assert [records(saves.state, f"{b}^0http://a.localhost") for b in inner] == [1] * len(inner)

    asyncio.run(scenario())
