// Reads one store of a database, some records at a time.

const PAGE_TEXT = 1 << 20;                                   // characters that one reading request aims at
const MOST_RECORDS = 2000;                                   // of one reading request
const BLOBS_AT_ONCE = 16;

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
