/**
 * Frames and messages: PROTOCOL.md, sections 4 to 6.
 *
 * The msgpack library reads and writes single values (numbers, bin, ext). Everything that this protocol is strict about is a matter of
 * structure, and is walked here: what is well-formed, repeated keys, UTF-8, depth, and whose call a broken message belongs to (5.3).
 */
import { readFileSync } from 'node:fs';
import { Decoder, Encoder, ExtData, ExtensionCodec, decodeTimestampToTimeSpec } from '@msgpack/msgpack';

const spec = (name) => JSON.parse(readFileSync(new URL(`../../../spec/v1/${name}.json`, import.meta.url), 'utf8'));
export const CALL = spec('call');
export const CONNECTION = spec('connection');
/** Our limits are the defaults. @type {Record<string, number>} */
export const LIMITS = Object.fromEntries(Object.entries(spec('limits').limits).map(([name, limit]) => [name, limit.default]));

/** A float that JavaScript cannot tell from an integer: 1.0 is not 1 on the wire (ENC-11r). */
export class Float extends Number {}

/** A broken rule. `clause` says which. */
export class Fault extends Error {
  constructor(clause) {
    super(clause);
    this.clause = clause;
  }
}

// A Date has no nanoseconds, so a timestamp stays an ext.
const extensionCodec = new ExtensionCodec();
extensionCodec.register({ type: -1, encode: () => null, decode: (data) => new ExtData(-1, data) });
const library = { decoder: new Decoder({ useBigInt64: true, extensionCodec }), encoder: new Encoder({ useBigInt64: true, extensionCodec }) };
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const EARLIEST = Date.parse('0001-01-01T00:00:00Z') / 1000;
const LATEST = Date.parse('9999-12-31T23:59:59Z') / 1000;

/** For each first byte: its type, how many bytes of length follow, and the size without them (for arrays and maps: the count). */
const FORMATS = Array.from({ length: 256 }, (_, byte) => {
  if (byte < 0x80 || byte >= 0xe0) return { type: 'int', width: 0, size: 0 };
  if (byte < 0xc0) return { type: byte < 0x90 ? 'map' : byte < 0xa0 ? 'array' : 'str', width: 0, size: byte & (byte < 0xa0 ? 15 : 31) };
  const [type, width, size] = [
    ['nil', 0, 0], [null, 0, 0], ['bool', 0, 0], ['bool', 0, 0], ['bin', 1, 0], ['bin', 2, 0], ['bin', 4, 0],
    ['ext', 1, 1], ['ext', 2, 1], ['ext', 4, 1], ['float', 0, 4], ['float', 0, 8],
    ['int', 0, 1], ['int', 0, 2], ['int', 0, 4], ['int', 0, 8], ['int', 0, 1], ['int', 0, 2], ['int', 0, 4], ['int', 0, 8],
    ['ext', 0, 2], ['ext', 0, 3], ['ext', 0, 5], ['ext', 0, 9], ['ext', 0, 17], ['str', 1, 0], ['str', 2, 0], ['str', 4, 0],
    ['array', 2, 0], ['array', 4, 0], ['map', 2, 0], ['map', 4, 0],
  ][byte - 0xc0];
  return { type, width, size };
});

/** Walks over a body. After `next()` it describes one value, and `at` is behind its header, for str, bin, ext behind the whole of it. */
class Cursor {
  type = ''; start = 0; from = 0; at = 0; items = 0;

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  next() {
    this.start = this.at;
    if (this.start >= this.bytes.length) throw new Fault('ENC-01s');
    const { type, width, size } = FORMATS[this.bytes[this.start]];
    this.from = this.start + 1 + width;
    if (!type || this.from > this.bytes.length) throw new Fault('ENC-01s');
    const { view, start } = this;
    const length = size + (width === 0 ? 0 : width === 1 ? view.getUint8(start + 1) : width === 2 ? view.getUint16(start + 1) : view.getUint32(start + 1));
    this.type = type;
    this.items = type === 'array' ? length : type === 'map' ? 2 * length : 0;
    this.at = this.from + (type === 'array' || type === 'map' ? 0 : length);
    if (this.at > this.bytes.length) throw new Fault('ENC-01s');
    return this;
  }

  /** Goes to the value at `position`. */
  to(position) {
    this.at = position;
    return this.next();
  }

  /** Moves over a whole value, without recursion. */
  skip() {
    for (let left = 1; left > 0; left--) left += this.next().items;
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

  /** The keys of the map at `position`, each with the position of its value. */
  *entries(position) {
    let key = null;
    for (const at of this.children(position)) {
      if (key) yield [key, at];
      key = key ? null : { type: this.to(at).type, text: this.text() };
    }
  }

  /** The position of the fifth element of an array of at least five, or null. */
  fifth(position) {
    if (this.to(position).type !== 'array' || this.items < 5) return null;
    for (let i = 0; i < 4; i++) this.skip();
    return this.at;
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

  valueAt(position) {
    this.at = position;
    return this.value();
  }

  /** The next value, by rule M6. The depth that it refuses bounds the recursion. */
  value(depth = 0, isKey = false) {
    const { type, start, from, at, items } = this.next();
    if (type === 'str') return this.text() ?? fail('ENC-02s');
    if (type === 'array' || type === 'map') {
      if (isKey && type === 'map') fail('ENC-07s');
      if (depth === LIMITS.nesting) fail('ENC-06r');
      const values = [];
      for (let i = 0; i < items; i++) values.push(this.value(depth + 1, isKey || (type === 'map' && i % 2 === 0)));
      return type === 'array' ? values : asMap(values);
    }
    if (type === 'ext') this.checkExt(this.view.getInt8(from), this.bytes.subarray(from + 1, at), isKey);
    const value = library.decoder.decode(this.bytes.subarray(start, at));
    if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) return Number(value);
    return type === 'float' && Number.isInteger(value) ? new Float(value) : value;
  }

  checkExt(type, data, isKey) {
    if (type !== -1) return isKey && fail('ENC-07s');
    if (![4, 8, 12].includes(data.length)) fail('ENC-08s');
    const { sec, nsec } = decodeTimestampToTimeSpec(data);
    return (sec < EARLIEST || sec > LATEST || nsec > 999999999) && fail('ENC-08s');
  }
}

function fail(clause) {
  throw new Fault(clause);
}

/** A map with str keys is an object, any other a Map. Takes keys and values by turns. */
function asMap(values) {
  const pairs = values.flatMap((key, i) => (i % 2 ? [] : [[key, values[i + 1]]]));
  if (pairs.some(([key]) => typeof key !== 'string')) return new Map(pairs);
  const map = Object.create(null); // so that `__proto__` is a key like any other
  for (const [key, value] of pairs) map[key] = value;
  return map;
}

/**
 * What a body means, by section 5.3.
 * @typedef {{event: string, clause?: string, cid?: string, opens?: boolean, kind?: string, [field: string]: any}} Message
 * @param {Uint8Array} body @returns {Message} `event` is one of connection.json, `kind` one of call.json
 */
export function read(body) {
  const cursor = new Cursor(body);
  try {
    cursor.skip();
    if (cursor.at < body.length) fail('FRM-02s');
  } catch (fault) {
    return { event: 'MALFORMED_BYTES', clause: fault.clause };
  }
  const { type } = cursor.to(0);
  if (type === 'nil') return { event: 'GOODBYE' };
  const found = { cid: undefined, opens: false };
  try {
    if (type === 'map') return readMap(cursor, found);
    return type === 'array' ? readHello(cursor) : fail('ROB-02s');
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    if (type !== 'map') return { event: 'MALFORMED_OBJECT', clause: 'ROB-02s' };
    return { event: found.cid ? 'MALFORMED_CALL' : 'MALFORMED_OBJECT', clause: fault.clause, ...found };
  }
}

function readHello(cursor) {
  const uid = [];
  for (const at of cursor.children(0)) {
    if (uid.length < 2) uid.push(cursor.to(at).text() || fail('ROB-02s'));
    else cursor.valueAt(at);
  }
  return uid.length === 2 ? { event: 'HELLO', uid } : fail('ROB-02s');
}

/** The M rules. `found` gets the cid, if it can be read, and whether this is an OPEN: both hold for a broken message, too. */
function readMap(cursor, found) {
  const fields = new Map();
  let broken = KEY_RULES.length;
  for (const [key, at] of cursor.entries(0)) {
    broken = Math.min(broken, key.type !== 'str' ? 0 : key.text === null ? 1 : fields.has(key.text) ? 2 : KEY_RULES.length);
    if (fields.size < MANY_KEYS) fields.set(key.text, at);
    if (key.text === 'cmd') found.opens = true;
    const candidate = key.text === 'cid' ? at : key.text === 'cmd' ? cursor.fifth(at) : null;
    if (candidate === null) continue;
    const cid = cursor.to(candidate).text();
    const legal = cid && cursor.at - cursor.from <= LIMITS.cid_bytes ? cid : null;
    found.cid = found.cid === undefined || found.cid === legal ? legal : null;
  }
  if (broken < KEY_RULES.length) fail(KEY_RULES[broken]); // M1, M2
  const readBody = BODIES.get([...fields.keys()].sort().join(' ')) ?? fail('ENC-05s'); // M3
  if (fields.has('cid') && !found.cid) fail('CID-01s'); // M4
  fields.delete('cid');
  const [at] = fields.values();
  return { event: 'CALL', cid: found.cid, ...readBody(cursor, at, found) }; // M4 of a cmd, M5, M6
}

const KEY_RULES = ['ENC-04s', 'ENC-02s', 'ENC-03s'];
const MANY_KEYS = 65536; // further keys are not looked at for a repetition: the map is wrong anyway

const valued = (kind) => (cursor, at) => ({ kind, value: cursor.valueAt(at) });
/** M5 and M6, by the keys of the message. */
const BODIES = new Map([
  ['cmd', readOpen],
  ['cid functype', (cursor, at) => ({ kind: ACKS.get(cursor.to(at).text()) ?? fail('OPN-05s') })],
  ['cid started', valued('STARTED')],
  ['cid yield', valued('ITEM')],
  ['cid stop', (cursor, at) => (cursor.bytes[at] === TRUE ? { kind: 'END' } : fail('STR-05s'))],
  ['cid return', valued('RESULT')],
  ['cid error', (cursor, at) => {
    const error = readError(cursor, at);
    return { kind: error.type_str === 'StreamOverrun' ? 'OVERRUN' : 'FAIL', error };
  }],
  ['error', (cursor, at) => ({ event: 'FATAL', error: readError(cursor, at) })],
]);
const ACKS = new Map([['asyncfunc', 'ACK_ASYNCFUNC'], ['asyncgen', 'ACK_ASYNCGEN'], ['context', 'ACK_CONTEXT']]);
const TRUE = 0xc3;

function readOpen(cursor, at, found) {
  if (cursor.to(at).type !== 'array' || cursor.items !== 5) fail('OPN-01s');
  if (!found.cid) fail('CID-01s');
  const [ns, func, kwargs, uid] = cursor.children(at);
  const text = (position) => cursor.to(position).text() ?? fail('OPN-01s');
  const opened = { kind: 'OPEN', ns: text(ns), func: text(func), kwargs: Object.create(null), uid: [] };
  if (cursor.to(kwargs).type !== 'map') fail('OPN-01s');
  for (const [key] of cursor.entries(kwargs)) key.text ?? fail('OPN-01s');
  if (cursor.to(uid).type !== 'array' || cursor.items !== 2) fail('OPN-01s');
  for (const position of cursor.children(uid)) opened.uid.push(text(position));
  for (const [key, position] of cursor.entries(kwargs)) opened.kwargs[key.text] = cursor.valueAt(position);
  return opened;
}

function readError(cursor, at) {
  const error = {};
  if (cursor.to(at).type !== 'map' || cursor.items !== 4) fail('ERR-01s');
  for (const [key, position] of cursor.entries(at)) {
    if (key.text !== 'tb_str' && key.text !== 'type_str') fail('ERR-01s');
    error[key.text] = cursor.to(position).text() ?? fail('ERR-01s');
  }
  return 'tb_str' in error && 'type_str' in error ? error : fail('ERR-01s');
}

/** Cuts a stream of chunks into bodies; throws a Fault as soon as a length is refused. @param {AsyncIterable<Buffer>} chunks */
export async function* frames(chunks) {
  let held = [];
  for await (const chunk of chunks) {
    held.push(chunk);
    // Pieces of about one size are joined, so that a frame in many small chunks costs neither much memory nor much copying.
    while (held.length > 1 && held.at(-2).length <= held.at(-1).length) held.push(Buffer.concat(held.splice(-2)));
    for (let size = held.reduce((sum, piece) => sum + piece.length, 0); size >= 4; ) {
      if (held[0].length < 4) held = [Buffer.concat(held)];
      const length = held[0].readUInt32LE(0);
      if (length === 0) fail('FRM-04s');
      if (length > LIMITS.frame_bytes) fail('FRM-03s');
      if (size < 4 + length) break;
      const whole = held.length > 1 ? Buffer.concat(held) : held[0];
      held = [whole.subarray(4 + length)];
      size = held[0].length;
      yield whole.subarray(4, 4 + length);
    }
  }
}

/** One message as a frame. Throws what cannot be sent, before anything is. @returns {Buffer} */
export function frame(message) {
  const pieces = [];
  pack(message, pieces, -3); // a value stands at most three levels deep in a message
  const body = Buffer.concat(pieces);
  if (body.length > LIMITS.frame_bytes) throw new RangeError('longer than a frame may be');
  const header = Buffer.alloc(4);
  header.writeUInt32LE(body.length);
  return Buffer.concat([header, body]);
}

function pack(value, pieces, depth) {
  const pairs = value instanceof Map ? [...value] : isPlain(value) ? Object.entries(value) : null;
  if (value instanceof Float) {
    const bytes = Buffer.alloc(9, 0xcb);
    bytes.writeDoubleBE(value.valueOf(), 1);
    pieces.push(bytes);
  } else if (pairs || Array.isArray(value)) {
    if (depth === LIMITS.nesting) throw new RangeError('nested too deep');
    pieces.push(containerHeader((pairs ?? value).length, pairs ? [0x80, 0xde] : [0x90, 0xdc]));
    for (const item of pairs?.flat() ?? value) pack(item, pieces, depth + 1);
  } else if (typeof value === 'string' && /\p{Surrogate}/u.test(value)) {
    throw new TypeError('a str with half a surrogate pair has no UTF-8');
  } else if (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value && BigInt.asUintN(64, value) !== value) {
    throw new RangeError('an integer has 64 bits');
  } else {
    // With useBigInt64 the library writes a Number of more than 32 bits as a float.
    pieces.push(library.encoder.encode(Number.isSafeInteger(value) && Math.abs(value) >= 2 ** 31 ? BigInt(value) : value));
  }
}

function containerHeader(count, [short, long]) {
  if (count < 16) return Buffer.of(short + count);
  const header = Buffer.alloc(count < 65536 ? 3 : 5, count < 65536 ? long : long + 1);
  header.writeUIntBE(count, 1, header.length - 1);
  return header;
}

function isPlain(value) {
  if (value === null || typeof value !== 'object') return false;
  return [Object.prototype, null].includes(Object.getPrototypeOf(value));
}
