// Reads databases and never harms them: nothing is made that is not there, nothing is upgraded, an upgrade or deletion of the
// page's own goes first, and what is written to learn the next number of a key generator is taken back.

const TRIES = 4;                                             // when the page changes a database under our hands
const EXHAUSTED = 2 ** 53 + 2;                               // the counter of a key generator that gives no number any more

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
    try {
      yield* await databaseFacts({ database: name, stores, counters, openWithin, mostOfRecord, mostOfDatabase }, losses);
    } catch (error) {
      lastReading.databases.delete(name);
      losses.add(error, { database: name });
    }
  }
  await addUnread(losses);
  lastReading.token = crypto.getRandomValues(new Uint32Array(2)).join('-');
  yield { versions: await databaseVersions(), losses: losses.list(), token: lastReading.token, restored: restoreReport() };
}

const databaseVersions = async () => (await indexedDB.databases()).map(({ name, version }) => [name, version]);

async function databaseFacts(asked, losses) {
  for (let left = TRIES; ; left -= 1) {
    const db = await openThere(asked.database, asked.openWithin);
    if (db === null) {
      lastReading.databases.delete(asked.database);
      return [];
    }
    const reading = { ...asked, losses: new Losses() };
    try {
      const facts = await readDatabase(db, reading);
      losses.join(reading.losses);
      return facts;
    } catch (error) {
      if (!(error instanceof Interrupted) || left === 1) throw error;
    } finally {
      db.close();
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
