"""Every kind of value goes from one browser context to another and is the same there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handstamp.browser.idb import changes, dump, restore_call

if TYPE_CHECKING:
    from tests.integration.idb.conftest import Lab

WATCH = "window.before = Object.getOwnPropertyNames(window).length; window.errors = []; onerror = onunhandledrejection = (e) => errors.push(e)"


async def test_every_kind_of_value_is_restored_as_it_was(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    kinds = await page.run("return storeKinds('values')")
    world = await page.world()
    captured = await world.databases()
    assert captured.losses == ()
    assert len(captured.databases["values"].reads["kinds"].records) == len(kinds) > 30

    fresh = await lab.page()
    await fresh.add(restore_call(await page.dumps()))
    await fresh.goto()
    assert await fresh.run("return compareKinds('values')") == {}
    assert (await fresh.restored("values")).failed == ()


async def test_the_comparison_of_these_tests_sees_differences(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    unequal = """[[0, -0], [[1, , 2], [1, undefined, 2]], [{a: 1}, {a: 1, b: undefined}], [new Map([[1, 2]]), new Map([[1, 3]])], [new Date(1), new Date(2)],
      [new Uint8Array(2), new Uint8Array(new ArrayBuffer(4), 0, 2)], [new Error('a'), new Error('b')], [Object(1), Object('1')], [/a/g, /a/i],
      [(() => { const o = {}; return [o, o]; })(), [{}, {}]], [(() => { const a = []; a.push(a); return a; })(), [[]]],
      [new File(['a'], 'n', {lastModified: 1}), new File(['b'], 'n', {lastModified: 1})], [new Blob(['a']), new File(['a'], '')],
      [JSON.parse('{"__proto__": 1}'), JSON.parse('{"__proto__": 2}')], [{a: 1, b: 2}, {b: 2, a: 1}], ['\\ud800', '\\ufffd']]"""
    assert "" not in await page.run(f"const out = []; for (const [a, b] of {unequal}) out.push(await difference(a, b)); return out")
    assert await page.run("return await difference(await KINDS.cycle(), await KINDS.cycle())") == ""


async def test_reading_twice_gives_the_same_texts(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    await page.run("return storeKinds('values')")
    world = await page.world()
    first, second = await world.databases(), await world.databases()
    assert first.databases["values"].reads["kinds"].whole
    assert second.databases == first.databases


async def test_what_cannot_travel_is_named_and_the_rest_is_kept(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    await page.run("""
      const key = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
      const certificate = await RTCPeerConnection.generateCertificate({ name: 'ECDSA', namedCurve: 'P-256' });
      const handle = await (await navigator.storage.getDirectory()).getFileHandle('file', { create: true });
      const db = await openDatabase('auth', 1, (made) => made.createObjectStore('kv'));
      const transaction = db.transaction('kv', 'readwrite');
      const bitmap = await createImageBitmap(new ImageData(1, 1));
      const values = { fine: 'yes', dpop: { id: 7, keys: [{ pair: key }] }, more: key, certificate, handle, bitmap };
      for (const [name, value] of Object.entries(values)) transaction.objectStore('kv').put(value, name);
      await ended(transaction);""")
    world = await page.world(scope="https://app.example")
    captured = await world.databases()
    read = captured.databases["auth"].reads["kv"]
    assert dict(read.records) == {'"fine"': '"yes"'}
    assert read.kept == frozenset()
    losses = {loss.what: loss for loss in captured.losses}
    assert set(losses) == {"crypto-key", "rtc-certificate", "file-handle", "image-bitmap"}
    assert losses["crypto-key"].where == "https://app.example, database 'auth', store 'kv', at 'keys.0.pair.privateKey'"
    assert losses["crypto-key"].why == "the ECDSA key is not extractable: it cannot leave the browser that made it (and 1 more like it)"


async def test_a_page_that_changes_javascripts_own_objects_disturbs_nothing(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    await page.run("return storeKinds('values')")
    calls = """
      window.seen = 0;
      for (const kind of [IDBObjectStore, IDBFactory, IDBDatabase, IDBTransaction, IDBRequest, Blob, Map, Set, Array, Date, Promise, SubtleCrypto]) {
        for (const name of Object.getOwnPropertyNames(kind.prototype)) {
          const own = Object.getOwnPropertyDescriptor(kind.prototype, name);
          if (typeof own.value === 'function' && name !== 'constructor') kind.prototype[name] = function () { seen += 1; throw new Error('broken'); };
        }
      }
      Object.defineProperty(Object.prototype, 'toJSON', { value: () => 'broken' });
      Object.defineProperty(Object.prototype, 'clone', { set() { seen += 1; }, get() { return 1; } });
      JSON.stringify = JSON.parse = crypto.subtle.exportKey = indexedDB.open = indexedDB.databases = window.btoa = () => { seen += 1; };"""
    await page.js(calls)
    dumps = await page.dumps()
    assert await page.js("seen") == 0

    fresh = await lab.page()
    await fresh.add(restore_call(dumps))
    await fresh.goto("/patched", script=calls)
    assert (await fresh.restored("values")).outcome == "restored"
    assert await fresh.js("seen") == 0
    await fresh.forget_scripts()
    await fresh.goto()
    assert await fresh.run("return compareKinds('values')") == {}


async def test_the_page_sees_nothing_of_the_library(lab: Lab) -> None:
    page = await lab.page()
    await page.add(restore_call([{"name": "d", "version": 1, "stores": []}]))
    await page.goto("/bare", script=WATCH)
    await (await page.world()).databases()
    other = await lab.page()
    await other.goto("/bare", script=WATCH)
    assert await page.js("before") == await other.js("before")
    assert await page.js("typeof handstampStorage") == "undefined"
    assert await page.js("errors.length") == 0


async def test_without_the_newest_base64_the_bytes_are_the_same(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    await page.run("""const db = await openDatabase('b', 1, (made) => made.createObjectStore('kv'));
      const transaction = db.transaction('kv', 'readwrite');
      transaction.objectStore('kv').put(Uint8Array.from({ length: 100001 }, (_, i) => i * 7).buffer, 'bytes');
      await ended(transaction);""")
    with_it = (await (await page.world()).databases()).databases
    older = await lab.page()
    await older.add("delete Uint8Array.prototype.toBase64; delete Uint8Array.fromBase64;")
    await older.add(restore_call([dump("b", changes({}, with_it["b"])[0])]))
    await older.goto()
    await older.restored("b")
    assert (await (await older.world()).databases()).databases == with_it
