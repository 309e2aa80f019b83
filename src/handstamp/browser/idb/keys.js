// Keys of records <-> JSON values. A string and a common number are themselves; the rest is a list that begins with its kind:
// ["n", "-Infinity"], ["d", milliseconds], ["b", base64], ["a", key, key, …]. One key has one text, so texts can be compared.

function encodeKey(key) {
  if (typeof key === 'string') return key;
  if (typeof key === 'number') return numberSlot(key, 'n');
  if (key instanceof Date) return ['d', key.getTime()];
  if (Array.isArray(key)) return ['a', ...key.map(encodeKey)];
  return ['b', toBase64(key)];
}

function decodeKey(encoded) {
  if (!Array.isArray(encoded)) return encoded;
  const [kind, ...rest] = encoded;
  switch (kind) {
    case 'n': return Number(rest[0]);
    case 'd': return new Date(rest[0]);
    case 'a': return rest.map(decodeKey);
    default: return fromBase64(rest[0]).buffer;
  }
}

function numberSlot(number, kind) {
  if (Object.is(number, -0)) return [kind, '-0'];
  return Number.isFinite(number) ? number : [kind, String(number)];
}
