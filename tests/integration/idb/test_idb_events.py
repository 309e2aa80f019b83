"""What CDP tells of changes (`Storage.trackIndexedDBForStorageKey`), as far as the engine builds on it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from handstamp.browser.idb import capture_call

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.integration.idb.conftest import Lab, Page

    from handstamp.browser.idb import World

    Until = Callable[..., Awaitable[Any]]

marks = itertools.count()
OPEN = "window.open_ = (name, version, upgrade) => openDatabase(name, version, upgrade).then((db) => { window.db = db; });"


async def told(lab: Lab, until: Until, page: Page, body: str, *, world: World | None = None, call: str = "") -> list[str]:
    """The stores that content events name, and LIST for list events, while `body` runs and then `call` is read."""
    lab.events.clear()
    await page.run(body)
    if world:
        await world.databases(call)
    mark = f"mark{next(marks)}"
    await page.run(f"const made = await openDatabase('{mark}', 1, (made) => made.createObjectStore('{mark}').put(1, 1)); made.close()")

    async def all_told() -> list[str] | None:
        names = [event["params"].get("objectStoreName", "LIST") for event in lab.events if event["method"].startswith("Storage.")]
        return names if names[-2:] == [mark, "LIST"] else None

    return (await until(all_told))[:-2]


async def test_every_change_is_told_and_reading_is_none(lab: Lab, until: Until) -> None:
    page = await lab.page()
    await page.goto(script=OPEN)
    await page.send("Storage.trackIndexedDBForStorageKey", {"storageKey": lab.url("/")})
    assert "LIST" in await told(lab, until, page, "await open_('d', 1, (made) => { made.createObjectStore('a'); made.createObjectStore('b'); })")
    write = "const t = db.transaction(['a', 'b'], 'readwrite'); {} await ended(t);"
    assert await told(lab, until, page, write.format("t.objectStore('a').put(1, 1); t.objectStore('b').put(1, 1);")) == ["a", "b", "LIST"]
    assert await told(lab, until, page, write.format("t.objectStore('a').delete(1);")) == ["a", "LIST"]
    assert await told(lab, until, page, write.format("t.objectStore('b').clear();")) == ["b", "LIST"]
    assert await told(lab, until, page, "db.close(); await open_('d', 2, (made) => made.createObjectStore('c').put(1, 1))") == ["c", "LIST"]
    assert await told(lab, until, page, "db.close(); await open_('d', 3, (made) => made.deleteObjectStore('c'))") == ["LIST"]
    world = await page.world()
    for call in (capture_call(), capture_call([])):
        assert await told(lab, until, page, "", world=world, call=call) == []
    assert await told(lab, until, page, "db.close(); await done(indexedDB.deleteDatabase('d'))") == ["LIST"]


async def test_one_session_is_told_of_all_pages_of_its_context_wherever_it_goes(lab: Lab) -> None:
    context = (await lab.connection.send("Target.createBrowserContext"))["browserContextId"]
    page, other = await lab.page(context=context), await lab.page(context=context)
    await page.goto(script=OPEN)
    await page.send("Storage.trackIndexedDBForStorageKey", {"storageKey": lab.url("/")})
    await page.goto("/elsewhere", host="127.0.0.1")
    await other.goto(script=OPEN)
    lab.events.clear()
    await other.run("await open_('d', 1, (made) => made.createObjectStore('a').put(1, 1))")
    await lab.heard("Storage.indexedDBContentUpdated", objectStoreName="a", databaseName="d")
    await page.goto("/back")
    lab.events.clear()
    await page.run("const db = await openDatabase('d'); await done(db.transaction('a', 'readwrite').objectStore('a').put(2, 2)); db.close()")
    await lab.heard("Storage.indexedDBContentUpdated", objectStoreName="a", databaseName="d")
