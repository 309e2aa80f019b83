// A value as IndexedDB gives it -> text, which `decodeClone` turns into an equal value.
//
// What JSON says exactly is its JSON. All else (undefined, -0, dates, bytes, cycles, one object in two places, …) is
//   {"clone":1,"root":SLOT,"nodes":[NODE,…]}
// A SLOT is a JSON scalar as itself, ["undefined"], ["number","NaN"], ["bigint","12"], or [index] of a node. A NODE is an
// object: its kind, then what that kind is made of. A list instead of a tree: nothing recurses, however deep a value is.
//
// A value with a piece that cannot travel is lost as a whole: an application that finds a record without its key fails in ways
// that it does not when it finds no record, which is how it starts on a new device.

const DEEPEST_JSON = 100;                                    // deeper values become nodes: readers of JSON recurse

class Lost extends Error {
  // what: kind of the loss; passing: whether another try may do better, so that nothing known of the record is given up
  constructor(what, why, passing = false) {
    super(why);
    this.what = what;
    this.passing = passing;
  }
}

function isDense(array) {
  const keys = Object.keys(array);                           // indices come first, in order, then other properties
  return keys.length === array.length && (keys.length === 0 || keys[keys.length - 1] === String(array.length - 1));
}

function isJson(value, depth, seen) {
  switch (typeof value) {
    case 'string': case 'boolean': return true;
    case 'number': return Number.isFinite(value) && !Object.is(value, -0);
    case 'object': break;
    default: return false;
  }
  if (value === null) return true;
  if (depth === DEEPEST_JSON || seen.has(value)) return false;
  seen.add(value);
  if (Array.isArray(value)) return isDense(value) && value.every((item) => isJson(item, depth + 1, seen));
  return Object.getPrototypeOf(value) === Object.prototype && Object.keys(value).every((key) => isJson(value[key], depth + 1, seen));
}

// Returns the text, or, when bytes or keys must be waited for, a function that gives a promise of it. Throws Lost.
function encodeClone(value, most) {
  if (isJson(value, 0, new Set())) {
    const text = JSON.stringify(value);
    if (!text.startsWith(CLONE)) return text;                // an application's own object that looks like ours
  }
  const encoder = new Encoder(most);
  const root = encoder.walk(value);
  const text = () => JSON.stringify({ clone: 1, root, nodes: encoder.nodes });
  if (encoder.later.length === 0) return text();
  return async () => {
    for (const [at, work] of encoder.later) await work().catch((error) => { throw encoder.located(error, at); });
    return text();
  };
}

class Encoder {
  constructor(most) {
    this.nodes = [];
    this.later = [];
    this.room = most;                                        // bytes that this value may still have
    this.indices = new Map();
    this.objects = [];
    this.places = [];                                        // of each node: the node that it was first seen in, and where there
  }

  walk(value) {
    const root = this.slot(value, -1, '');
    for (let at = 0; at < this.objects.length; at += 1) {    // grows while it is walked
      try {
        this.nodes[at] = this.node(this.objects[at], at);
      } catch (error) {
        throw this.located(error, at);
      }
    }
    return root;
  }

  slot(value, parent, name) {
    switch (typeof value) {
      case 'string': case 'boolean': return value;
      case 'number': return numberSlot(value, 'number');
      case 'undefined': return ['undefined'];
      case 'bigint': return ['bigint', String(value)];
      default: return value === null ? null : [this.index(value, parent, name)];
    }
  }

  index(object, parent, name) {
    let index = this.indices.get(object);
    if (index === undefined) {
      index = this.objects.push(object) - 1;
      this.indices.set(object, index);
      this.places.push([parent, name]);
    }
    return index;
  }

  node(object, at) {
    const kind = kindOf(object);
    const write = ENCODERS[Object.hasOwn(ENCODERS, kind) ? kind : 'other'];
    return [kind, ...write(object, (value, name) => this.slot(value, at, name), this, at, kind)];
  }

  take(bytes) {
    this.room -= bytes;
    if (this.room < 0) throw new Lost('too-big', 'the value is bigger than what is kept of one record');
  }

  bytes(buffer) {
    this.take(buffer.byteLength);
    return toBase64(buffer);
  }

  wait(at, work) {
    this.later.push([at, work]);
  }

  // where in the value an error happened: names of properties, never what is in them
  located(error, at) {
    const lost = error instanceof Lost ? error : new Lost('value', `${error?.name}: ${error?.message}`, true);
    const path = [];
    for (let place = this.places[at]; place && place[0] >= 0; place = this.places[place[0]]) path.unshift(place[1]);
    lost.path ??= path.join('.');
    return lost;
  }
}

function kindOf(object) {
  const brand = Object.prototype.toString.call(object).slice(8, -1);
  return brand === 'Array' && !isDense(object) ? 'SparseArray' : brand;
}

const encodeView = (view, slot, _encoder, _at, kind) => {
  const length = kind === 'DataView' ? view.byteLength : view.length;
  return [slot(view.buffer, 'buffer'), view.byteOffset, followsItsBuffer(view) ? null : length];
};

// Whether a view of a resizable buffer grows with it. The buffer is a copy of our own, so it can be tried.
function followsItsBuffer(view) {
  const { buffer } = view;
  if (!buffer.resizable || buffer.byteLength === buffer.maxByteLength) return false;
  const [bytes, before] = [buffer.byteLength, view.byteLength];
  const step = Math.min(buffer.maxByteLength - bytes, view.BYTES_PER_ELEMENT ?? 1);
  buffer.resize(bytes + step);
  const follows = view.byteLength !== before;
  buffer.resize(bytes);
  return follows;
}

const encodeWrapper = (object, slot) => [slot(object.valueOf())];
const encodePoint = ({ x, y, z, w }, slot) => [x, y, z, w].map((number) => slot(number));
const encodeRect = ({ x, y, width, height }, slot) => [x, y, width, height].map((number) => slot(number));
const encodeMatrix = (matrix, slot) => {
  const all = [...matrix.toFloat64Array()];
  return (matrix.is2D ? [0, 1, 4, 5, 12, 13].map((at) => all[at]) : all).map((number) => slot(number));
};

const encodeBlob = (blob, head, encoder, at) => {
  encoder.take(blob.size);
  encoder.wait(at, async () => {
    let bytes;
    try { bytes = await blob.arrayBuffer(); } catch (error) { throw new Lost('blob', `its bytes cannot be read (${error.name})`, true); }
    encoder.nodes[at].push(toBase64(bytes));
  });
  return head;
};

const KEY_FORMATS = { secret: ['raw', 'raw-secret', 'jwk'], public: ['spki', 'raw-public', 'jwk'], private: ['pkcs8', 'raw-seed', 'jwk'] };

const encodeCryptoKey = (key, slot, encoder, at) => {
  if (!key.extractable) throw new Lost('crypto-key', `the ${key.algorithm.name} key is not extractable: it cannot leave the browser that made it`);
  encoder.wait(at, async () => encoder.nodes[at].push(...await exported(key)));
  return [slot(key.algorithm, 'algorithm'), key.usages];
};

async function exported(key) {
  for (const format of KEY_FORMATS[key.type]) {
    try {
      const material = await crypto.subtle.exportKey(format, key);
      return [format, format === 'jwk' ? material : toBase64(material)];
    } catch { /* not a format of this algorithm */ }
  }
  throw new Lost('crypto-key', `a ${key.algorithm.name} key cannot be exported in any format that is known here`);
}

const ENCODERS = {
  Object: (object, slot) => {
    if (Object.getPrototypeOf(object) !== Object.prototype) throw new Lost('value', 'it is an object of a kind that is not known here');
    return Object.keys(object).flatMap((key) => [key, slot(object[key], key)]);
  },
  Array: (array, slot) => array.map((item, at) => slot(item, at)),
  SparseArray: (array, slot) => [array.length, ...Object.keys(array).flatMap((key) => [key, slot(array[key], key)])],
  Map: (map, slot) => [...map].flatMap(([key, value]) => [slot(key, 'a key'), slot(value, 'a value')]),
  Set: (set, slot) => [...set].map((item) => slot(item, 'an item')),
  Date: encodeWrapper,
  Boolean: encodeWrapper,
  Number: encodeWrapper,
  String: encodeWrapper,
  BigInt: encodeWrapper,
  RegExp: ({ source, flags }) => [source, flags],
  ArrayBuffer: (buffer, _slot, encoder) => [encoder.bytes(buffer), ...(buffer.resizable ? [buffer.maxByteLength] : [])],
  Error: (error, slot) => {
    const own = (name) => slot(Object.getOwnPropertyDescriptor(error, name)?.value, name);
    return [error.name, own('message'), slot(error.stack), ...(Object.hasOwn(error, 'cause') ? [own('cause')] : [])];
  },
  DOMException: ({ message, name }) => [message, name],
  QuotaExceededError: ({ message, quota, requested }) => [message, quota, requested],
  Blob: (blob, _slot, encoder, at) => encodeBlob(blob, [blob.type], encoder, at),
  File: (file, _slot, encoder, at) => encodeBlob(file, [file.type, file.name, file.lastModified], encoder, at),
  FileList: (list, slot) => [...list].map((file, at) => slot(file, at)),
  ImageData: ({ data, width, height, colorSpace, pixelFormat }, _slot, encoder) => [width, height, colorSpace, pixelFormat ?? 'rgba-unorm8', encoder.bytes(data.buffer)],
  DOMPoint: encodePoint,
  DOMPointReadOnly: encodePoint,
  DOMRect: encodeRect,
  DOMRectReadOnly: encodeRect,
  DOMQuad: ({ p1, p2, p3, p4 }, slot) => [p1, p2, p3, p4].flatMap((point) => encodePoint(point, slot)),
  DOMMatrix: encodeMatrix,
  DOMMatrixReadOnly: encodeMatrix,
  CryptoKey: encodeCryptoKey,
  ImageBitmap: () => { throw new Lost('image-bitmap', 'an ImageBitmap gives its pixels to nobody exactly'); },
  FileSystemFileHandle: () => { throw new Lost('file-handle', 'a handle of a file is a permission of this browser on this machine'); },
  FileSystemDirectoryHandle: () => { throw new Lost('file-handle', 'a handle of a directory is a permission of this browser on this machine'); },
  RTCCertificate: () => { throw new Lost('rtc-certificate', 'its private key cannot leave the browser that made it'); },
  other: (_object, _slot, _encoder, _at, kind) => { throw new Lost('value', `a ${kind} is of a kind that cannot travel`); },
};
for (const kind of ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'Float16Array', 'Float32Array',
  'Float64Array', 'BigInt64Array', 'BigUint64Array', 'DataView']) ENCODERS[kind] = encodeView;
