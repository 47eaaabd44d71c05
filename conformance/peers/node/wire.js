/** Bytes and what they mean: frames, msgpack and messages, strictly (PROTOCOL.md, sections 4 to 6). */
import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { Decoder, Encoder, ExtData, ExtensionCodec, decodeTimestampToTimeSpec } from '@msgpack/msgpack';

// The specification as data: this peer holds no table of its own. Its limits are the defaults.
const load = (name) => JSON.parse(readFileSync(new URL(`../../../spec/v1/${name}.json`, import.meta.url)));
export const CALL = load('call');
export const CONNECTION = load('connection');
export const LIMITS = load('limits').limits;
for (const [name, limit] of Object.entries(LIMITS)) LIMITS[name] = limit.default;

/** A float that JavaScript cannot tell from an integer (ENC-11r). */
export class Float extends Number {}

/** A frame that costs the connection; the message is the clause. */
class Fault extends Error {}

// The library reads and writes single values. A Date has no nanoseconds, so a timestamp stays an ext.
const extensionCodec = new ExtensionCodec();
extensionCodec.register({ type: -1, encode: () => null, decode: (data) => new ExtData(-1, data) });
const decoder = new Decoder({ useBigInt64: true, extensionCodec });
const encoder = new Encoder();

/** Bytes that grow at their end. What has been taken from their beginning is never written to again. */
class Bytes {
  size = 0;
  held = Buffer.alloc(0);

  add(bytes) {
    const size = this.size + bytes.length;
    if (size > this.held.length) this.held = Buffer.concat([this.held.subarray(0, this.size)], 64 + 2 * size);
    this.held.set(bytes, this.size);
    this.size = size;
  }

  take(count) {
    const taken = this.held.subarray(0, count);
    this.held = this.held.subarray(count);
    this.size -= count;
    return taken;
  }
}

/** Cuts a stream into bodies, in whatever chunks it comes. A refused length is a Fault at once (FRM-03r). */
export class Frames extends Bytes {
  *cut(chunk) {
    this.add(chunk);
    while (this.size >= 4) {
      const length = this.held.readUInt32LE();
      if (length === 0) throw new Fault('FRM-04s');
      if (length > LIMITS.frame_bytes) throw new Fault('FRM-03s');
      if (this.size < 4 + length) return;
      yield this.take(4 + length).subarray(4);
    }
  }
}

/** The bytes of a header, or of a number. */
function wide(size, type, method, number) {
  const bytes = Buffer.alloc(size, type);
  bytes[method](number, 1);
  return bytes;
}

/** Half a surrogate pair, an integer of more than 64 bits, objects of other classes: refused (ENC-13r). */
function scalar(value) {
  if (value instanceof Float) return wide(9, 0xcb, 'writeDoubleBE', Number(value));
  if (typeof value === 'bigint' && value < 0) return wide(9, 0xd3, 'writeBigInt64BE', value);
  if (typeof value === 'bigint') return wide(9, 0xcf, 'writeBigUInt64BE', value);
  const known = Object(value) !== value || value instanceof Uint8Array || value instanceof ExtData;
  if (!known || value?.isWellFormed?.() === false) throw new TypeError('it has no msgpack');
  return encoder.encodeSharedRef(value);
}

function pack(bytes, value, levels) {
  const object = value?.constructor === Object ? Object.entries(value) : null;
  const pairs = value instanceof Map ? [...value] : object;
  if (!pairs && !Array.isArray(value)) return bytes.add(scalar(value));
  if (levels === 0) throw new RangeError('nested too deep'); // ENC-06s
  const [count, short, long] = pairs ? [pairs.length, 0x80, 0xdf] : [value.length, 0x90, 0xdd];
  bytes.add(count < 16 ? [short + count] : wide(5, long, 'writeUInt32BE', count));
  for (const item of pairs?.flat() ?? value) pack(bytes, item, levels - 1);
}

/** One message as a frame. What cannot be sent throws here, before anything is. */
export function frame(message) {
  const bytes = new Bytes();
  bytes.add(Buffer.alloc(4));
  pack(bytes, message, LIMITS.nesting + (message?.cmd ? 3 : 1)); // a value's levels are counted from itself
  const length = bytes.size - 4;
  if (length > LIMITS.frame_bytes) throw new RangeError('longer than a frame may be'); // FRM-03s
  bytes.held.writeUInt32LE(length);
  return bytes.take(bytes.size);
}

// What the first byte of a value says: its type, how many bytes of length follow, and the size besides those.
const fixed = (type, ...sizes) => sizes.map((size) => [type, 0, size]);
const sized = (type, widths, size = 0) => widths.map((width) => [type, width, size]);
const FROM_C0 = [
  ...fixed('nil', 0), [], ...fixed('bool', 0, 0), ...sized('bin', [1, 2, 4]), ...sized('ext', [1, 2, 4], 1),
  ...fixed('float', 4, 8), ...fixed('int', 1, 2, 4, 8, 1, 2, 4, 8), ...fixed('ext', 2, 3, 5, 9, 17),
  ...sized('str', [1, 2, 4]), ...sized('array', [2, 4]), ...sized('map', [2, 4]),
];
const FORMATS = Array.from({ length: 256 }, (_, byte) => {
  if (byte < 0x80 || byte >= 0xe0) return ['int', 0, 0];
  if (byte < 0xa0) return [byte < 0x90 ? 'map' : 'array', 0, byte & 15];
  return byte < 0xc0 ? ['str', 0, byte & 31] : FROM_C0[byte - 0xc0];
});
const BROKEN = Symbol('a text that is not UTF-8, or what is nested too deep');
const MOST_CONTAINERS = 2 ** 21; // many more arrays and maps would not fit into the heap
const SECONDS = ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z'].map((date) => Date.parse(date) / 1000);

/** Reads the values of a body. What rule M6 (section 5.3) has against them is noted: the first fault. */
class Reader {
  at = 0;
  fault = null;
  repeated = false; // whether a map inside has a key twice
  #containers = 0;

  constructor(bytes) {
    this.bytes = bytes;
  }

  /** Moves behind a header; but for arrays and maps, behind the whole value. */
  header() {
    const [type, width, size] = FORMATS[this.bytes[this.at]] ?? [];
    const from = this.at + 1 + width;
    if (!type || from > this.bytes.length) throw new Fault('ENC-01s');
    const length = size + (width && this.bytes.readUIntBE(this.at + 1, width));
    const items = type === 'array' ? length : type === 'map' ? 2 * length : null;
    this.at = items === null ? from + length : from;
    if (this.at > this.bytes.length) throw new Fault('ENC-01s');
    return { type, from, items };
  }

  /** The next value. No header takes memory for what it declares, and `levels` bound the recursion. */
  value(levels, isKey = false) {
    const start = this.at;
    const { type, from, items } = this.header();
    if (type === 'array') return this.#items(items, levels, isKey);
    if (type === 'map') return this.#map(items, levels, isKey);
    const raw = this.bytes.subarray(type === 'str' ? from : start, this.at);
    if (type === 'str') return isUtf8(raw) ? raw.toString() : this.#note('ENC-02s');
    if (raw.length === 1) return type === 'nil' ? null : type === 'bool' ? raw[0] === 0xc3 : raw.readInt8();
    const value = decoder.decode(raw);
    if (type === 'ext') this.#checkExt(value, isKey);
    if (type === 'float' && Number.isInteger(value)) return new Float(value);
    return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  #note(clause) {
    this.fault ??= clause;
    return BROKEN;
  }

  #items(count, levels, isKey, isMap = false) {
    if (levels === 0 || ++this.#containers > MOST_CONTAINERS) {
      for (let left = count; left > 0; left--) left += this.header().items ?? 0; // skips them
      return this.#note('ENC-06r');
    }
    const items = [];
    for (let i = 0; i < count; i++) items.push(this.value(levels - 1, isKey || (isMap && i % 2 === 0)));
    return items;
  }

  #map(count, levels, isKey) {
    if (isKey) this.#note('ENC-07s');
    const items = this.#items(count, levels, isKey, true);
    if (items === BROKEN) return BROKEN;
    const map = new Map();
    for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1]);
    this.repeated ||= 2 * map.size < count;
    return map;
  }

  #checkExt({ type, data }, isKey) {
    if (type !== -1) return isKey && this.#note('ENC-07s');
    const { sec, nsec } = [4, 8, 12].includes(data.length) ? decodeTimestampToTimeSpec(data) : {};
    if (!(sec >= SECONDS[0] && sec <= SECONDS[1] && nsec <= 999999999)) this.#note('ENC-08s');
  }
}

const isText = (value) => typeof value === 'string';
const isFilled = (value) => isText(value) && value !== '';
const isCid = (value) => isFilled(value) && Buffer.byteLength(value) <= LIMITS.cid_bytes;

/**
 * What a body means, or which clause it breaks and whose call pays: the rules of section 5.3, in their order.
 * `event` is one of connection.json, `kind` one of call.json.
 */
export function read(body) {
  const reader = new Reader(body);
  try {
    if (FORMATS[body[0]][0] === 'map') return readMap(reader);
    const whole = reader.value(LIMITS.nesting + 1);
    if (reader.at < body.length) throw new Fault('FRM-02s');
    if (whole === null) return { event: 'GOODBYE', body: whole };
    const isHello = Array.isArray(whole) && isFilled(whole[0]) && isFilled(whole[1]) && !reader.fault;
    return isHello ? { event: 'HELLO', body: whole } : { event: 'MALFORMED_OBJECT', clause: 'ROB-02s' };
  } catch (fault) {
    return { event: 'MALFORMED_BYTES', clause: fault.message };
  }
}

const KEY_RULES = ['ENC-04s', 'ENC-02s', 'ENC-03s']; // M1, M2
const MOST_KEYS = 65536; // those behind are not looked at for a repetition: the map is wrong anyway

function readMap(reader) {
  const [fields, cids] = [new Map(), new Set()];
  let flaw = KEY_RULES.length;
  for (let left = reader.header().items; left > 0; left -= 2) {
    const key = reader.value(LIMITS.nesting);
    const value = reader.value(LIMITS.nesting + (key === 'cmd' ? 2 : 0));
    flaw = Math.min(flaw, key === BROKEN ? 1 : !isText(key) ? 0 : fields.has(key) ? 2 : flaw);
    if (fields.size < MOST_KEYS) fields.set(key, value);
    if (key === 'cid' && cids.size < 2) cids.add(value);
    if (key === 'cmd' && Array.isArray(value) && value.length >= 5 && cids.size < 2) cids.add(value[4]);
  }
  if (reader.at < reader.bytes.length) throw new Fault('FRM-02s');
  const cid = cids.size === 1 && [...cids].every(isCid) ? [...cids][0] : null; // whose call it is
  const event = cid ? 'MALFORMED_CALL' : 'MALFORMED_OBJECT';
  const broken = (clause) => ({ event, clause, cid, opens: fields.has('cmd') });
  if (flaw < KEY_RULES.length) return broken(KEY_RULES[flaw]);
  const names = [...fields.keys()].sort().join(' ');
  if (!Object.hasOwn(BODIES, names)) return broken('ENC-05s'); // M3
  const [shape, readBody] = BODIES[names];
  const value = fields.get(names.replace('cid ', ''));
  if (names === 'cmd' && !(Array.isArray(value) && value.length === 5)) return broken(shape);
  if (names !== 'error' && !cid) return broken('CID-01s'); // M4
  const said = readBody(value, reader);
  if (!said || reader.fault) return broken(said ? reader.fault : shape); // M5, M6
  return { event: names === 'error' ? 'FATAL' : 'CALL', cid, body: fields, ...said };
}

const KINDS = ['asyncfunc', 'asyncgen', 'context'];
export const ACKS = new Map(KINDS.map((kind) => [kind, `ACK_${kind.toUpperCase()}`]));
const valued = (kind) => ['', (value) => ({ kind, value })];

/** By the keys of a message: the clause of its shape, and what its body says if it has that shape. */
const BODIES = {
  'cmd': ['OPN-01s', ([ns, func, kwargs, uid]) => {
    const fit = kwargs instanceof Map && Array.isArray(uid) && uid.length === 2;
    if (!fit || ![ns, func, ...uid, ...kwargs.keys()].every(isText)) return null;
    return { kind: 'OPEN', ns, func, kwargs: Object.fromEntries(kwargs), uid };
  }],
  'cid functype': ['OPN-05s', (kind) => ACKS.has(kind) && { kind: ACKS.get(kind) }],
  'cid started': valued('STARTED'),
  'cid yield': valued('ITEM'),
  'cid stop': ['STR-05s', (value) => value === true && { kind: 'END' }],
  'cid return': valued('RESULT'),
  'cid error': ['ERR-01s', (body, { repeated }) => {
    if (!(body instanceof Map && body.size === 2) || repeated) return null;
    const error = { type_str: body.get('type_str'), tb_str: body.get('tb_str') };
    const kind = error.type_str === 'StreamOverrun' ? 'OVERRUN' : 'FAIL';
    return Object.values(error).every(isText) && { kind, error };
  }],
  'error': ['ERR-01s', (body, reader) => BODIES['cid error'][1](body, reader) && { kind: 'FATAL' }],
};
