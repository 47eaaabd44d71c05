/** Frames and messages: PROTOCOL.md, sections 4 to 6. */
import { Cursor, Fault, TRUE, Writer, fail } from './msgpack.js';
import { LIMITS } from './spec.js';

/** Cuts a stream of chunks into bodies, however it is split. */
export class Frames {
  #held = [];

  /** The bodies that are complete with this chunk. Throws a Fault as soon as a length is refused. @param {Buffer} chunk */
  *cut(chunk) {
    this.#held.push(chunk);
    // Pieces of about one size are joined, so that a frame in many small chunks costs neither much memory nor much copying.
    while (this.#held.length > 1 && this.#held.at(-2).length <= this.#held.at(-1).length) this.#held.push(Buffer.concat(this.#held.splice(-2)));
    for (let size = this.#held.reduce((sum, piece) => sum + piece.length, 0); size >= 4; size = this.#held[0].length) {
      if (this.#held[0].length < 4) this.#held = [Buffer.concat(this.#held)];
      const length = this.#held[0].readUInt32LE(0);
      if (length === 0) fail('FRM-04s');
      if (length > LIMITS.frame_bytes) fail('FRM-03s');
      if (size < 4 + length) break;
      const whole = Buffer.concat(this.#held);
      this.#held = [whole.subarray(4 + length)];
      yield whole.subarray(4, 4 + length);
    }
  }
}

/** One message as a frame. Throws, before anything is sent, what cannot be. @returns {Buffer} */
export function frame(message) {
  const writer = new Writer();
  writer.room(4);
  writer.pack(message, -3); // values stand up to three levels deep in a message, and are counted from themselves
  const bytes = writer.written;
  if (bytes.length - 4 > LIMITS.frame_bytes) throw new RangeError('longer than a frame may be');
  bytes.writeUInt32LE(bytes.length - 4);
  return bytes;
}

/**
 * What a body means, or which clause it breaks and whose call pays: section 5.3.
 * @typedef {{event: string, clause?: string, cid?: string | null, opens?: boolean, kind?: string, [field: string]: any}} Message
 * @param {Uint8Array} body @returns {Message} `event` is one of connection.json, `kind` one of call.json
 */
export function read(body) {
  const cursor = new Cursor(body);
  try {
    cursor.skip();
    if (cursor.at < body.length) fail('FRM-02s');
    cursor.tooMuch = cursor.containers > MOST_CONTAINERS;
  } catch (fault) {
    return { event: 'MALFORMED_BYTES', clause: fault.clause };
  }
  const { type } = cursor.to(0);
  if (type === 'nil') return { event: 'GOODBYE' };
  const about = { cid: undefined, opens: false };
  try {
    if (type === 'map') return readMap(cursor, about);
    return type === 'array' ? readHello(cursor) : fail('ROB-02s');
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    if (type !== 'map') return { event: 'MALFORMED_OBJECT', clause: 'ROB-02s' };
    return { event: about.cid ? 'MALFORMED_CALL' : 'MALFORMED_OBJECT', clause: fault.clause, ...about };
  }
}

function readHello(cursor) {
  const hello = [];
  for (const at of cursor.children(0)) hello.push(hello.length < 2 ? cursor.to(at).text() || fail('HSK-01s') : cursor.value(at));
  return hello.length < 2 ? fail('HSK-01s') : { event: 'HELLO', uid: hello.slice(0, 2), reserved: hello.slice(2) };
}

const MOST_CONTAINERS = 2 ** 22; // more arrays and maps than fit into the memory of a process: they cost their call, and not the process
const KEY_RULES = ['ENC-04s', 'ENC-02s', 'ENC-03s'];
const MANY_KEYS = 65536; // those behind are not looked at for a repetition: the map is wrong anyway

/** The M rules. `about` is filled in first, and holds for a broken message too: the cid, if it can be read, and whether this is an OPEN. */
function readMap(cursor, about) {
  const fields = new Map();
  let broken = KEY_RULES.length;
  for (const [{ type, text }, at] of cursor.entries(0)) {
    broken = Math.min(broken, type !== 'str' ? 0 : text === null ? 1 : fields.has(text) ? 2 : KEY_RULES.length);
    if (fields.size < MANY_KEYS) fields.set(text, at);
    if (text === 'cmd') about.opens = true;
    const candidate = text === 'cid' ? at : text === 'cmd' ? fifth(cursor, at) : null;
    if (candidate === null) continue;
    const cid = cursor.to(candidate).text();
    const legal = cid && cursor.at - cursor.from <= LIMITS.cid_bytes ? cid : null;
    about.cid = about.cid === undefined || about.cid === legal ? legal : null;
  }
  if (broken < KEY_RULES.length) fail(KEY_RULES[broken]); // M1, M2
  const readBody = BODIES.get([...fields.keys()].sort().join(' ')) ?? fail('ENC-05s'); // M3
  if (fields.has('cid') && !about.cid) fail('CID-01s'); // M4
  fields.delete('cid');
  const [at] = fields.values();
  return { event: 'CALL', cid: about.cid, ...readBody(cursor, at, about) };
}

/** The position of the fifth element of an array of at least five, or null. */
function fifth(cursor, position) {
  if (cursor.to(position).type !== 'array' || cursor.items < 5) return null;
  for (let i = 0; i < 4; i++) cursor.skip();
  return cursor.at;
}

const ACKS = new Map([['asyncfunc', 'ACK_ASYNCFUNC'], ['asyncgen', 'ACK_ASYNCGEN'], ['context', 'ACK_CONTEXT']]);
const valued = (kind) => (cursor, at) => ({ kind, value: cursor.value(at) });

/** M5 and M6, by the keys of the message. */
const BODIES = new Map([
  ['cmd', readOpen],
  ['cid functype', (cursor, at) => ({ kind: ACKS.get(cursor.to(at).text()) ?? fail('OPN-05s') })],
  ['cid started', valued('STARTED')],
  ['cid yield', valued('ITEM')],
  ['cid stop', (cursor, at) => (cursor.bytes[at] === TRUE ? { kind: 'END' } : fail('STR-05s'))],
  ['cid return', valued('RESULT')],
  ['cid error', readError],
  ['error', (cursor, at) => ({ ...readError(cursor, at), event: 'FATAL', kind: 'FATAL' })],
]);

function readOpen(cursor, at, { cid }) {
  if (cursor.to(at).type !== 'array' || cursor.items !== 5) fail('OPN-01s');
  if (!cid) fail('CID-01s');
  const [ns, func, kwargs, uid] = cursor.children(at);
  const text = (position) => cursor.to(position).text() ?? fail('OPN-01s');
  const open = { kind: 'OPEN', ns: text(ns), func: text(func), kwargs: Object.create(null), uid: [] };
  if (cursor.to(kwargs).type !== 'map') fail('OPN-01s');
  for (const [key] of cursor.entries(kwargs)) key.text ?? fail('OPN-01s');
  if (cursor.to(uid).type !== 'array' || cursor.items !== 2) fail('OPN-01s');
  for (const position of cursor.children(uid)) open.uid.push(text(position));
  for (const [key, position] of cursor.entries(kwargs)) open.kwargs[key.text] = cursor.value(position);
  return open;
}

function readError(cursor, at) {
  const error = new Map();
  if (cursor.to(at).type !== 'map' || cursor.items !== 4) fail('ERR-01s');
  for (const [key, position] of cursor.entries(at)) error.set(key.text, cursor.to(position).text() ?? fail('ERR-01s'));
  if (!error.has('tb_str') || !error.has('type_str')) fail('ERR-01s');
  const { tb_str, type_str } = Object.fromEntries(error);
  return { kind: type_str === 'StreamOverrun' ? 'OVERRUN' : 'FAIL', error: { tb_str, type_str } };
}
