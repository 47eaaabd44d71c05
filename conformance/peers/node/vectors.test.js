/** Every vector of spec/v1/vectors, whole and byte by byte: the frames were made by another language's library, the verdicts by hand. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { toJson } from './json.js';
import { Fault } from './msgpack.js';
import { CONNECTION } from './spec.js';
import { frame, frames, read } from './wire.js';

const folder = new URL('../../../spec/v1/vectors/', import.meta.url);
const bytesOf = ({ frame, parts }) => Buffer.concat((parts ?? [frame]).map((part) =>
  part.hex ? Buffer.alloc(part.times * (part.hex.length / 2), part.hex, 'hex') : Buffer.from(part, 'hex')));

/** The body of the first frame, or the message of a refused length. */
async function first(chunks) {
  try {
    for await (const body of frames(chunks)) return body;
  } catch (fault) {
    assert(fault instanceof Fault);
    return { event: 'MALFORMED_BYTES', clause: fault.clause };
  }
}

const judge = (body) => (body instanceof Uint8Array ? read(body) : body);

function verdict(message, phase) {
  const cell = CONNECTION.cells[phase === 'hello' ? 'silent' : 'talking'][message.event];
  if (!cell.violates && message.event !== 'MALFORMED_CALL') return { event: message.event, kind: message.kind ?? message.event };
  const close = Boolean(cell.violates);
  const clause = !close || cell.violates === 'frame' ? message.clause : cell.violates;
  return { event: message.event, clause, cid: close ? null : message.cid, opens: !close && message.opens, reaction: close ? 'close' : 'fail-call' };
}

function content({ event, kind, uid, cid, ns, func, kwargs, value, error }) {
  if (event === 'HELLO' || event === 'GOODBYE') return undefined;
  if (event === 'FATAL') return { error };
  if (kind === 'OPEN') return { cmd: [ns, func, toJson(kwargs), uid, cid] };
  if (kind === 'END') return { stop: true, cid };
  if (error) return { error, cid };
  if (kind.startsWith('ACK_')) return { functype: kind.slice(4).toLowerCase(), cid };
  return { [{ ITEM: 'yield', STARTED: 'started', RESULT: 'return' }[kind]]: toJson(value), cid };
}

/** The test notation also has deep values: wrapped n times. */
function unfold(json) {
  if (Array.isArray(json)) return json.map(unfold);
  if (json === null || typeof json !== 'object') return json;
  const [times, inner] = json.$arrays ?? json.$maps ?? [0, null];
  if (times) return Array.from({ length: times }).reduce((value) => (json.$arrays ? [value] : { k: value }), inner);
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, unfold(value)]));
}

for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
  for (const vector of JSON.parse(readFileSync(new URL(file, folder), 'utf8')).vectors) {
    test(vector.id, async () => {
      const bytes = bytesOf(vector);
      const message = judge(await first([bytes]));
      const { message: expected, ...accept } = vector.accept ?? {};
      assert.deepEqual(verdict(message, vector.phase), vector.accept ? accept : (vector.refuse ?? vector.accept_or));
      if (bytes.length <= 200000) assert.deepEqual(judge(await first([...bytes].map((byte) => Buffer.of(byte)))), message);
      if (!expected || !content(message)) return;
      assert.deepEqual(content(message), unfold(expected));
      const again = read(frame(resend(message)).subarray(4));
      assert.deepEqual(content(again), content(message));
    });
  }
}

/** A message that has been read, as one to be sent. */
function resend({ event, kind, cid, ns, func, kwargs, uid, value, error }) {
  if (kind === 'OPEN') return { cmd: [ns, func, kwargs, uid, cid] };
  const plain = content({ event, kind, cid, error, value: null });
  return value === undefined ? plain : { [Object.keys(plain)[0]]: value, cid };
}
