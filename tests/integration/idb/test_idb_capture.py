"""Reading a page's databases harms nothing: nothing is made, upgraded, held up or changed by it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from handstamp.browser.idb import capture_call, changes, over_cdp, seen
from handstamp.errors import BrowserError

if TYPE_CHECKING:
    from tests.integration.idb.conftest import Lab

FILL = """
  window.db = await openDatabase('auth', 1, (made) => {
    made.createObjectStore('kv');
    made.createObjectStore('queue', { autoIncrement: true }).createIndex('self', '', { unique: true });
    made.createObjectStore('other', { keyPath: 'id', autoIncrement: true });
  });
  window.kv = () => db.transaction('kv', 'readwrite').objectStore('kv');
  window.queue = () => db.transaction('queue', 'readwrite').objectStore('queue');
  for (let i = 0; i < 5; i += 1) { await done(kv().put(`v${i}`, i)); await done(queue().add(i)); }
  await done(queue().delete(5));
"""


async def test_reading_makes_no_database_and_changes_no_counter(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    world = await page.world()
    assert (await world.databases()).names == set()
    assert (await world.databases(capture_call([("absent", None)]))).names == set()
    assert await page.run("return (await indexedDB.databases()).length") == 0
    await page.run(FILL)
    for _ in range(3):
        read = (await world.databases(capture_call(counters="all"))).databases["auth"].reads["queue"]
        assert (read.counter, list(read.records)) == (6, ["1", "2", "3", "4"])
    assert await page.run("return [await done(queue().add('next')), await done(queue().count())]") == [6, 5]


async def test_looking_at_a_counter_makes_one_content_event_and_only_when_the_store_changed(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    await page.run(FILL)
    world = await page.world()
    await page.send("Storage.trackIndexedDBForStorageKey", {"storageKey": lab.url("/")})

    async def stores_told_of() -> list[str]:
        await page.run("await done(kv().put(Math.random(), 'marker'))")  # events come in order: when this one is here, all before it are
        await lab.heard("Storage.indexedDBContentUpdated", objectStoreName="kv")
        told = [event["params"]["objectStoreName"] for event in lab.events if event["method"] == "Storage.indexedDBContentUpdated"]
        lab.events.clear()
        return [store for store in told if store != "kv"]

    lab.events.clear()
    token = (await world.databases()).token
    assert sorted(await stores_told_of()) == ["other", "queue"]
    token = (await world.databases(capture_call(known=token))).token
    assert await stores_told_of() == []
    await page.run("await done(queue().add('new'))")
    assert await stores_told_of() == ["queue"]
    captured = await world.databases(capture_call([("auth", ["queue"])], known=token))
    assert captured.databases["auth"].reads["queue"].counter == 7
    assert await stores_told_of() == ["queue"]
    await world.databases(capture_call(counters="none"))
    assert await stores_told_of() == []


async def test_with_the_token_only_differences_are_told(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    await page.run(FILL)
    world = await page.world()
    first = await world.databases()
    known = seen({}, first.databases["auth"])
    await page.run("await done(kv().put('changed', 2)); await done(kv().delete(3)); await done(kv().put('added', 'x'))")
    second = await world.databases(capture_call(known=first.token))
    read = second.databases["auth"].reads["kv"]
    assert (dict(read.records), read.gone, read.whole) == ({"2": '"changed"', '"x"': '"added"'}, {"3"}, False)
    assert second.databases["auth"].reads["queue"].records == {}
    assert changes(known, second.databases["auth"])[1] == {("record", "kv", "3")}
    assert seen(known, second.databases["auth"]) == seen({}, (await world.databases()).databases["auth"])
    assert (await world.databases(capture_call(known=second.token))).databases["auth"].reads["kv"].whole  # not the last answer's token


async def test_only_the_stores_asked_for_are_read(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    await page.run(FILL)
    captured = await (await page.world()).databases(capture_call([("auth", ["kv", "absent"])]))
    assert list(captured.databases["auth"].reads) == ["kv"]
    assert [store["name"] for store in captured.databases["auth"].stores] == ["kv", "other", "queue"]
    assert (await (await page.world()).databases(capture_call([]))).names == {"auth"}


async def test_a_page_that_upgrades_while_it_is_read_is_not_held_up(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    await page.run("""
      const db = await openDatabase('auth', 1, (made) => made.createObjectStore('kv'));
      const transaction = db.transaction('kv', 'readwrite');
      for (let i = 0; i < 20000; i += 1) transaction.objectStore('kv').put({ at: new Date(i), text: 'x'.repeat(100) }, i);
      await ended(transaction);
      db.close();
      window.told = [];""")
    reading = asyncio.ensure_future((await page.world()).databases())
    await asyncio.sleep(0.05)
    await page.run("""
      const opening = indexedDB.open('auth', 2);
      opening.onblocked = () => told.push('blocked');
      opening.onupgradeneeded = () => opening.transaction.objectStore('kv').put('upgraded', -1);
      (await done(opening)).close();""")
    read = (await reading).databases["auth"]
    assert await page.js("told.length") == 0
    assert (read.version, len(read.reads["kv"].records), read.reads["kv"].records["-1"]) == (2, 20001, '"upgraded"')


async def test_a_page_that_deletes_while_it_is_read_is_not_held_up(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    for _ in range(10):
        await page.run(FILL + "db.close(); window.told = 0;")
        reading = asyncio.ensure_future((await page.world()).databases())
        await page.run("const deleting = indexedDB.deleteDatabase('auth'); deleting.onblocked = () => { told += 1; }; await done(deleting);")
        captured = await reading
        assert await page.js("told") == 0
        assert captured.losses == ()
        assert await page.run("return (await indexedDB.databases()).length") == 0


async def test_a_database_that_does_not_open_is_reported_and_the_others_are_read(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    await page.run(FILL)
    await page.run("""
      (await openDatabase('busy', 1)).close();
      window.go = false;
      const opening = indexedDB.open('busy', 2);
      await new Promise((started) => {
        opening.onupgradeneeded = () => {
          const store = opening.result.createObjectStore('s');
          const spin = () => { if (!go) store.count().onsuccess = spin; };
          spin();
          started();
        };
      });
      opening.onsuccess = () => opening.result.close();""")
    world = await page.world(scope="https://app.example")
    captured = await world.databases(capture_call(open_within=0.2))
    assert (list(captured.databases), captured.versions) == (["auth"], {"auth": 1, "busy": 1})
    assert [(loss.what, loss.where, loss.why) for loss in captured.losses] == [
        ("database", "https://app.example, database 'busy'", "it did not open within 0.2 s")
    ]
    await page.js("window.go = true")
    assert (await world.databases()).databases["busy"].version == 2
    await page.run("(await openDatabase('busy', 3)).close()")  # the late opening has been closed, too


async def test_what_is_too_big_is_reported(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    await page.run(FILL + "await done(kv().put(new Uint8Array(5000), 'bytes')); await done(kv().put(new Blob([new Uint8Array(5000)]), 'blob'))")
    world = await page.world()
    captured = await world.databases(capture_call(most_of_record=4999))
    assert len(captured.databases["auth"].reads["kv"].records) == 5
    assert captured.losses[0].what == "too-big"
    captured = await world.databases(capture_call(most_of_database=9000))
    assert captured.databases == {}
    assert [(loss.what, loss.where) for loss in captured.losses] == [("too-big", "http://site.test, database 'auth'")]
    assert captured.names == {"auth"}


async def test_a_storage_bucket_is_reported(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    await page.run("await navigator.storageBuckets.open('inbox')")
    captured = await (await page.world()).databases()
    assert [(loss.what, loss.where) for loss in captured.losses] == [("storage-bucket", "http://site.test, at 'inbox'")]


async def test_a_reading_that_another_cuts_off_is_an_error(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    await page.run(
        "const db = await openDatabase('big', 1, (made) => made.createObjectStore('kv'));"
        "for (let i = 0; i < 12; i += 1) await done(db.transaction('kv', 'readwrite').objectStore('kv').put('x'.repeat(1 << 20), i)); db.close()"
    )
    world = await page.world()
    results = await asyncio.gather(world.databases(), world.databases(), return_exceptions=True)
    whole = [result for result in results if not isinstance(result, BaseException)]
    assert all(isinstance(result, BrowserError) for result in results if isinstance(result, BaseException))
    assert all(len(result.databases["big"].reads["kv"].records) == 12 for result in whole)
    assert len((await world.databases()).databases["big"].reads["kv"].records) == 12


async def test_a_document_that_went_away_is_an_error_of_the_browser(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    world = await page.world()
    await page.goto("/next")
    with pytest.raises(BrowserError):
        await world.databases()


async def test_a_page_that_has_gone_elsewhere_is_not_taken_for_where_it_was(lab: Lab) -> None:
    page = await lab.page()
    await page.goto()
    here = lab.url().removesuffix("/")
    (frame,) = (await page.frames()).values()
    await page.goto(host="127.0.0.1")
    assert frame in (await page.frames()).values()  # the same frame, another origin
    world = await over_cdp(lab.connection, session=page.session, frame=frame, scope=here, name="handstamp")
    with pytest.raises(BrowserError, match="the page has left http://localhost"):
        await world.databases()
