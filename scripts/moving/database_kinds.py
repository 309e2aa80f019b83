"""IndexedDB: values of every kind that can be stored, and what a database is made of beside them.

Each kind of value is stored once before the move and once after it; the page compares the two and sees every difference that a
program could see. `KINDS` and `difference` are those of the tests (tests/integration/idb/values.js).
"""

from __future__ import annotations

from moving.kinds import Kind, Where

_GROUP_VALUES, _GROUP_SHAPES = "IndexedDB: values", "IndexedDB: databases"
_OPEN_THERE = """
  const openThere = (name) => new Promise((resolve, reject) => {
    const asked = indexedDB.open(name);
    asked.onupgradeneeded = () => asked.transaction.abort();
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = (event) => { event.preventDefault(); if (asked.error.name === 'AbortError') resolve(null); else reject(asked.error); };
  });
  const shown = (value) => {
    if (value instanceof Date) return 'date ' + value.getTime();
    if (value instanceof ArrayBuffer) return 'bytes ' + [...new Uint8Array(value)];
    return Array.isArray(value) ? value.map(shown) : typeof value + ' ' + value;
  };
"""


def _stored(database: str, value: str) -> str:
    return f"""
  const db = await openDatabase('{database}', 1, (made) => made.createObjectStore('s'));
  const transaction = db.transaction('s', 'readwrite');
  transaction.objectStore('s').put({value}, 'k');
  await ended(transaction);
"""


def _value(name: str, host: str, expression: str) -> Kind:
    """A row for one value; it is kept when it equals, in every way a page can see, one that is made and stored anew."""
    write = f"const value = await ({expression}); {_stored('kept', 'value')} db.close();"
    read = f"""{_OPEN_THERE}
  const kept = await openThere('kept');
  if (!kept?.objectStoreNames.contains('s') || await done(kept.transaction('s').objectStore('s').count('k')) === 0) return null;
  const found = await done(kept.transaction('s').objectStore('s').get('k'));
  kept.close();
  const value = await ({expression});
  {_stored("fresh", "value")}
  const expected = await done(db.transaction('s').objectStore('s').get('k'));
  db.close();
  await done(indexedDB.deleteDatabase('fresh'));
  return await difference(expected, found) || 'the same';"""
    return Kind(_GROUP_VALUES, name, f"v-{host}", read, write)


def _shape(name: str, host: str, *, upgrade: str, records: str, fact: str, database: str = "'kept'", where: Where = Where.PAGE) -> Kind:
    """A row for what a database is like.

    Args:
        name: of the row.
        host: of its origin, in part.
        upgrade: statements that make the stores, with `made`, the database.
        records: statements that write records, with `store(name)`.
        fact: expression of what is seen, with `db`; a promise at liberty.
        database: expression of its name.
        where: which documents do it.
    """
    write = f"""
  const db = await openDatabase({database}, 7, (made) => {{ {upgrade} }});
  const transaction = db.transaction([...db.objectStoreNames], 'readwrite');
  const store = (name) => transaction.objectStore(name);
  {records}
  await ended(transaction);
  db.close();"""
    read = f"""{_OPEN_THERE}
  const db = await openThere({database});
  if (db === null) return null;
  try {{ return await ({fact}); }} finally {{ db.close(); }}"""
    return Kind(_GROUP_SHAPES, name, f"d-{host}", read, write, where)


def _next_number(store: str) -> str:
    """Fact: the number that the store's key generator gives next; taken back."""
    add = f"const t = db.transaction('{store}', 'readwrite'); const n = await done(t.objectStore('{store}').add({{}}))"
    return f"(async () => {{ {add}; t.abort(); return n; }})()"


_ALL = "(async () => { const s = db.transaction('s').objectStore('s'); return [(await done(s.getAllKeys())).map(shown), await done(s.getAll())]; })()"
_SCHEMA = """(async () => { const t = db.transaction([...db.objectStoreNames]);
  return [db.version, await Promise.all([...db.objectStoreNames].map(async (name) => {
    const s = t.objectStore(name);
    const indexes = [...s.indexNames].map((index) => s.index(index));
    return [name, s.keyPath, s.autoIncrement, await Promise.all(indexes.map(async (i) => [i.name, i.keyPath, i.unique, i.multiEntry, await done(i.count())]))];
  }))]; })()"""
_KEY = "crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])"

KINDS = (
    _value("text, numbers, booleans, null, lists, objects", "plain", "KINDS.plain()"),
    _value("text with lone surrogates and NUL", "strings", "KINDS.strings()"),
    _value("`undefined`", "undefined", "[undefined, { a: undefined }]"),
    _value("-0", "minus-zero", "[-0, { a: -0 }]"),
    _value("NaN, Infinity", "nan", "[NaN, Infinity, -Infinity]"),
    _value("BigInt", "bigint", "KINDS.bigints()"),
    _value("Date", "date", "[new Date(0), new Date(8.64e15)]"),
    _value("Date that is no date", "no-date", "new Date(NaN)"),
    _value("RegExp", "regexp", "KINDS.regexps()"),
    _value("Map", "map", "KINDS.maps()"),
    _value("Set", "set", "KINDS.sets()"),
    _value("Boolean, Number, String objects", "wrappers", "KINDS.wrappers()"),
    _value("ArrayBuffer", "buffer", "[KINDS.buffer(), KINDS.emptyBuffer()]"),
    _value("ArrayBuffer that can grow, and its views", "resizable", "KINDS.resizable()"),
    _value("typed arrays", "typed", "[new Uint8Array([1, 255]), new Float64Array([1.5]), new BigInt64Array([-1n])]"),
    _value("typed arrays that share a buffer, -0 and NaN in them", "views", "[KINDS.views(), KINDS.floats()]"),
    _value("DataView", "data-view", "new DataView(new ArrayBuffer(8), 2, 4)"),
    _value("Blob", "blob", "KINDS.blobs()"),
    _value("File, its name and date", "file", "KINDS.files()"),
    _value("FileList", "file-list", "KINDS.fileList()"),
    _value("Error, its cause and stack", "error", "KINDS.errors()"),
    _value("DOMException", "dom-exception", "KINDS.domExceptions()"),
    _value("ImageData", "image-data", "KINDS.images()"),
    _value("DOMPoint, DOMRect, DOMQuad, DOMMatrix", "geometry", "[KINDS.points(), KINDS.matrices()]"),
    _value("lists with holes", "sparse", "KINDS.sparse()"),
    _value("lists with properties", "list-properties", "KINDS.arrayWithProperties()"),
    _value("properties `__proto__`, `length`, `toJSON`", "names", "KINDS.strangeKeys()"),
    _value("cyclic objects", "cycle", "KINDS.cycle()"),
    _value("cyclic lists, Maps and Sets", "cyclic-list", "KINDS.cyclicArray()"),
    _value("one object in two places", "shared", "KINDS.shared()"),
    _value("600 levels deep", "deep", "KINDS.deep()"),
    _value("text of 8 million characters", "big", "'x'.repeat(8e6)"),
    _value("CryptoKey, extractable", "crypto-key", "KINDS.keys()"),
    Kind(_GROUP_VALUES, "CryptoKey, not extractable", "v-locked-key",
         write=f"const key = await {_KEY}; {_stored('kept', 'key')} db.close();",
         read=f"""{_OPEN_THERE} const db = await openThere('kept'); if (db === null) return null;
         const key = await done(db.transaction('s').objectStore('s').get('k')); db.close();
         return key === undefined ? null : [String(key), key.extractable, key.usages];"""),
    Kind(_GROUP_VALUES, "handle of a file in OPFS", "v-handle",
         write=f"const handle = await (await navigator.storage.getDirectory()).getFileHandle('f', {{ create: true }}); {_stored('kept', 'handle')} db.close();",
         read=f"""{_OPEN_THERE} const db = await openThere('kept'); if (db === null) return null;
         const handle = await done(db.transaction('s').objectStore('s').get('k')); db.close();
         return handle === undefined ? null : [String(handle), handle.name];"""),
    Kind(_GROUP_VALUES, "RTCCertificate", "v-rtc",
         write=f"const own = await RTCPeerConnection.generateCertificate({{ name: 'ECDSA', namedCurve: 'P-256' }}); {_stored('kept', 'own')} db.close();",
         read=f"""{_OPEN_THERE} const db = await openThere('kept'); if (db === null) return null;
         const own = await done(db.transaction('s').objectStore('s').get('k')); db.close(); return own === undefined ? null : [String(own), own.expires];"""),
    _shape("version, stores, key paths, indexes", "schema", fact=_SCHEMA,
           upgrade="""made.createObjectStore('s', { keyPath: 'a.b' }).createIndex('whole', 'c', { unique: true });
             made.createObjectStore('pairs', { keyPath: ['user', 'device'] }).createIndex('tags', 'tags', { multiEntry: true });
             made.createObjectStore('empty').createIndex('two', ['x', 'y']);""",
           records="store('s').put({ a: { b: 1 }, c: 2 }); store('pairs').put({ user: 'u', device: [1], tags: ['x', 'y', 'x'] });"),
    _shape("keys of every kind", "keys", fact=_ALL, upgrade="made.createObjectStore('s');",
           records=r"""[0, -1.5, Infinity, 5e-324, new Date(7), '', 'a',
             '\ud800', new Uint8Array([0, 255]).buffer, [], [1, 'a', [new Date(5), new ArrayBuffer(1)]]]
             .forEach((key, at) => store('s').put(at, key));"""),
    _shape("numbers that a store gives, after additions", "counter", fact=_next_number("s"), upgrade="made.createObjectStore('s', { autoIncrement: true });",
           records="for (let i = 0; i < 3; i += 1) store('s').add({ i });"),
    _shape("numbers that a store gives, after deletions", "counter-deleted", fact=_next_number("s"),
           upgrade="made.createObjectStore('s', { keyPath: 'id', autoIncrement: true });",
           records="for (let i = 0; i < 9; i += 1) store('s').add({ i }); store('s').delete(IDBKeyRange.lowerBound(4));"),
    _shape("a database with an empty name", "unnamed", database="''", fact=_ALL, upgrade="made.createObjectStore('s');", records="store('s').put('v', 'k');"),
    _shape("a store with an empty name; names with lone surrogates", "odd-names", database=r"'\ud800'",
           fact="[[...db.objectStoreNames], await done(db.transaction('').objectStore('').getAll())]",
           upgrade=r"made.createObjectStore(''); made.createObjectStore('\udfff');", records="store('').put('v', 'k');"),
    _shape("a database without records", "no-records", fact="[db.version, [...db.objectStoreNames]]", upgrade="made.createObjectStore('s');", records=""),
    _shape("5,000 records", "many", fact="done(db.transaction('s').objectStore('s').count())", upgrade="made.createObjectStore('s');",
           records="for (let i = 0; i < 5000; i += 1) store('s').put({ i, text: 'x'.repeat(200) }, i);"),
    _shape("of a frame in another site's page", "frame", fact=_ALL, upgrade="made.createObjectStore('s');", records="store('s').put('v', 'k');",
           where=Where.FRAME),
)  # fmt: skip
