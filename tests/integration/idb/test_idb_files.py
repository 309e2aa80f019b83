"""The origin private file system goes from one context to another."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from handstamp.browser.idb import capture_files_call, file_changes, file_entries, restore_call

if TYPE_CHECKING:
    from tests.integration.idb.conftest import Lab

WRITE = """
  window.write = async (path, bytes) => {
    const names = path.split('/');
    let folder = await navigator.storage.getDirectory();
    for (const name of names.slice(0, -1)) folder = await folder.getDirectoryHandle(name, { create: true });
    const writable = await (await folder.getFileHandle(names.at(-1), { create: true })).createWritable();
    await writable.write(bytes);
    await writable.close();
  };
  window.tree = async (folder, above = '', out = {}) => {
    for await (const [name, handle] of folder.entries()) {
      if (handle.kind === 'directory') { out[`${above}${name}/`] = null; await tree(handle, `${above}${name}/`, out); }
      else out[above + name] = [...new Uint8Array(await (await handle.getFile()).arrayBuffer())];
    }
    return out;
  };
  window.root = navigator.storage.getDirectory();
"""
FILL = """
  await write('plain.txt', 'text');
  await write('a/b/näme 😀.bin', new Uint8Array([0, 255, 128]));
  await write('a/empty', new Uint8Array(0));
  await write('__proto__', 'proto');
  await (await root).getDirectoryHandle('hollow', { create: true });
"""


async def test_files_and_empty_folders_are_restored(lab: Lab) -> None:
    page = await lab.page()
    await page.goto(script=WRITE)
    await page.run(FILL)
    captured = await (await page.world()).files()
    values, gone = file_changes({}, captured)
    assert (captured.losses, gone) == ((), set())
    assert values["a/b/näme 😀.bin",] == {"type": "file", "data": base64.b64encode(bytes([0, 255, 128])).decode()}

    fresh = await lab.page()
    await fresh.goto(script=WRITE)
    report = await (await fresh.world()).fill_files(file_entries(values))
    assert (report.restored, report.there, report.failed) == (7, 0, ())
    assert await fresh.run("return tree(await root)") == await page.run("return tree(await root)")
    assert file_changes({}, await (await fresh.world()).files())[0] == values


async def test_a_file_that_is_there_is_left_alone(lab: Lab) -> None:
    page = await lab.page()
    await page.goto(script=WRITE)
    await page.run("await write('a', 'newer'); await write('b/c', 'newer')")
    entries = [{"path": path, "type": "file", "data": "b2xk"} for path in ("a", "b", "b/c", "a/x", "new")]
    report = await (await page.world()).fill_files(entries)
    assert (report.restored, report.there) == (1, 2)
    assert [path for path, _ in report.failed] == ["b", "a/x"]
    assert sorted(await page.run("return Object.keys(await tree(await root))")) == ["a", "b/", "b/c", "new"]


async def test_files_that_have_not_changed_are_not_read_again(lab: Lab) -> None:
    page = await lab.page()
    await page.goto(script=WRITE)
    await page.run(FILL)
    world = await page.world()
    first = await world.files()
    values, _ = file_changes({}, first)
    assert first.signs == {}  # all have been written just now, and may be written again within one tick of their date
    old = {path: (len(base64.b64decode(data)), await page.run(modified(path))) for path, data in first.files.items() if data is not None}
    await page.run("await write('plain.txt', 'other text'); await (await root).removeEntry('__proto__')")
    second = await world.files(capture_files_call(old))
    changed, gone = file_changes(values, second)
    assert set(second.signs) == {"a/b/näme 😀.bin", "a/empty"}
    assert {path: data for path, data in second.files.items() if data is not None} == {"plain.txt": base64.b64encode(b"other text").decode()}
    assert gone == {("__proto__",)}
    assert changed["plain.txt",] != values["plain.txt",]


async def test_what_is_too_big_is_reported_and_the_rest_is_read(lab: Lab) -> None:
    page = await lab.page()
    await page.goto(script=WRITE)
    await page.run(FILL + "await write('big', new Uint8Array(5000)); await write('bigger', new Uint8Array(9000))")
    captured = await (await page.world(scope="https://app.example")).files(capture_files_call(most_of_file=4000))
    assert [(loss.what, loss.where) for loss in captured.losses] == [("opfs-file", "https://app.example, at 'big'")]
    assert captured.losses[0].why == "it is bigger than what is kept (and 1 more like it)"
    assert sorted(captured.files) == ["__proto__", "a/b/näme 😀.bin", "a/empty", "plain.txt"]


async def test_a_file_that_a_worker_has_open_is_read_as_it_stands(lab: Lab) -> None:
    page = await lab.page()
    await page.goto(script=WRITE)
    await page.run(FILL)
    await page.run("""
      const source = `onmessage = async () => {
        const handle = await (await navigator.storage.getDirectory()).getFileHandle('database', { create: true });
        self.access = await handle.createSyncAccessHandle();
        access.write(new Uint8Array([1, 2, 3]));
        access.flush();
        postMessage('open');
      }`;
      window.worker = new Worker(URL.createObjectURL(new Blob([source])));
      await new Promise((open) => { worker.onmessage = open; worker.postMessage(0); });""")
    captured = await (await page.world()).files()
    assert captured.files["database"] == "AQID"
    assert captured.losses == ()


async def test_an_origin_without_a_secure_context_has_databases_and_no_files(lab: Lab) -> None:
    page = await lab.page()
    await page.goto(host="plain.test")
    assert await page.js("isSecureContext") is False
    await page.run("const db = await openDatabase('d', 1, (made) => made.createObjectStore('kv').put(new Date(5), 1)); db.close()")
    world = await page.world()
    captured = await world.files()
    assert (captured.files, captured.folders, captured.losses) == ({}, frozenset(), ())
    assert (await world.fill_files([{"path": "a", "type": "file", "data": ""}])).failed == (("a", "TypeError"),)
    fresh = await lab.page()
    await fresh.add(restore_call(await page.dumps()))
    await fresh.goto(
        host="plain.test", script="window.first = openDatabase('d').then((db) => done(db.transaction('kv').objectStore('kv').get(1))).then(Number)"
    )
    assert await fresh.js("first") == 5


def modified(path: str) -> str:
    names = path.split("/")
    return f"""const names = {names}; let folder = await root;
      for (const name of names.slice(0, -1)) folder = await folder.getDirectoryHandle(name);
      return (await (await folder.getFileHandle(names.at(-1))).getFile()).lastModified"""
