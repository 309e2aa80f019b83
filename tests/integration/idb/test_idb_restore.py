"""Databases are back before the page's first script can look, and only where there were none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from handstamp.browser.idb import not_restored, restore_call
from handstamp.browser.idb.scripts import staged_calls
from handstamp.state import Loss

if TYPE_CHECKING:
    from tests.integration.idb.conftest import Lab

# Everything that a page can learn of a database, by a request in its first line.
LOOK = """
  window.look = async (name, version) => {
    const db = await openDatabase(name, version);
    const out = { version: db.version, stores: Object.create(null) };
    for (const storeName of db.objectStoreNames) {
      const transaction = db.transaction(storeName, 'readwrite');
      const store = transaction.objectStore(storeName);
      const indexes = [...store.indexNames].map((index) => store.index(index));
      out.stores[storeName] = {
        keyPath: store.keyPath, autoIncrement: store.autoIncrement,
        indexes: indexes.map((index) => [index.name, index.keyPath, index.unique, index.multiEntry]),
        indexed: await Promise.all(indexes.map((index) => done(index.count()))),
        keys: await done(store.getAllKeys()), values: await done(store.getAll()),
        next: store.autoIncrement ? await done(store.keyPath === null ? store.add('n') : store.add({})).catch((error) => error.name) : null,
      };
      try { transaction.abort(); } catch { /* ended by an error */ }
    }
    db.close();
    return out;
  };"""
MAKE = """
  const db = await openDatabase('auth', 7, (made) => {
    made.createObjectStore('plain');
    made.createObjectStore('auto', { autoIncrement: true });
    const deep = made.createObjectStore('deep', { keyPath: 'a.b', autoIncrement: true });
    deep.createIndex('by b', 'a.b', { unique: true });
    const pairs = made.createObjectStore('pairs', { keyPath: ['user', 'device'] });
    pairs.createIndex('', ['device', 'user']);
    pairs.createIndex('tags', 'tags', { multiEntry: true });
    pairs.createIndex('mail', 'mail', { unique: true });
    made.createObjectStore('itself', { keyPath: '' });
    made.createObjectStore('', { autoIncrement: true });
    made.createObjectStore('\\ud83d lone', { keyPath: 'id' });
    made.createObjectStore('full', { autoIncrement: true });
    made.createObjectStore('empty').createIndex('whole', '');
  });
  const transaction = db.transaction([...db.objectStoreNames], 'readwrite');
  const store = (name) => transaction.objectStore(name);
  const keys = [0, -1.5, Infinity, -Infinity, 5e-324, new Date(0), new Date(8.64e15), '', 'a', '\\ud800', '\\uffff', new Uint8Array([0, 255]).buffer,
    new ArrayBuffer(0),
    [], [1, 'a', [new Date(5), [new Uint8Array(1).buffer]]], [-Infinity]];
  keys.forEach((key, at) => store('plain').put(at, key));
  for (let i = 0; i < 9; i += 1) { store('auto').add({ i }); store('deep').add({ i }); }
  store('auto').delete(IDBKeyRange.lowerBound(4));
  store('deep').delete(9);
  store('auto').put('before', 0.5);
  store('auto').put('text', 'text');
  store('pairs').put({ user: 'u', device: 2, tags: ['x', 'y', 'x'], mail: 'm' });
  store('pairs').put({ user: 'u', device: [1], tags: 'one' });
  store('itself').put('its own key');
  store('').add('first');
  store('').clear();
  store('\\ud83d lone').put({ id: '\\udfff', text: '\\ud800' });
  store('full').put('last', 2 ** 53);
  await ended(transaction);
  db.close();
"""


async def test_the_pages_first_line_finds_schema_records_and_counters(lab: Lab) -> None:
    page = await lab.page()
    await page.goto(script=LOOK)
    await page.run(MAKE)
    dumps = await page.dumps()
    before = await page.run("return look('auth')")
    assert before["version"] == 7
    assert (before["stores"]["auto"]["next"], before["stores"]["deep"]["next"], before["stores"][""]["next"]) == (10, 10, 2)
    assert before["stores"]["full"]["next"] == "ConstraintError"
    assert len(before["stores"]["plain"]["keys"]) == 16

    fresh = await lab.page()
    await fresh.add(restore_call(dumps))
    await fresh.goto(script=LOOK + "window.first = look('auth')")
    assert await fresh.run("return await first") == before
    keys = "done(db.transaction('plain').objectStore('plain').getAllKeys()).then((keys) => keys.map((key) => [typeof key, key instanceof Date, String(key)]))"
    look = f"const db = await openDatabase('auth'); const keys = await {keys}; db.close(); return keys"
    assert await fresh.run(look) == await page.run(look)


async def test_databases_of_strange_names_are_restored(lab: Lab) -> None:
    page = await lab.page()
    await page.goto(script=LOOK)
    names = ["", "__proto__", "length", "\ud800", "/:?#", "näme"]
    await page.run(f"""for (const name of {json.dumps(names)}) {{
      const db = await openDatabase(name, 2 ** 40, (made) => made.createObjectStore(name));
      const transaction = db.transaction(name, 'readwrite'); transaction.objectStore(name).put(name, name); await ended(transaction); db.close(); }}""")
    fresh = await lab.page()
    await fresh.add(restore_call(await page.dumps()))
    await fresh.goto(script=LOOK + f"window.first = Promise.all({json.dumps(names)}.map((name) => look(name)))")
    found = await fresh.run("return (await first).map(({ version, stores }) => [version, Object.keys(stores), Object.values(stores)[0].values])")
    assert found == [[2**40, [name], [name]] for name in names]


async def test_records_with_keys_of_cryptography_are_there_for_the_pages_first_line(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    await page.run("""
      const { subtle } = crypto;
      const usages = ['sign', 'verify'];
      const rsa = await subtle.generateKey({ name: 'RSA-PSS', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }, true, usages);
      const db = await openDatabase('keys', 1, (made) => { made.createObjectStore('kv'); made.createObjectStore('more', { keyPath: 'id' }); });
      const transaction = db.transaction(['kv', 'more'], 'readwrite');
      transaction.objectStore('kv').put(rsa, 'rsa');
      for (let id = 0; id < 40; id += 1) transaction.objectStore('more').put({ id, key: rsa.privateKey, plain: 'x' });
      await ended(transaction);
      const signature = await subtle.sign({ name: 'RSA-PSS', saltLength: 8 }, rsa.privateKey, new Uint8Array(3));
      localStorage.setItem('signature', JSON.stringify([...new Uint8Array(signature)]));""")
    signature = await page.js("localStorage.getItem('signature')")
    fresh = await lab.page()
    await fresh.add(restore_call(await page.dumps()))
    await fresh.goto(
        script=f"""window.first = (async () => {{
          const db = await openDatabase('keys');
          const transaction = db.transaction(['kv', 'more']);
          const [pair, more] = await Promise.all([done(transaction.objectStore('kv').get('rsa')), done(transaction.objectStore('more').getAll())]);
          const own = await crypto.subtle.sign({{ name: 'RSA-PSS', saltLength: 8 }}, more[39].key, new Uint8Array(3));
          const verify = (bytes) => crypto.subtle.verify({{ name: 'RSA-PSS', saltLength: 8 }}, pair.publicKey, bytes, new Uint8Array(3));
          return [more.length, await verify(new Uint8Array({signature})), await verify(own)];
        }})()"""
    )
    assert await fresh.run("return await first") == [40, True, True]


async def test_a_page_that_upgrades_in_its_first_line_upgrades_what_was_restored_and_is_not_blocked(lab: Lab) -> None:
    page = await lab.page()
    await page.add(restore_call([database("auth", 3, [(f'"{i}"', str(i)) for i in range(2000)])]))
    await page.goto(
        script="""
          window.told = [];
          const opening = indexedDB.open('auth', 4);
          opening.onblocked = () => told.push('blocked');
          opening.onupgradeneeded = (event) => {
            told.push(event.oldVersion, opening.result.objectStoreNames.contains('kv'));
            opening.result.createObjectStore('new');
          };
          window.first = done(opening).then((db) => done(db.transaction('kv').objectStore('kv').count())).then((count) => [...told, count]);"""
    )
    assert await page.run("return await first") == [3, True, 2000]


async def test_a_database_that_the_page_deletes_stays_away(lab: Lab) -> None:
    page = await lab.page()
    restore = restore_call([database("auth", 1, [("1", "1")])])
    await page.add(restore)
    await page.goto(script="window.first = done(indexedDB.deleteDatabase('auth'))")
    await page.run("await first")
    world = await page.world()
    assert await world._evaluate(restore) == '{"auth":{"outcome":"restored","why":"","failed":[]}}'
    await world.fill([database("auth", 1, [("1", "1")])])
    assert await page.run("return (await indexedDB.databases()).length") == 0


async def test_what_is_there_is_left_alone_whatever_its_version(lab: Lab) -> None:
    for version in (1, 3, 9):
        page = await lab.page()
        await page.goto()
        await page.run(f"""const db = await openDatabase('auth', {version}, (made) => made.createObjectStore('own'));
          const transaction = db.transaction('own', 'readwrite'); transaction.objectStore('own').put('newer', 1); await ended(transaction); db.close();""")
        await page.add(restore_call([database("auth", 3, [("1", "1")])]))
        await page.goto("/again", script=LOOK + "window.first = look('auth')")
        found = await page.run("return await first")
        assert (found["version"], list(found["stores"]), found["stores"]["own"]["values"]) == (version, ["own"], ["newer"])
        assert (await page.restored("auth")).outcome == "there"


async def test_a_redirect_in_the_middle_leaves_nothing_half_and_the_next_document_gets_all(lab: Lab) -> None:
    page = await lab.page()
    records = [(str(i), str(i)) for i in range(5000)]
    await page.add(f"if (location.pathname !== '/empty') {restore_call([database('auth', 2, records), database('small', 1, [])])}")
    lab.serve("/empty", LOOK + "window.first = indexedDB.databases().then((all) => (all.some(({ name }) => name === 'auth') ? look('auth') : null))")
    await page.goto("/first", script="location.replace('/empty')", ends="/empty")
    cut = await page.run("return await first")
    assert cut is None or len(cut["stores"]["kv"]["keys"]) == 5000  # all of it on a day when the redirect is slow
    await page.goto("/next", script=LOOK + "window.first = look('auth')")
    assert len((await page.run("return await first"))["stores"]["kv"]["keys"]) == 5000
    assert (await page.restored("auth")).outcome == ("restored" if cut is None else "there")


async def test_filling_a_page_at_work_does_not_touch_its_open_connections(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    await page.run("window.db = await openDatabase('mine', 1); window.told = 0; db.onversionchange = () => { told += 1; }")
    world = await page.world()
    report = await world.fill([database("mine", 5, []), database("auth", 3, [("1", '"x"')])])
    assert {name: restored.outcome for name, restored in report.items()} == {"mine": "there", "auth": "restored"}
    assert await page.js("told") == 0


async def test_a_record_that_does_not_fit_costs_only_itself(lab: Lab) -> None:
    dump = database("auth", 1, [("1", '{"mail":"a"}'), ("2", '{"mail":"a"}'), ("3", '{"mail":"b"}'), ("4", '{"clone":99,"root":0,"nodes":[]}')])
    dump["stores"][0]["indexes"] = [{"name": "mail", "keyPath": "mail", "unique": True, "multiEntry": False}]
    page = await lab.page()
    await page.add(restore_call([dump]))
    await page.goto(script=LOOK + "window.first = look('auth')")
    assert (await page.run("return await first"))["stores"]["kv"]["keys"] == [1, 3]
    assert (await page.restored("auth")).failed == (("kv", "4", "Error"), ("kv", "2", "ConstraintError"))


async def test_over_the_quota_nothing_is_made_and_the_page_starts_afresh(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    await page.send("Storage.overrideQuotaForOrigin", {"origin": lab.url("").rstrip("/"), "quotaSize": 200_000})
    await page.add(restore_call([database("auth", 2, [(str(i), '"' + "x" * 10_000 + '"') for i in range(100)])]))
    await page.goto("/again", script="window.first = openDatabase('auth', 1, (made, _, event) => { window.old = event.oldVersion; }).then(() => old)")
    assert await page.js("first") == 0
    restored = await page.restored("auth")
    assert not_restored("https://a", "auth", restored) == (Loss("quota", "https://a, database 'auth'", "it was not given back (QuotaExceededError)"),)
    await page.send("Storage.overrideQuotaForOrigin", {"origin": lab.url("").rstrip("/")})


async def test_documents_without_storage_take_no_harm(lab: Lab) -> None:
    page = await lab.page()
    await page.add(restore_call([database("auth", 1, [("1", "1")])]))
    kinds = ("sandbox='allow-scripts' srcdoc='x'", "src='data:text/html,x'", "src='about:blank'", "srcdoc='x'")
    frames = "".join(f"<iframe {kind}></iframe>" for kind in kinds)
    await page.goto(script=f'window.errors = 0; onerror = () => {{ errors += 1; }}; document.write("{frames}")')
    assert (await page.restored("auth")).outcome in {"restored", "there"}
    assert await page.js("errors") == 0


async def test_a_frame_of_another_site_has_databases_of_its_own(lab: Lab) -> None:
    page = await lab.page()
    there = lab.url("", "127.0.0.1")
    restore = restore_call([database("auth", 1, [("1", '"of the frame"')])])
    await page.add(f"if (origin === '{there}') {restore}")
    look = "openDatabase('auth').then((db) => done(db.transaction('kv').objectStore('kv').getAll())).then((found) => parent.postMessage(String(found), '*'))"
    lab.serve("/frame", look)
    await page.goto(
        script=f"window.told = new Promise((done) => {{ onmessage = (e) => done(e.data); }}); document.write('<iframe src={there}/frame></iframe>')"
    )
    assert await page.js("told") == "of the frame"
    frame = (await page.frames())[f"{there}/frame"]
    captured = await (await page.world(frame=frame)).databases()
    assert captured.names == {"auth"}
    assert captured.databases["auth"].reads["kv"].records == {"1": '"of the frame"'}
    assert (await (await page.world()).databases()).names == set()
    await page.forget_scripts()
    await page.goto(host="127.0.0.1")  # the same origin on top
    assert (await (await page.world()).databases()).names == set()


async def test_ten_thousand_records_are_there_for_the_pages_first_line(lab: Lab) -> None:
    page = await lab.page()
    records = [(str(i), f'{{"clone":1,"root":[0],"nodes":[["Object","id",{i},"at",[1]],["Date",{i}]]}}') for i in range(10_000)]
    await page.add(restore_call([database("auth", 1, records)]))
    await page.goto(script=LOOK + "window.first = look('auth')")
    sums = "const { keys, values } = (await first).stores.kv; return [keys.length, values.length, values.reduce((sum, v) => sum + v.id - v.at.getTime(), 0)]"
    assert await page.run(sums) == [10_000, 10_000, 0]
    captured = await (await page.world()).databases()
    assert dict(captured.databases["auth"].reads["kv"].records) == dict(records)


async def test_fifty_megabytes_of_blobs_go_over_in_pieces(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    await page.run("""
      const db = await openDatabase('files', 1, (made) => made.createObjectStore('kv'));
      for (let i = 0; i < 5; i += 1) {
        const bytes = new Uint8Array(10 << 20);
        for (let at = 0; at < bytes.length; at += 4093) bytes[at] = at + i;
        const transaction = db.transaction('kv', 'readwrite');
        transaction.objectStore('kv').put({ blob: new Blob([bytes], { type: `image/${i}` }) }, i);
        await ended(transaction);
      }""")
    dumps = await page.dumps()
    assert sum(len(text) for _, text in dumps[0]["stores"][0]["records"]) > 50 << 20
    assert len(list(staged_calls("restoreAbsent", dumps))) > 4
    sums = """
      const out = [];
      const db = await openDatabase('files');
      for (let i = 0; i < 5; i += 1) {
        const { blob } = await done(db.transaction('kv').objectStore('kv').get(i));
        const hash = await crypto.subtle.digest('SHA-256', await blob.arrayBuffer());
        out.push([blob.size, blob.type, [...new Uint8Array(hash)].join()]);
      }
      db.close();
      return out"""
    fresh = await lab.page()
    await fresh.goto()
    assert (await (await fresh.world()).fill(dumps))["files"].failed == ()
    assert await fresh.run(sums) == await page.run(sums)


def database(name: str, version: int, records: list[tuple[str, str]]) -> dict[str, Any]:
    store = {"name": "kv", "keyPath": None, "autoIncrement": False, "counter": None, "indexes": [], "records": records}
    return {"name": name, "version": version, "stores": [store]}
