// Reads databases and never harms them: nothing is made that is not there, nothing is upgraded, an upgrade or deletion of the
// page's own goes first, and what is written to learn the next number of a key generator is taken back.

const TRIES = 4;                                             // when the page changes a database under our hands
const PAGE_TEXT = 1 << 20;                                   // characters that one reading request aims at
const MOST_RECORDS = 2000;                                   // of one reading request
const BLOBS_AT_ONCE = 16;

// What was read last, by database and store: key text -> digest of the value. `token` names this reading for the other side: when
// it asks with it, it has all that was told, and only differences are.
const lastReading = { token: null, databases: new Map() };

class Interrupted extends Error {}

// facts: {database, version, stores}, {database, store, records: [[key, text]…], …}, … and at last {versions, losses, token, …}
async function* captureFacts({ databases, known, counters, openWithin, mostOfRecord, mostOfDatabase }) {
  const told = known !== null && known === lastReading.token;
  lastReading.token = null;                                  // until this one has been told to its end
  if (!told) lastReading.databases.clear();
  const losses = new Losses();
  const names = (await databaseVersions()).map(([name]) => name);
  const wanted = databases ?? names.map((name) => [name, null]);
  for (const [name, stores] of wanted.filter(([name]) => names.includes(name))) {
    const reading = { database: name, stores, counters, openWithin, mostOfRecord, mostOfDatabase, losses };
    try {
      yield* databaseFacts(reading);
    } catch (error) {
      lastReading.databases.delete(name);
      losses.add(error, { database: name });
    }
  }
  await addBuckets(losses);
  lastReading.token = crypto.getRandomValues(new Uint32Array(2)).join('-');
  yield { versions: await databaseVersions(), losses: losses.list(), token: lastReading.token, restored: restoreReport() };
}

const databaseVersions = async () => (await indexedDB.databases()).map(({ name, version }) => [name, version]);

async function addBuckets(losses) {
  let buckets = [];
  try { buckets = await navigator.storageBuckets?.keys() ?? []; } catch { /* not in this kind of document */ }
  for (const bucket of buckets) losses.add(new Lost('storage-bucket', 'what is in a storage bucket is not read'), { path: bucket });
}

async function* databaseFacts(reading) {
  for (let left = TRIES; ; left -= 1) {
    const db = await openThere(reading.database, reading.openWithin);
    if (db === null) {
      lastReading.databases.delete(reading.database);
      return;
    }
    try {
      const facts = await readDatabase(db, reading);
      db.close();
      for (const fact of facts) yield fact;
      return;
    } catch (error) {
      db.close();
      if (!(error instanceof Interrupted) || left === 1) throw error;
    }
  }
}

// The database, or null when there is none (any more).
function openThere(name, seconds) {
  return new Promise((resolve, reject) => {
    let [absent, late] = [false, false];
    const timer = setTimeout(() => {
      late = true;
      reject(new Lost('database', `it did not open within ${seconds} s`, true));
    }, seconds * 1000);
    const opening = indexedDB.open(name);
    opening.onupgradeneeded = () => {
      absent = true;
      opening.transaction.abort();
    };
    opening.onsuccess = () => {
      clearTimeout(timer);
      if (late) opening.result.close();
      else resolve(opening.result);
    };
    opening.onerror = (event) => {
      event.preventDefault();
      clearTimeout(timer);
      if (absent) resolve(null);
      else reject(new Lost('database', `it does not open (${opening.error?.name})`, true));
    };
  });
}

async function readDatabase(db, reading) {
  const transactions = new Set();
  const state = { gone: false };
  db.onversionchange = () => {                               // the page's upgrade or deletion waits for us: let go at once
    state.gone = true;
    db.close();
    for (const transaction of transactions) abort(transaction);
  };
  db.onclose = () => { state.gone = true; };
  const begin = (stores, mode) => {
    const transaction = db.transaction(stores, mode);
    transactions.add(transaction);
    return transaction;
  };
  try {
    return await databaseRead(db, begin, reading);
  } catch (error) {
    throw state.gone ? new Interrupted('the page is changing its version') : error;
  }
}

function abort(transaction) {
  try { transaction.abort(); } catch { /* it has ended already */ }
}

async function databaseRead(db, begin, reading) {
  const names = [...db.objectStoreNames];
  const schema = names.length ? schemaOf(begin(names, 'readonly'), names) : [];
  const facts = [{ database: reading.database, version: db.version, stores: schema }];
  const numbered = new Set(schema.filter((store) => store.autoIncrement).map((store) => store.name));
  const wanted = names.filter((name) => reading.stores === null || reading.stores.includes(name));
  if (wanted.length === 0) return facts;
  const before = lastReading.databases.get(reading.database) ?? new Map();
  const room = { left: reading.mostOfDatabase };
  const transaction = begin(wanted, 'readonly');
  const reads = [];
  for (const name of wanted) reads.push(await readStore(transaction.objectStore(name), reading, room));
  const after = new Map(before);
  for (const read of reads) {
    await read.finish();
    const fact = read.fact(before.get(read.store) ?? null);
    if (numbered.has(read.store) && (reading.counters === 'all' || (reading.counters === 'changed' && fact.changed))) {
      fact.counter = await nextNumber(begin([read.store], 'readwrite'), read.store);
    }
    after.set(read.store, read.digests);
    facts.push(...cut(fact));
  }
  for (const name of after.keys()) if (!names.includes(name)) after.delete(name);
  lastReading.databases.set(reading.database, after);
  return facts;
}

function schemaOf(transaction, names) {
  const indexOf = ({ name, keyPath, unique, multiEntry }) => ({ name, keyPath: pathOf(keyPath), unique, multiEntry });
  return names.map((name) => {
    const store = transaction.objectStore(name);
    const indexes = [...store.indexNames].map((index) => indexOf(store.index(index)));
    return { name, keyPath: pathOf(store.keyPath), autoIncrement: store.autoIncrement, indexes };
  });
}

const pathOf = (keyPath) => (keyPath === null || typeof keyPath === 'string' ? keyPath : [...keyPath]);

function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = (event) => {
      event.preventDefault();                                // one request's failure does not end the transaction
      event.stopPropagation();
      reject(request.error);
    };
  });
}

// The number that the key generator gives next. A record is added to see it, and the transaction aborted, which takes back both
// (Indexed Database API, "key generator": changes are reverted with their transaction).
async function nextNumber(transaction, name) {
  const store = transaction.objectStore(name);
  try {
    return await result(store.keyPath === null ? store.add(undefined) : store.add({}));
  } catch (error) {
    return error?.name === 'ConstraintError' ? EXHAUSTED : null;
  } finally {
    abort(transaction);
  }
}

const EXHAUSTED = 2 ** 53 + 2;                               // the generator gives no number any more

async function readStore(store, reading, room) {
  const read = new StoreRead(store.name, reading, room);
  let [after, count] = [null, 64];
  for (;;) {
    const range = after === null ? null : IDBKeyRange.lowerBound(after, true);
    const [keys, values] = await pageOf(store, range, count);
    const before = room.left;
    keys.forEach((key, at) => read.add(key, values[at]));
    if (keys.length < count) return read;
    after = keys[keys.length - 1];
    const each = Math.max(1, (before - room.left) / keys.length);
    count = Math.max(1, Math.min(MOST_RECORDS, Math.round(PAGE_TEXT / each)));
  }
}

async function pageOf(store, range, count) {
  const [keys, values] = await Promise.allSettled([result(store.getAllKeys(range, count)), result(store.getAll(range, count))]);
  if (keys.status === 'rejected') throw keys.reason;
  if (values.status === 'fulfilled') return [keys.value, values.value];
  const one = (key) => result(store.get(key)).catch((error) => new Lost('record', `the browser cannot read its value (${error?.name})`, true));
  return [keys.value, await Promise.all(keys.value.map(one))];
}

class StoreRead {
  constructor(store, reading, room) {
    this.store = store;
    this.reading = reading;
    this.room = room;
    this.records = [];                                       // [key text, value text or a function that promises it]
    this.kept = [];                                          // keys whose value could not be read, this time
    this.digests = new Map();
  }

  add(key, value) {
    const keyText = JSON.stringify(encodeKey(key));
    try {
      if (value instanceof Lost) throw value;
      const text = encodeClone(value, this.reading.mostOfRecord);
      this.records.push([keyText, text]);
      if (typeof text === 'string') this.take(text.length + keyText.length);
    } catch (error) {
      this.lose(error, keyText);
    }
  }

  take(length) {
    this.room.left -= length;
    if (this.room.left < 0) throw new TooBig('it is bigger than what is kept of one database');
  }

  lose(error, key) {
    if (error instanceof TooBig) throw error;
    const { passing } = this.reading.losses.add(error, { database: this.reading.database, store: this.store, key });
    if (passing) this.kept.push(key);
  }

  // Waits for bytes of blobs and keys, which needs no transaction.
  async finish() {
    const waiting = this.records.filter(([, text]) => typeof text !== 'string');
    for (let at = 0; at < waiting.length; at += BLOBS_AT_ONCE) {
      await Promise.all(waiting.slice(at, at + BLOBS_AT_ONCE).map((record) => this.complete(record)));
    }
    if (waiting.length) this.records = this.records.filter(([, text]) => text !== null);
  }

  async complete(record) {
    const [key, text] = record;
    record[1] = null;
    try {
      record[1] = await text();
      this.take(record[1].length);
    } catch (error) {
      this.lose(error, key);
    }
  }

  // What to tell: all, or what differs from the digests of an earlier reading.
  fact(before) {
    const fact = { database: this.reading.database, store: this.store, whole: before === null, records: this.records, gone: [], kept: this.kept };
    for (const [key, text] of this.records) this.digests.set(key, digest(text));
    if (before !== null) {
      const kept = new Set(this.kept);
      fact.records = this.records.filter(([key]) => before.get(key) !== this.digests.get(key));
      fact.gone = [...before.keys()].filter((key) => !this.digests.has(key) && !kept.has(key));
      for (const key of kept) if (before.has(key)) this.digests.set(key, before.get(key));
    }
    fact.changed = fact.whole || fact.records.length > 0 || fact.gone.length > 0;
    return fact;
  }
}

class TooBig extends Lost {
  constructor(why) { super('too-big', why, true); }
}

// One fact with many records -> several, so that pieces stay small.
function cut(fact) {
  const cuts = [];
  let [records, length] = [[], 0];
  for (const record of fact.records) {
    records.push(record);
    length += record[1].length;
    if (length > PAGE_TEXT) {
      cuts.push({ database: fact.database, store: fact.store, records });
      [records, length] = [[], 0];
    }
  }
  return [...cuts, { ...fact, records }];
}

// Two 32-bit FNV-1a-like sums: differences of texts are seen but for about one in 2^60.
function digest(text) {
  let [one, other] = [0x811c9dc5, 0x9747b28c];
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    one = Math.imul(one ^ unit, 0x01000193);
    other = Math.imul(other ^ unit, 0x5bd1e995) ^ (other >>> 15);
  }
  return `${text.length}.${one >>> 0}.${other >>> 0}`;
}
