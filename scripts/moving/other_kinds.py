"""What else an origin may keep: files, caches, service workers, buckets."""

from __future__ import annotations

from moving.kinds import Kind, Where

_FILES_WRITE = """
  const root = await navigator.storage.getDirectory();
  const folder = await (await root.getDirectoryHandle('a', { create: true })).getDirectoryHandle('zoë', { create: true });
  for (const [name, bytes] of [['empty', []], ['b.bin', [0, 128, 255]]]) {
    const writable = await (await folder.getFileHandle(name, { create: true })).createWritable();
    await writable.write(new Uint8Array(bytes));
    await writable.close();
  }
"""
_FILES_READ = """
  const walk = async (directory, above) => {
    const found = [];
    for await (const [name, handle] of directory.entries()) {
      if (handle.kind === 'directory') found.push([above + name], ...await walk(handle, above + name + '/'));
      else found.push([above + name, [...new Uint8Array(await (await handle.getFile()).arrayBuffer())]]);
    }
    return found.sort();
  };
  const found = await walk(await navigator.storage.getDirectory(), '');
  return found.length ? found : null;"""
_LARGE_WRITE = """
  const writable = await (await (await navigator.storage.getDirectory()).getFileHandle('large', { create: true })).createWritable();
  await writable.write(new Uint8Array(4e6).fill(7));
  await writable.close();
"""
_LARGE_READ = """
  try {
    const file = await (await (await navigator.storage.getDirectory()).getFileHandle('large')).getFile();
    return [file.size, new Set(new Uint8Array(await file.arrayBuffer())).size];
  } catch { return null; }"""
_REGISTER = "await navigator.serviceWorker.register('/worker.js'); await navigator.serviceWorker.ready;"
_REGISTERED = """
  const all = await navigator.serviceWorker.getRegistrations();
  return all.length ? all.map((one) => [one.scope, (one.active ?? one.waiting ?? one.installing)?.scriptURL]) : null;"""
_CACHE = "await (await caches.open('v1')).put('/cached', new Response('from the cache'));"
_CACHED = "return await caches.match('/cached').then((found) => found?.text() ?? null)"
_BUCKET = """
  const bucket = await navigator.storageBuckets.open('inbox');
  const asked = bucket.indexedDB.open('kept');
  await done(asked);
"""
_BUCKETS = "const names = await navigator.storageBuckets.keys(); return names.length ? names : null;"

KINDS = (
    Kind("Files and workers", "OPFS: files and folders", "opfs", _FILES_READ, _FILES_WRITE),
    Kind("Files and workers", "OPFS: a file of 4 MB", "opfs-large", _LARGE_READ, _LARGE_WRITE),
    Kind("Files and workers", "OPFS of a frame in another site's page", "opfs-frame", _FILES_READ, _FILES_WRITE, Where.FRAME),
    Kind("Files and workers", "Cache API", "cache", _CACHED, _CACHE),
    Kind("Files and workers", "service worker's registration", "worker", _REGISTERED, _REGISTER),
    Kind("Files and workers", "storage buckets", "bucket", _BUCKETS, _BUCKET),
)
