// For pages of the tests: one value of every kind that IndexedDB stores, and a comparison that sees every difference between two
// values that a page could see.

const numbers = (...items) => new Uint8Array(items);
const jwk = { kty: 'EC', crv: 'P-256', ext: true, x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4', y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM' };
const privateJwk = { ...jwk, d: '870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE' };

const KINDS = {
  undefined: () => undefined,
  null: () => null,
  booleans: () => [true, false],
  numbers: () => [0, -0, 1.5, 5e-324, 1.7976931348623157e308, 2 ** 53 + 2, NaN, Infinity, -Infinity, 1e21],
  bigints: () => [0n, -1n, 2n ** 70n],
  strings: () => ['', 'plain', '\ud800 lone', 'lone \udfff', '😀', '\u0000\u2028"\\', '{"clone":1}'],
  wrappers: () => [Object(true), Object(false), Object(-0), Object('text'), Object('\udfff'), Object(-7n)],
  dates: () => [new Date(0), new Date(-1), new Date(8.64e15), new Date(NaN)],
  regexps: () => { const sticky = /a\/b\n[\]]/gimsuy; sticky.lastIndex = 3; return [sticky, /(?:)/, /[\p{L}--[a-z]]/dv]; },
  maps: () => new Map([[NaN, 1], [-0, 2], ['key', new Map()], [{ a: 1 }, [undefined]], [undefined, null]]),
  sets: () => new Set([1, '1', NaN, undefined, {}, new Set(['inner'])]),
  plain: () => ({ a: 1, b: [true, null, { c: 'd' }], 'é': {}, 10: 'ten', 9: 'nine' }),
  looksLikeOurs: () => ({ clone: 1, root: [0], nodes: [['Object']] }),
  looksLikeSlots: () => ({ a: ['undefined'], b: [0], c: ['number', 'NaN'], d: undefined }),
  strangeKeys: () => {
    const object = JSON.parse('{"__proto__": {"x": 1}, "constructor": 2, "length": 3, "toJSON": 4, "hasOwnProperty": 5, "": 6, "\\ud800": 7}');
    object.never = undefined;
    return object;
  },
  plainStrangeKeys: () => JSON.parse('{"__proto__": {"x": 1}, "length": 3, "toString": null}'),
  cycle: () => { const a = { name: 'a' }; a.self = a; a.list = [a, { up: a }]; return a; },
  cyclicArray: () => { const a = []; a.push(a, new Map([[a, new Set([a])]])); return a; },
  shared: () => { const one = { n: 1 }; return { first: one, second: one, list: [one, one] }; },
  sharedPrimitiveObjects: () => { const date = new Date(5); const text = Object('x'); return [date, date, text, text]; },
  sparse: () => { const a = [1, , 3]; a[7] = undefined; return a; },                       // eslint-disable-line
  emptyHoles: () => new Array(5),
  longSparse: () => { const a = []; a[4294967294 - 1] = 'end'; return a; },
  arrayWithProperties: () => Object.assign([1, 2], { extra: 'x', '-1': 'minus', length2: [3] }),
  match: () => /(?<year>\d+)/.exec('in 2024'),
  deep: () => { let value = 'bottom'; for (let i = 0; i < 600; i += 1) value = i % 2 ? [value] : { value }; return value; },
  longList: () => { let node = null; for (let i = 0; i < 900; i += 1) node = { i, node, when: new Date(i) }; return node; },
  buffer: () => numbers(1, 2, 255).buffer,
  emptyBuffer: () => new ArrayBuffer(0),
  resizable: () => {
    const buffer = new ArrayBuffer(16, { maxByteLength: 64 });
    return { buffer, follows: new Float64Array(buffer), fixed: new Uint8Array(buffer, 2, 4), view: new DataView(buffer, 8) };
  },
  views: () => {
    const { buffer } = numbers(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const kinds = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float16Array, Float32Array, Float64Array,
      BigInt64Array, BigUint64Array, DataView];
    return [...kinds.map((kind) => new kind(buffer, 8)), new Uint8Array(buffer, 3, 2), new DataView(buffer, 1, 3), new Uint8Array(0), buffer];
  },
  floats: () => [new Float64Array([-0, NaN, Infinity]), new Float32Array([-0, 0.1]), new Float16Array([-0, 0.1])],
  blobs: () => { const blob = new Blob([numbers(0, 128, 255)], { type: 'application/x-thing;a=b' }); return { blob, again: blob, empty: new Blob([]) }; },
  files: () => [new File(['text'], 'näme\\/ .txt', { type: 'text/plain', lastModified: 86400000 }), new File([], '', { lastModified: 0 })],
  fileList: () => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(['one'], '1.txt', { lastModified: 1 }));
    transfer.items.add(new File(['two'], '2.bin', { type: 'image/png', lastModified: 2 }));
    return [transfer.files, new DataTransfer().files];
  },
  errors: () => {
    const cyclic = new Error('cyclic');
    cyclic.cause = cyclic;
    const named = Object.assign(new Error('named'), { name: 'RangeError', stack: 'a stack \ud800' });
    const all = [new TypeError('type', { cause: { code: 7 } }), new Error(), new Error(''), new EvalError('e'), new SyntaxError('s'), new URIError('u'),
      new ReferenceError('r'), cyclic, Object.assign(new Error('odd name'), { name: 'Odd' }), new AggregateError([1], 'several')];
    for (const error of all) error.stack = `${error.name} at line 1`;                        // as it comes it tells of the caller, which is never the same
    return [...all, named, Object.assign(new Error('x'), { stack: '' })];
  },
  domExceptions: () => [new DOMException('told', 'AbortError'), new DOMException('', 'NoSuchError'), new QuotaExceededError('full', { quota: 5, requested: 6.5 }), new QuotaExceededError()],
  images: () => {
    const image = new ImageData(new Uint8ClampedArray([1, 2, 3, 4, 5, 6, 7, 8]), 2, 1, { colorSpace: 'display-p3' });
    return [image, image, new ImageData(new Float16Array([0.5, -0, 1, 2]), 1, 1, { pixelFormat: 'rgba-float16' })];
  },
  points: () => [new DOMPoint(1, -0, NaN, Infinity), new DOMPointReadOnly(), new DOMRect(-1, 2.5, -3, -0), new DOMRectReadOnly(),
    new DOMQuad({ x: 1 }, { y: 2, w: 3 }, { z: -0 }, {})],
  matrices: () => [new DOMMatrix([1, 2, 3, 4, 5, -0]), new DOMMatrix(), new DOMMatrixReadOnly(Array.from({ length: 16 }, (_, i) => i / 3)), DOMMatrix.fromMatrix({ m33: 2 })],
  keys: async () => {
    const { subtle } = crypto;
    const secret = await subtle.importKey('raw', numbers(...Array(32).keys()), 'AES-GCM', true, ['encrypt', 'decrypt']);
    const hmac = await subtle.importKey('raw', numbers(1, 2, 3), { name: 'HMAC', hash: 'SHA-512' }, true, ['sign']);
    const pair = {
      publicKey: await subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']),
      privateKey: await subtle.importKey('jwk', privateJwk, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']),
    };
    const exchange = await subtle.importKey('jwk', privateJwk, { name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits', 'deriveKey']);
    const ed25519 = await subtle.importKey('raw', numbers(...Array(32).keys()), 'Ed25519', true, ['verify']).catch(() => null);
    return { pair, secret, again: secret, list: [hmac, exchange, ed25519], beside: new Date(1) };
  },
};

// -- comparing -------------------------------------------------------------------------------------------------------

const brandOf = (value) => Object.prototype.toString.call(value);
const bytesOf = (buffer) => [...new Uint8Array(buffer)].join();
const facts = {
  '[object Date]': (v) => [v.getTime()],
  '[object RegExp]': (v) => [v.source, v.flags, v.lastIndex],
  '[object ArrayBuffer]': (v) => [bytesOf(v), v.resizable, v.maxByteLength],
  '[object Blob]': async (v) => [v.size, v.type, bytesOf(await v.arrayBuffer())],
  '[object File]': async (v) => [v.size, v.type, v.name, v.lastModified, bytesOf(await v.arrayBuffer())],
  '[object Error]': (v) => [v.name, v.message, v.stack, Object.getPrototypeOf(v).name],
  '[object DOMException]': (v) => [v.name, v.message, v.code, v.stack],
  '[object QuotaExceededError]': (v) => [v.name, v.message, v.code, v.quota, v.requested],
  '[object ImageData]': (v) => [v.width, v.height, v.colorSpace, v.pixelFormat, v.data.constructor.name, bytesOf(v.data.buffer)],
  '[object DOMPoint]': (v) => [v.x, v.y, v.z, v.w],
  '[object DOMPointReadOnly]': (v) => [v.x, v.y, v.z, v.w],
  '[object DOMRect]': (v) => [v.x, v.y, v.width, v.height],
  '[object DOMRectReadOnly]': (v) => [v.x, v.y, v.width, v.height],
  '[object DOMQuad]': (v) => [v.p1, v.p2, v.p3, v.p4].flatMap((p) => [p.x, p.y, p.z, p.w]),
  '[object DOMMatrix]': (v) => [v.is2D, ...v.toFloat64Array()],
  '[object DOMMatrixReadOnly]': (v) => [v.is2D, ...v.toFloat64Array()],
  '[object CryptoKey]': async (v) => [v.type, v.extractable, JSON.stringify(v.algorithm), v.usages.join(), v.extractable && JSON.stringify(await crypto.subtle.exportKey('jwk', v))],
};
for (const kind of ['Boolean', 'Number', 'String', 'BigInt']) facts[`[object ${kind}]`] = (v) => [v.valueOf()];

const parts = (value) => {
  if (value instanceof Map) return [...value].flat();
  if (value instanceof Set || brandOf(value) === '[object FileList]') return [...value];
  return ArrayBuffer.isView(value) ? [value.buffer] : [];
};

// '' when equal, else where they differ and how. Two objects are paired when they meet; a pair that breaks an earlier one is a difference.
async function difference(one, other, where = 'value', pairs = [new Map(), new Map()]) {
  const todo = [[one, other, where]];
  while (todo.length) {
    const [a, b, at] = todo.pop();
    if (Object.is(a, b)) continue;
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return `${at}: ${String(a)} and ${String(b)}`;
    if (pairs[0].has(a) || pairs[1].has(b)) {
      if (pairs[0].get(a) !== b || pairs[1].get(b) !== a) return `${at}: another object is here`;
      continue;
    }
    pairs[0].set(a, b);
    pairs[1].set(b, a);
    if (brandOf(a) !== brandOf(b) || Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return `${at}: ${brandOf(a)} and ${brandOf(b)}`;
    const [mine, theirs] = [await facts[brandOf(a)]?.(a) ?? [], await facts[brandOf(b)]?.(b) ?? []];
    if (mine.length !== theirs.length || mine.some((fact, i) => !Object.is(fact, theirs[i]))) return `${at}: ${mine} and ${theirs}`;
    if (ArrayBuffer.isView(a)) {
      if (a.byteOffset !== b.byteOffset || a.byteLength !== b.byteLength) return `${at}: other bytes of the buffer`;
      if (a.buffer.resizable && !pairs[0].has(a.buffer)) {
        for (const { buffer } of [a, b]) buffer.resize(buffer.maxByteLength);
        if (a.byteLength !== b.byteLength) return `${at}: follows its buffer, or not`;
      }
    }
    const names = (value) => (ArrayBuffer.isView(value) || brandOf(value) === '[object FileList]' ? [] : Object.getOwnPropertyNames(value));
    if (names(a).join('|') !== names(b).join('|') || names(a).length !== names(b).length) return `${at}: properties ${names(a).slice(0, 9)} and ${names(b).slice(0, 9)}`;
    for (const name of names(a)) {
      const [p, q] = [Object.getOwnPropertyDescriptor(a, name), Object.getOwnPropertyDescriptor(b, name)];
      if (p.enumerable !== q.enumerable || p.writable !== q.writable || p.configurable !== q.configurable) return `${at}.${name}: other attributes`;
      if (!p.get) todo.push([p.value, q.value, `${at}.${name}`]);
    }
    const [inner, outer] = [parts(a), parts(b)];
    if (inner.length !== outer.length) return `${at}: ${inner.length} parts and ${outer.length}`;
    inner.forEach((part, i) => todo.push([part, outer[i], `${at}<${i}>`]));
  }
  return '';
}

// -- storing ---------------------------------------------------------------------------------------------------------

const done = (request) => new Promise((resolve, reject) => { request.onsuccess = () => resolve(request.result); request.onerror = () => reject(request.error); });
const ended = (transaction) => new Promise((resolve, reject) => { transaction.oncomplete = resolve; transaction.onabort = () => reject(transaction.error ?? new Error('aborted')); });

function openDatabase(name, version, upgrade = () => {}) {
  const opening = indexedDB.open(name, version);
  opening.onupgradeneeded = (event) => upgrade(opening.result, opening.transaction, event);
  return done(opening);
}

async function storeKinds(name) {
  const values = {};
  for (const [kind, make] of Object.entries(KINDS)) values[kind] = await make();
  const db = await openDatabase(name, 1, (made) => made.createObjectStore('kinds'));
  const transaction = db.transaction('kinds', 'readwrite');
  for (const [kind, value] of Object.entries(values)) transaction.objectStore('kinds').put(value, kind);
  await ended(transaction);
  db.close();
  return Object.keys(values);
}

// What differs, by kind, between the records of a database and values made now and stored once.
async function compareKinds(name) {
  await storeKinds('fresh');
  const [restored, fresh] = [await openDatabase(name), await openDatabase('fresh')];
  const found = {};
  for (const kind of Object.keys(KINDS)) {
    const read = (db) => { const transaction = db.transaction('kinds'); return Promise.all([done(transaction.objectStore('kinds').get(kind)), done(transaction.objectStore('kinds').count(kind))]); };
    const [[value, count], [expected]] = [await read(restored), await read(fresh)];
    const differs = count === 0 ? 'missing' : await difference(expected, value);
    if (differs) found[kind] = differs;
  }
  restored.close();
  fresh.close();
  return found;
}
