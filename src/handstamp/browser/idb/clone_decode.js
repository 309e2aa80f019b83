// Text of `encodeClone` -> a value equal to the one it was made of, at once; only CryptoKeys must be imported before, by
// `importKeys`, which takes its time.

const CLONE = '{"clone":';                                   // what a text begins with that is no plain JSON
const NEWEST_CLONE = 1;

function parseClone(text) {
  const parsed = JSON.parse(text);
  if (parsed.clone !== NEWEST_CLONE) throw new Error('it was saved by a newer handstamp');
  return parsed;
}

// Whether a text holds CryptoKeys. In JSON these characters cannot stand inside a string, whose quotes are escaped.
function holdsKeys(text) {
  return text.startsWith(CLONE) && text.includes('["CryptoKey",');
}

// A promise of the CryptoKeys in a text, by the index of their node.
async function importKeys(text) {
  const { nodes } = parseClone(text);
  const values = new Decoder(nodes, new Map());
  const keys = new Map();
  for (const [at, node] of nodes.entries()) {
    if (node[0] !== 'CryptoKey') continue;
    const [, algorithm, usages, format, material] = node;
    const bytes = format === 'jwk' ? material : fromBase64(material);
    keys.set(at, await crypto.subtle.importKey(format, bytes, values.value(algorithm), true, usages));
  }
  return keys;
}

function decodeClone(text, keys = new Map()) {
  if (!text.startsWith(CLONE)) return JSON.parse(text);
  const { root, nodes } = parseClone(text);
  return new Decoder(nodes, keys).value(root);
}

class Decoder {
  // Every object is made empty first and filled afterwards, so that they can refer to each other in any way.
  constructor(nodes, keys) {
    this.nodes = nodes;
    this.keys = keys;
    this.objects = new Array(nodes.length);
    nodes.forEach((_node, at) => this.object(at));
    nodes.forEach(([kind, ...fields], at) => FILLERS[kind]?.(this.objects[at], fields, (slot) => this.value(slot)));
  }

  object(at) {
    if (this.objects[at] === undefined) {
      const [kind, ...fields] = this.nodes[at];
      this.objects[at] = kind === 'CryptoKey' ? this.keys.get(at) : MAKERS[kind](fields, (slot) => this.value(slot), kind);
    }
    return this.objects[at];
  }

  value(slot) {
    if (!Array.isArray(slot)) return slot;
    const [kind, text] = slot;
    switch (kind) {
      case 'undefined': return undefined;
      case 'number': return Number(text);
      case 'bigint': return BigInt(text);
      default: return this.object(kind);
    }
  }
}

function setOwn(object, key, value) {
  if (key === '__proto__') Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  else object[key] = value;
}

const setPairs = (object, pairs, value) => {
  for (let at = 0; at < pairs.length; at += 2) setOwn(object, pairs[at], value(pairs[at + 1]));
};

const FILLERS = {
  Object: (object, fields, value) => setPairs(object, fields, value),
  Array: (array, fields, value) => fields.forEach((slot, at) => { array[at] = value(slot); }),
  SparseArray: (array, [, ...pairs], value) => setPairs(array, pairs, value),
  Map: (map, fields, value) => {
    for (let at = 0; at < fields.length; at += 2) map.set(value(fields[at]), value(fields[at + 1]));
  },
  Set: (set, fields, value) => fields.forEach((slot) => set.add(value(slot))),
  Error: (error, [, , , ...cause], value) => {
    if (cause.length) Object.defineProperty(error, 'cause', { value: value(cause[0]), writable: true, enumerable: false, configurable: true });
  },
};

const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

const makeError = ([name, message, stack], value) => {
  const kind = ERRORS[Object.hasOwn(ERRORS, name) ? name : 'Error'];
  const text = value(message);
  const error = text === undefined ? new kind() : new kind(text);
  error.stack = value(stack) ?? '';                           // never ours
  return error;
};

const makeView = ([buffer, byteOffset, length], value, kind) => {
  const view = globalThis[kind];
  return length === null ? new view(value(buffer), byteOffset) : new view(value(buffer), byteOffset, length);
};

const makeBuffer = ([material, maxByteLength]) => {
  const bytes = fromBase64(material);
  if (maxByteLength === undefined) return bytes.buffer;
  const buffer = new ArrayBuffer(bytes.length, { maxByteLength });
  new Uint8Array(buffer).set(bytes);
  return buffer;
};

const makeImage = ([width, height, colorSpace, pixelFormat, material]) => {
  const { buffer } = fromBase64(material);
  if (pixelFormat === 'rgba-unorm8') return new ImageData(new Uint8ClampedArray(buffer), width, height, { colorSpace });
  return new ImageData(new Float16Array(buffer), width, height, { colorSpace, pixelFormat });
};

const makeFileList = (slots, value) => {
  const transfer = new DataTransfer();                       // the only maker of a FileList
  for (const slot of slots) transfer.items.add(value(slot));
  return transfer.files;
};

const makeQuad = (slots, value) => {
  const numbers = slots.map(value);
  return new DOMQuad(...[0, 4, 8, 12].map((at) => new DOMPoint(...numbers.slice(at, at + 4))));
};

const makeWrapper = ([slot], value) => Object(value(slot));
const makeOfNumbers = (slots, value, kind) => new globalThis[kind](...slots.map(value));
const makeOfList = (slots, value, kind) => new globalThis[kind](slots.map(value));

const MAKERS = {
  Object: () => ({}),
  Array: () => [],
  SparseArray: ([length]) => new Array(length),
  Map: () => new Map(),
  Set: () => new Set(),
  Date: ([slot], value) => new Date(value(slot)),
  Boolean: makeWrapper,
  Number: makeWrapper,
  String: makeWrapper,
  BigInt: makeWrapper,
  RegExp: ([source, flags]) => new RegExp(source, flags),
  ArrayBuffer: makeBuffer,
  Error: makeError,
  DOMException: ([message, name]) => new DOMException(message, name),
  QuotaExceededError: ([message, quota, requested]) => new QuotaExceededError(message, { quota: quota ?? undefined, requested: requested ?? undefined }),
  Blob: ([type, material]) => new Blob([fromBase64(material)], { type }),
  File: ([type, name, lastModified, material]) => new File([fromBase64(material)], name, { type, lastModified }),
  FileList: makeFileList,
  ImageData: makeImage,
  DOMPoint: makeOfNumbers,
  DOMPointReadOnly: makeOfNumbers,
  DOMRect: makeOfNumbers,
  DOMRectReadOnly: makeOfNumbers,
  DOMQuad: makeQuad,
  DOMMatrix: makeOfList,
  DOMMatrixReadOnly: makeOfList,
};
for (const kind of ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'Float16Array', 'Float32Array',
  'Float64Array', 'BigInt64Array', 'BigUint64Array', 'DataView']) MAKERS[kind] = makeView;
