// Fills databases before the page's first script can look: opened at document start, they are first in the queue, and the page's
// own open() of the same name waits until the versionchange transaction that fills them has ended. Only where there was nothing:
// a database that exists is left alone, and one that the page deleted does not come back in this document.

const MOST_AT_A_TIME = 500;                                  // records put before the page's own work gets its turn,
const TEXT_AT_A_TIME = 1 << 20;                              // and characters of them

const restores = new Map();                                  // database -> {outcome, why, failed: [[store, key text, why]…], ended}

// dumps: [{name, version, stores: [{name, keyPath, autoIncrement, counter, indexes, records: [[key text, text]…]}]}].
// A promise of the report; at document start nobody waits for it.
async function restoreDatabases(dumps) {
  for (const dump of dumps) if (!restores.has(dump.name)) restoreDatabase(dump);
  return restoresEnded();
}

async function restoresEnded() {
  await Promise.all([...restores.values()].map(({ ended }) => ended));
  return restoreReport();
}

// The same for a document that is at work already: it must not disturb connections that the page has open.
async function restoreAbsent(dumps) {
  const there = new Set((await indexedDB.databases()).map(({ name }) => name));
  for (const { name } of dumps) if (there.has(name) && !restores.has(name)) restores.set(name, { outcome: 'there', why: '', failed: [] });
  return restoreDatabases(dumps);
}

function restoreReport() {
  return Object.fromEntries([...restores].map(([name, { outcome, why, failed }]) => [name, { outcome, why, failed }]));
}

function restoreDatabase(dump) {
  const report = { outcome: 'pending', why: '', failed: [] };
  restores.set(dump.name, report);
  report.ended = new Promise((resolve) => {
    const end = (outcome, why = '') => {
      if (report.outcome === 'pending') Object.assign(report, { outcome, why });
      resolve();
    };
    let opening;
    try {
      opening = indexedDB.open(dump.name, dump.version);
    } catch (error) {
      end('failed', error.name);                             // no storage in this document
      return;
    }
    const keys = importsOf(dump);
    opening.onupgradeneeded = ({ oldVersion }) => {
      const { result: db, transaction } = opening;
      if (oldVersion !== 0) {
        end('there');
        transaction.abort();
        return;
      }
      transaction.onabort = () => { report.why = transaction.error?.name ?? 'aborted'; };
      new Filling(db, dump, keys, report).start();
    };
    opening.onsuccess = () => {
      opening.result.onversionchange = () => opening.result.close();
      opening.result.close();
      end(report.filled ? 'restored' : 'there');
    };
    opening.onerror = (event) => {
      event.preventDefault();
      end(opening.error?.name === 'VersionError' ? 'there' : 'failed', report.why || opening.error?.name);
    };
  });
}

// Imports of CryptoKeys, begun at once: [store, key text] -> a settled value or an error, when it is there.
function importsOf(dump) {
  const imports = new Map();
  for (const { records } of dump.stores) {
    for (const [, text] of records) {
      if (!holdsKeys(text) || imports.has(text)) continue;
      const state = { keys: null, error: null };
      imports.set(text, state);
      importKeys(text).then((keys) => { state.keys = keys; }, (error) => { state.error = error; });
    }
  }
  return imports;
}

class Filling {
  constructor(db, dump, keys, report) {
    this.db = db;
    this.dump = dump;
    this.keys = keys;
    this.report = report;
    this.todo = [];                                          // [store, key text, text]
    this.numbered = [];                                      // [store, number that it gives next, key texts]
  }

  start() {
    for (const dump of this.dump.stores) this.makeStore(dump);
    this.todo.reverse();                                     // taken from the end
    this.more();
  }

  makeStore({ name, keyPath, autoIncrement, counter, indexes, records }) {
    let store;
    try {
      store = this.db.createObjectStore(name, { keyPath, autoIncrement });
      for (const index of indexes) store.createIndex(index.name, index.keyPath, { unique: index.unique, multiEntry: index.multiEntry });
    } catch (error) {
      this.fail({ name }, '', error);
      if (!store) {
        for (const [key] of records) this.fail({ name }, key, error);
        return;
      }
    }
    for (const [key, text] of records) this.todo.push([store, key, text]);
    if (autoIncrement && counter > 1) this.numbered.push([store, counter, new Set(records.map(([key]) => key))]);
  }

  // Puts some records and, from the answer to the last, goes on: what is queued keeps the transaction alive. Records whose
  // CryptoKeys are still being imported come last; small reads pass the time until they are there.
  more() {
    const { todo } = this;
    const waiting = [];
    let [last, text] = [null, 0];
    for (let count = 0; count < MOST_AT_A_TIME && text < TEXT_AT_A_TIME && todo.length; count += 1) {
      const record = todo.pop();
      if (this.imported(record)) last = this.put(record) ?? last;
      else waiting.push(record);
      text += record[2].length;
    }
    if (waiting.length) todo.unshift(...waiting);
    if (todo.length === 0) {
      this.finish();
      return;
    }
    last ??= todo[0][0].getKey(0);
    last.addEventListener('success', () => this.more());
    last.addEventListener('error', () => this.more());
  }

  imported([, , text]) {
    const state = this.keys.get(text);
    return state === undefined || state.keys !== null || state.error !== null;
  }

  put([store, key, text]) {
    const fail = (error) => this.fail(store, key, error);
    try {
      const state = this.keys.get(text);
      if (state?.error) throw state.error;
      const value = decodeClone(text, state?.keys);
      return guarded(store.keyPath === null ? store.put(value, decodeKey(JSON.parse(key))) : store.put(value), fail);
    } catch (error) {
      fail(error);
      return null;
    }
  }

  // An explicit key moves the generator past itself, and stays moved when the record goes.
  finish() {
    for (const [store, counter, keys] of this.numbered) {
      const key = Math.min(counter - 1, 2 ** 53);
      if (keys.has(String(key))) continue;
      const fail = (error) => this.fail(store, '', error);
      guarded(store.keyPath === null ? store.put(undefined, key) : store.put(nested(store.keyPath, key)), fail);
      guarded(store.delete(key), fail);
    }
    this.report.filled = true;
  }

  fail({ name }, key, error) {
    this.report.failed.push([name, key, error?.name ?? 'Error']);
  }
}

// A request whose failure is not the whole transaction's.
function guarded(request, fail) {
  request.onerror = (event) => {
    event.preventDefault();
    event.stopPropagation();
    fail(request.error);
  };
  return request;
}

function nested(keyPath, key) {
  return keyPath.split('.').reduceRight((inner, name) => {
    const outer = {};
    setOwn(outer, name, inner);
    return outer;
  }, key);
}
