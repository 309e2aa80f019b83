// Brings values that are newer elsewhere into an origin whose storage this browser has kept: key by key, record by record, file
// by file. What this side cannot hold, a record with a key that no script can export, is not touched by a deletion.

const staged = [];
const failed = [];                                           // [where, name of the error]

async function catchUp({ items, databases, files }) {
  for (const [key, value] of items) await tried('localStorage', () => (value === null ? localStorage.removeItem(key) : localStorage.setItem(key, value)));
  for (const database of databases) await tried(`database ${JSON.stringify(database.name)}`, () => catchUpDatabase(database));
  for (const file of files) await tried(`file ${file.path}`, () => catchUpFile(file));
  return JSON.stringify(failed);
}

async function tried(where, work) {
  try { await work(); } catch (error) { failed.push([where, error?.name ?? 'Error']); }
}

function asked(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = (event) => {
      event.preventDefault();
      event.stopPropagation();
      reject(request.error);
    };
  });
}

// dump: as for restoring, null for a database that is gone; gone: [store, key text] of records that are.
async function catchUpDatabase({ name, dump, gone }) {
  const there = (await indexedDB.databases()).find((database) => database.name === name);
  if (dump === null) {
    if (there) await asked(indexedDB.deleteDatabase(name));
    return;
  }
  if (!there || (there.version === dump.version && !(await sameStores(dump)))) {
    if (there) await asked(indexedDB.deleteDatabase(name));
    await restoreAbsent([dump]);
    const { outcome, why, failed: records } = restoreReport()[name];
    if (outcome === 'failed' || records.length) failed.push([`database ${JSON.stringify(name)}`, why || records[0][2]]);
    return;
  }
  await merge(dump, gone);
}

async function sameStores(dump) {
  const db = await asked(indexedDB.open(dump.name));
  try {
    const names = [...db.objectStoreNames];
    const transaction = names.length ? db.transaction(names) : null;
    return names.length === dump.stores.length && dump.stores.every((store) => names.includes(store.name) && sameStore(transaction.objectStore(store.name), store));
  } finally {
    db.close();
  }
}

const samePath = (one, other) => JSON.stringify(one && typeof one !== 'string' ? [...one] : one) === JSON.stringify(other);
const sameStore = (store, { keyPath, autoIncrement }) => samePath(store.keyPath, keyPath) && store.autoIncrement === autoIncrement;
const sameIndex = (index, { keyPath, unique, multiEntry }) => samePath(index.keyPath, keyPath) && index.unique === unique && index.multiEntry === multiEntry;

async function merge(dump, gone) {
  const keys = importsOf(dump);
  const opening = indexedDB.open(dump.name, dump.version);   // of a later version here: VersionError, and nothing is changed
  opening.onupgradeneeded = () => reshape(opening.result, opening.transaction, dump);
  const db = await asked(opening);
  try {
    const transaction = db.transaction(dump.stores.map(({ name }) => name), 'readwrite');
    const ended = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error ?? new Error('aborted'));
    });
    for (const [store, key] of gone) await remove(transaction.objectStore(store), decodeKey(JSON.parse(key)));
    const report = { failed: [] };
    new CatchingUp(transaction, dump, keys, report).start();
    await ended;
    if (report.failed.length) failed.push([`database ${JSON.stringify(dump.name)}`, report.failed[0][2]]);
  } finally {
    db.close();
  }
}

// Makes stores and indexes what they are elsewhere; a store that is the same keeps its records.
function reshape(db, transaction, { stores }) {
  const wanted = new Map(stores.map((store) => [store.name, store]));
  for (const name of [...db.objectStoreNames]) {
    if (!wanted.has(name) || !sameStore(transaction.objectStore(name), wanted.get(name))) db.deleteObjectStore(name);
  }
  for (const { name, keyPath, autoIncrement, indexes } of stores) {
    const store = db.objectStoreNames.contains(name) ? transaction.objectStore(name) : db.createObjectStore(name, { keyPath, autoIncrement });
    for (const index of [...store.indexNames]) {
      const like = indexes.find((one) => one.name === index);
      if (!like || !sameIndex(store.index(index), like)) store.deleteIndex(index);
    }
    for (const index of indexes) {
      if (!store.indexNames.contains(index.name)) store.createIndex(index.name, index.keyPath, { unique: index.unique, multiEntry: index.multiEntry });
    }
  }
}

async function remove(store, key) {
  const value = await asked(store.get(key));
  try {
    encodeClone(value, Infinity);
  } catch {
    return;                                                  // nobody elsewhere has ever seen it
  }
  await asked(store.delete(key));
}

class CatchingUp extends Filling {
  constructor(transaction, dump, keys, report) {
    super(transaction.db, dump, keys, report);
    this.transaction = transaction;
  }

  makeStore({ name, autoIncrement, counter, records }) {
    const store = this.transaction.objectStore(name);
    for (const [key, text] of records) this.todo.push([store, key, text]);
    if (autoIncrement && counter > 1) this.numbered.push([store, counter]);
  }

  // A record that is there has moved the generator past its key; only where there is none an explicit key must do it.
  finish() {
    for (const [store, counter] of this.numbered) {
      const key = Math.min(counter - 1, 2 ** 53);
      store.getKey(key).onsuccess = ({ target }) => {
        if (target.result !== undefined) return;
        const fail = (error) => this.fail(store, '', error);
        guarded(store.keyPath === null ? store.put(undefined, key) : store.put(nested(store.keyPath, key)), fail);
        guarded(store.delete(key), fail);
      };
    }
  }
}

// data: base64; type null for a path that is gone.
async function catchUpFile({ path, type, data }) {
  const root = await navigator.storage.getDirectory();
  if (type === 'directory') {
    await folder(root, path.split('/'));
    return;
  }
  if (data !== undefined && await content(root, path) === data) return;
  try {
    const names = path.split('/');
    const name = names.pop();
    let directory = root;
    for (const one of names) directory = await directory.getDirectoryHandle(one);
    await directory.removeEntry(name, { recursive: true });
  } catch (error) {
    if (error.name !== 'NotFoundError') throw error;
  }
  if (type !== null) await makeFile(root, path, data);
}

async function content(root, path) {
  try {
    const names = path.split('/');
    const name = names.pop();
    let directory = root;
    for (const one of names) directory = await directory.getDirectoryHandle(one);
    return toBase64(await (await (await directory.getFileHandle(name)).getFile()).arrayBuffer());
  } catch {
    return null;
  }
}

return {
  stage: (text) => staged.push(text),
  run: () => catchUp(JSON.parse(staged.splice(0).join(''))),
};
