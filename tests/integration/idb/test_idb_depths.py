"""Values that nobody thought of, values as deep as the browser takes them, every algorithm, and what cannot be read for a while."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from handstamp.browser.idb import capture_call, changes, dump, file_changes, restore_call, seen

if TYPE_CHECKING:
    from tests.integration.idb.conftest import Lab, Page

RANDOM = Path(__file__).with_name("random_values.js").read_text(encoding="utf-8")
UNREADABLE = "Blob.prototype.arrayBuffer = async () => { throw new DOMException('gone', 'NotReadableError'); }"
KV = "window.db = await openDatabase('auth', 1, (made) => made.createObjectStore('kv')); window.kv = () => db.transaction('kv', 'readwrite').objectStore('kv');"


async def fresh_with(lab: Lab, page: Page, script: str) -> Page:
    """A page of another context that was given the databases of `page`."""
    fresh = await lab.page()
    await fresh.add(restore_call(await page.dumps()))
    await fresh.goto(script=script)
    return fresh


async def test_random_values_are_restored_as_they_were(lab: Lab) -> None:
    page = await lab.page()
    await page.goto("/random", script=RANDOM)
    await page.run("await storeRandom('random', 400)")
    fresh = await fresh_with(lab, page, RANDOM)
    assert await fresh.run("return compareRandom('random', 400)") == []
    texts = await page.dumps()
    assert sum(text.startswith('{"clone":') for _, text in texts[0]["stores"][0]["records"]) > 200


async def test_a_value_as_deep_as_the_browser_takes_it_is_restored(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    deepest = await page.run(
        KV
        + """
      const nest = (depth) => { let value = []; for (let i = 0; i < depth; i += 1) value = [value]; return value; };
      for (let depth = 100_000; ; depth = Math.floor(depth * 0.8)) {
        try { await done(kv().put(nest(depth), 'deep')); return depth; } catch { /* too deep for the browser itself */ }
      }"""
    )
    assert deepest > 1000
    fresh = await fresh_with(lab, page, "")
    look = "let value = await done(kv().get('deep')); let depth = 0; while (value.length) { [value] = value; depth += 1; } return depth"
    assert await fresh.run(KV + look) == deepest


async def test_keys_of_every_algorithm_are_restored(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    exported = """
      const exported = async (key) => [key.type, key.algorithm, [...key.usages].sort(), await crypto.subtle.exportKey('jwk', key)];
      const told = async (made) => (made.privateKey ? [await exported(made.privateKey), await exported(made.publicKey)] : exported(made));"""
    names = await page.run(
        KV
        + exported
        + """
      const curve = (name, usages) => ['P-256', 'P-384', 'P-521'].map((namedCurve) => [{ name, namedCurve }, usages]);
      const rsa = (name, usages) => [{ name, modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-384' }, usages];
      const aes = (name, usages) => [128, 256].map((length) => [{ name, length }, usages]);
      const wanted = [...curve('ECDSA', ['sign', 'verify']), ...curve('ECDH', ['deriveBits', 'deriveKey']), rsa('RSA-PSS', ['sign', 'verify']),
        rsa('RSASSA-PKCS1-v1_5', ['verify', 'sign']), rsa('RSA-OAEP', ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey']),
        ...aes('AES-CTR', ['encrypt', 'decrypt']),
        ...aes('AES-CBC', ['encrypt']), ...aes('AES-GCM', ['decrypt', 'wrapKey']), ...aes('AES-KW', ['wrapKey', 'unwrapKey']),
        [{ name: 'HMAC', hash: 'SHA-1' }, ['sign']], [{ name: 'HMAC', hash: 'SHA-512', length: 24 }, ['sign', 'verify']],
        [{ name: 'Ed25519' }, ['sign', 'verify']], [{ name: 'X25519' }, ['deriveBits']],
        [{ name: 'ChaCha20-Poly1305' }, ['encrypt']], [{ name: 'ML-DSA-44' }, ['sign', 'verify']],
        [{ name: 'ML-KEM-768' }, ['encapsulateBits', 'decapsulateBits']]];
      const expected = [];
      for (const [at, [algorithm, usages]] of wanted.entries()) {
        const made = await crypto.subtle.generateKey(algorithm, true, usages).catch(() => null);
        if (made === null) continue;                           // not an algorithm of this browser
        await done(kv().put(made, at));
        expected.push(JSON.stringify(await told(made)));
      }
      return expected"""
    )
    assert (await (await page.world()).databases()).losses == ()
    fresh = await fresh_with(lab, page, "")
    restored = await fresh.run(KV + exported + "return Promise.all((await done(kv().getAll())).map(async (made) => JSON.stringify(await told(made))))")
    assert restored == names
    assert len(names) > 15


async def test_what_is_known_of_an_unreadable_blob_stays_known(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    await page.run(KV + "await done(kv().put(new Blob(['x']), 'blob')); await done(kv().put(1, 'plain')); await done(kv().put(2, 'gone'))")
    world = await page.world()
    first = await world.databases()
    known = seen({}, first.databases["auth"])
    await page.run("await done(kv().delete('gone')); await done(kv().put(new Blob(['y']), 'another'))")
    await world._evaluate(UNREADABLE)
    for call in (capture_call(known=first.token), capture_call()):
        captured = await world.databases(call)
        values, gone = changes(known, captured.databases["auth"])
        assert ("record", "kv", '"another"') not in values
        assert gone == {("record", "kv", '"gone"')}
        assert [loss.why for loss in captured.losses] == ["its bytes cannot be read (NotReadableError) (and 1 more like it)"]


async def test_what_is_known_of_an_unreadable_file_stays_known(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    await page.run("""for (const name of ['a', 'b']) {
      const writable = await (await (await navigator.storage.getDirectory()).getFileHandle(name, { create: true })).createWritable();
      await writable.write(name);
      await writable.close(); }""")
    world = await page.world()
    known, _ = file_changes({}, await world.files())
    await world._evaluate(UNREADABLE)
    await page.run("await (await navigator.storage.getDirectory()).removeEntry('b')")
    captured = await world.files()
    assert file_changes(known, captured) == ({}, {("b",)})
    assert [(loss.what, loss.where, loss.why) for loss in captured.losses] == [
        ("opfs-file", "http://site.test, at 'a'", "it cannot be read now (NotReadableError)")
    ]


async def test_one_unreadable_record_costs_only_itself(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    await page.run(KV + "for (let i = 0; i < 3; i += 1) await done(kv().put(`v${i}`, i))")
    world = await page.world()
    broken = """(() => {
      const failing = (store) => {
        const request = { error: new DOMException('broken', 'DataError') };
        store.getKey(0).onsuccess = () => request.onerror({ preventDefault() {}, stopPropagation() {} });
        return request;
      };
      const { get } = IDBObjectStore.prototype;
      IDBObjectStore.prototype.getAll = function () { return failing(this); };
      IDBObjectStore.prototype.get = function (key) { return key === 1 ? failing(this) : get.call(this, key); };
    })()"""
    await world.evaluate(broken)
    captured = await world.databases()
    read = captured.databases["auth"].reads["kv"]
    assert (dict(read.records), read.kept) == ({"0": '"v0"', "2": '"v2"'}, {"1"})
    assert [loss.why for loss in captured.losses] == ["the browser cannot read its value (DataError)"]
    assert dump("auth", changes({}, captured.databases["auth"])[0]) is not None
