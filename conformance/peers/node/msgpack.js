/**
 * Strict msgpack. The library reads and writes single values: numbers, bin, ext. Structure and text are walked here, for nearly all
 * that IPTC is strict about lies there, and a library that decodes a body at one go hides it: repeated keys, bytes behind the object,
 * UTF-8, depth, keys of any type, 1.0 that is not 1 (PROTOCOL.md, section 5).
 */
import { Decoder, Encoder, ExtData, ExtensionCodec, decodeTimestampToTimeSpec } from '@msgpack/msgpack';
import { LIMITS } from './spec.js';

/** A float that JavaScript cannot tell from an integer (ENC-11r). */
export class Float extends Number {}

/** A broken rule. `clause` says which. */
export class Fault extends Error {
  constructor(clause) {
    super(clause);
    this.clause = clause;
  }
}

/** @returns {never} */
export function fail(clause) {
  throw new Fault(clause);
}

// A Date has no nanoseconds, so a timestamp stays an ext.
const extensionCodec = new ExtensionCodec();
extensionCodec.register({ type: -1, encode: () => null, decode: (data) => new ExtData(-1, data) });
const decoder = new Decoder({ useBigInt64: true, extensionCodec });
const encoder = new Encoder({ useBigInt64: true, extensionCodec });
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
export const TRUE = 0xc3;
const FIRST_SECOND = Date.parse('0001-01-01T00:00:00Z') / 1000;
const LAST_SECOND = Date.parse('9999-12-31T23:59:59Z') / 1000;

/** For the first bytes from 0xc0: type, how many bytes of length follow, and the size besides those. */
const FORMATS = [
  ['nil', 0, 0], [null, 0, 0], ['bool', 0, 0], ['bool', 0, 0], ['bin', 1, 0], ['bin', 2, 0], ['bin', 4, 0],
  ['ext', 1, 1], ['ext', 2, 1], ['ext', 4, 1], ['float', 0, 4], ['float', 0, 8],
  ['int', 0, 1], ['int', 0, 2], ['int', 0, 4], ['int', 0, 8], ['int', 0, 1], ['int', 0, 2], ['int', 0, 4], ['int', 0, 8],
  ['ext', 0, 2], ['ext', 0, 3], ['ext', 0, 5], ['ext', 0, 9], ['ext', 0, 17], ['str', 1, 0], ['str', 2, 0], ['str', 4, 0],
  ['array', 2, 0], ['array', 4, 0], ['map', 2, 0], ['map', 4, 0],
];
const FORMAT_OF = Array.from({ length: 256 }, (_, byte) => {
  if (byte < 0x80 || byte >= 0xe0) return ['int', 0, 0];
  if (byte < 0xa0) return [byte < 0x90 ? 'map' : 'array', 0, byte & 15];
  return byte < 0xc0 ? ['str', 0, byte & 31] : FORMATS[byte - 0xc0];
});

/** Walks over one body. `next()` reads a header; `at` is then behind it, for all but arrays and maps behind the whole value. */
export class Cursor {
  type = ''; from = 0; at = 0; items = 0; containers = 0; tooMuch = false;

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  next() {
    const start = this.at;
    if (start >= this.bytes.length) fail('ENC-01s');
    const [type, width, size] = FORMAT_OF[this.bytes[start]];
    this.from = start + 1 + width;
    if (!type || this.from > this.bytes.length) fail('ENC-01s');
    const length = size + (width === 4 ? this.view.getUint32(start + 1) : width === 2 ? this.view.getUint16(start + 1) : width && this.bytes[start + 1]);
    this.type = type;
    this.items = type === 'array' ? length : type === 'map' ? 2 * length : 0;
    this.at = this.from + (this.items ? 0 : length);
    if (this.at > this.bytes.length) fail('ENC-01s');
    return this;
  }

  /** Reads the header at `position`. */
  to(position) {
    this.at = position;
    return this.next();
  }

  /** Moves over a whole value: without recursion, and without memory for what a header declares. */
  skip() {
    for (let left = 1; left > 0; left--) {
      left += this.next().items;
      if (this.type === 'map' || this.type === 'array') this.containers++;
    }
  }

  /** The positions of the elements of the value at `position`; of a map, of its keys and values by turns. */
  *children(position) {
    let { items, at } = this.to(position);
    for (; items > 0; items--, at = this.at) {
      yield at;
      this.at = at;
      this.skip();
    }
  }

  /** The keys of the map at `position`, each with the position of its value. `text` is null for a key that is no str in UTF-8. */
  *entries(position) {
    let key = null;
    for (const at of this.children(position)) {
      if (key) yield [key, at];
      key = key ? null : { type: this.to(at).type, text: this.text() };
    }
  }

  /** The str that has just been read; null if it is none, or not UTF-8. */
  text() {
    if (this.type !== 'str') return null;
    try {
      return utf8.decode(this.bytes.subarray(this.from, this.at));
    } catch {
      return null;
    }
  }

  /** The value at `position`, by rule M6: faults are found in the order of bytes, and the depth that is refused bounds the recursion. */
  value(position, depth = 0, isKey = false) {
    if (this.tooMuch) fail('ENC-06r');
    const { type, from, at, items } = this.to(position);
    if (type === 'str') return this.text() ?? fail('ENC-02s');
    if (type === 'array' || type === 'map') {
      if (isKey && type === 'map') fail('ENC-07s');
      if (depth === LIMITS.nesting) fail('ENC-06r');
      const values = [];
      while (values.length < items) values.push(this.value(this.at, depth + 1, isKey || (type === 'map' && values.length % 2 === 0)));
      return type === 'array' ? values : asMap(values);
    }
    if (type === 'ext') checkExt(this.view.getInt8(from), this.bytes.subarray(from + 1, at), isKey);
    const byte = this.bytes[position];
    if (at === position + 1) return type === 'nil' ? null : type === 'bool' ? byte === TRUE : byte < 0x80 ? byte : byte - 256;
    const value = decoder.decode(this.bytes.subarray(position, at));
    if (type === 'float') return Number.isInteger(value) ? new Float(value) : value;
    return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
}

function checkExt(type, data, isKey) {
  if (type !== -1) return isKey && fail('ENC-07s');
  if (![4, 8, 12].includes(data.length)) fail('ENC-08s');
  const { sec, nsec } = decodeTimestampToTimeSpec(data);
  return (sec < FIRST_SECOND || sec > LAST_SECOND || nsec > 999999999) && fail('ENC-08s');
}

/** Keys and values by turns, as an object if all keys are str, else as a Map. */
function asMap(values) {
  const map = new Map();
  for (let i = 0; i < values.length; i += 2) map.set(values[i], values[i + 1]);
  for (const key of map.keys()) if (typeof key !== 'string') return map;
  const object = {};
  for (const [key, value] of map) Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true }); // `__proto__` too
  return object;
}

/** Bytes that grow. */
export class Writer {
  #bytes = Buffer.alloc(64);
  #size = 0;

  /** Room for `size` more bytes. */
  room(size) {
    const end = this.#size + size;
    if (end > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], Math.max(end, 2 * this.#bytes.length));
    this.#size = end;
    return this.#bytes.subarray(end - size, end);
  }

  get written() {
    return this.#bytes.subarray(0, this.#size);
  }

  /** @throws {TypeError | RangeError} for what msgpack, or this protocol, cannot carry */
  pack(value, depth = 0) {
    if (value instanceof Float) {
      const room = this.room(9);
      room[0] = 0xcb;
      room.writeDoubleBE(value.valueOf(), 1);
      return;
    }
    const pairs = value instanceof Map ? [...value] : isPlain(value) ? Object.entries(value) : null;
    if (!pairs && !Array.isArray(value)) {
      const bytes = encoder.encodeSharedRef(checked(value));
      this.room(bytes.length).set(bytes);
      return;
    }
    if (depth === LIMITS.nesting) throw new RangeError('nested too deep');
    this.#header((pairs ?? value).length, pairs ? [0x80, 0xde] : [0x90, 0xdc]);
    for (const item of pairs?.flat() ?? value) this.pack(item, depth + 1);
  }

  #header(count, [short, long]) {
    const room = this.room(count < 16 ? 1 : count < 65536 ? 3 : 5);
    room[0] = count < 16 ? short + count : count < 65536 ? long : long + 1;
    if (count >= 16) room.writeUIntBE(count, 1, room.length - 1);
  }
}

function isPlain(value) {
  return value !== null && typeof value === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(value));
}

/** What the library would write wrongly: half a surrogate pair, an integer that wraps, a Number of more than 32 bits as a float. */
function checked(value) {
  if (typeof value === 'string' && /\p{Surrogate}/u.test(value)) throw new TypeError('half a surrogate pair has no UTF-8');
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value && BigInt.asUintN(64, value) !== value) {
    throw new RangeError('an integer has 64 bits');
  }
  return Number.isSafeInteger(value) && Math.abs(value) >= 2 ** 31 ? BigInt(value) : value;
}
