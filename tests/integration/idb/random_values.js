// Random values of every kind, the same for the same seed, with objects that are in several places and in themselves.

function randomValue(seed) {
  let state = seed * 2654435761 + 1;
  const next = (below) => {
    state = Math.imul(state ^ (state >>> 15), 2246822519) + 0x9e3779b9;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
  const made = [];
  const keep = (object) => { made.push(object); return object; };
  const text = () => String.fromCharCode(...Array.from({ length: next(6) }, () => [next(0x80), next(0x10000), 0xd800 + next(0x800)][next(3)]));
  const bytes = () => Uint8Array.from({ length: next(40) }, () => next(256));
  const scalars = [() => null, () => undefined, () => true, () => next(1000), () => -next(1000) / 7, () => [-0, NaN, Infinity, -Infinity][next(4)], text, () => 2n ** BigInt(next(99))];
  const views = [Int8Array, Uint8ClampedArray, Int16Array, Uint32Array, Float16Array, Float64Array, BigInt64Array, DataView];
  const view = () => { const buffer = made.find((o) => o instanceof ArrayBuffer && o.byteLength >= 16) ?? keep(new ArrayBuffer(32)); return keep(new views[next(8)](buffer, 8 * next(2), 1)); };
  const objects = [
    (depth) => { const o = keep({}); for (let i = next(5); i > 0; i -= 1) o[['__x', '1', 'length', text()][next(4)]] = value(depth); return o; },
    (depth) => { const a = keep([]); for (let i = next(5); i > 0; i -= 1) a.push(value(depth)); if (next(5) === 0) a.length += 2; if (next(5) === 0) a.more = value(depth); return a; },
    (depth) => { const m = keep(new Map()); for (let i = next(4); i > 0; i -= 1) m.set(value(depth), value(depth)); return m; },
    (depth) => { const s = keep(new Set()); for (let i = next(4); i > 0; i -= 1) s.add(value(depth)); return s; },
    () => keep(new Date(next(2) ? next(1e9) : NaN)), () => keep(new RegExp('a|[b]', ['', 'g', 'imsu'][next(3)])), () => keep(bytes().buffer), view,
    () => keep(Object([true, next(9), text(), 3n][next(4)])), () => keep(new Blob([bytes()], { type: 'x/y' })), () => keep(new File([bytes()], text(), { lastModified: next(99) })),
    (depth) => { const e = keep(new [Error, TypeError, RangeError][next(3)](text())); e.stack = text(); if (next(2)) Object.defineProperty(e, 'cause', { value: value(depth) }); return e; },
    () => keep(new DOMMatrix(Array.from({ length: [6, 16][next(2)] }, () => next(9)))), () => keep(new DOMPoint(next(9), -0, NaN)),
  ];
  const value = (depth) => {
    if (made.length && next(6) === 0) return made[next(made.length)];
    return depth === 0 || next(2) ? scalars[next(scalars.length)]() : objects[next(objects.length)](depth - 1);
  };
  return objects[next(4)](4);
}

async function storeRandom(name, count) {
  const db = await openDatabase(name, 1, (made) => made.createObjectStore('kv'));
  const transaction = db.transaction('kv', 'readwrite');
  for (let seed = 0; seed < count; seed += 1) transaction.objectStore('kv').put(randomValue(seed), seed);
  await ended(transaction);
  return db;
}

async function compareRandom(name, count) {
  const [restored, fresh] = [await openDatabase(name), await storeRandom('fresh', count)];
  const found = [];
  for (let seed = 0; seed < count; seed += 1) {
    const get = (db) => done(db.transaction('kv').objectStore('kv').get(seed));
    const differs = await difference(await get(fresh), await get(restored));
    if (differs) found.push([seed, differs]);
  }
  return found;
}
