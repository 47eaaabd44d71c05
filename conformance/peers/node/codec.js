/** The decoder alone under test: a line with a phase and a frame comes in, a line with the verdict goes out (conformance/README.md). */
import { createInterface } from 'node:readline';
import { toJson } from './json.js';
import { Fault } from './msgpack.js';
import { CONNECTION } from './spec.js';
import { Frames, read } from './wire.js';

function decode(bytes) {
  try {
    const [body] = new Frames().cut(bytes);
    return read(body);
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    return { event: 'MALFORMED_BYTES', clause: fault.clause };
  }
}

function verdict(message, phase) {
  const cell = CONNECTION.cells[phase === 'hello' ? 'silent' : 'talking'][message.event];
  if (cell.violates) return { ok: false, clause: cell.violates === 'frame' ? message.clause : cell.violates, reaction: 'close', cid: null };
  if (message.event === 'MALFORMED_CALL') return { ok: false, clause: message.clause, reaction: 'fail-call', cid: message.cid };
  return { ok: true, kind: (message.kind ?? message.event).replace(/^ACK_.*/, 'ACK'), message: body(message) };
}

const VALUED = { ITEM: 'yield', STARTED: 'started', RESULT: 'return' };

function body({ event, kind, uid, reserved, cid, ns, func, kwargs, value, error }) {
  if (event === 'HELLO') return [...uid, ...toJson(reserved)];
  if (event === 'GOODBYE') return null;
  if (event === 'FATAL') return { error };
  if (kind === 'OPEN') return { cmd: [ns, func, toJson(kwargs), uid, cid] };
  if (kind === 'END') return { stop: true, cid };
  if (error) return { error, cid };
  return kind in VALUED ? { [VALUED[kind]]: toJson(value), cid } : { functype: kind.slice(4).toLowerCase(), cid };
}

for await (const line of createInterface({ input: process.stdin })) {
  const [phase, hex] = line.split(' ');
  const answer = verdict(decode(Buffer.from(hex, 'hex')), phase);
  const text = JSON.stringify(answer);
  process.stdout.write(`${text.length > 65536 ? JSON.stringify({ ...answer, message: undefined }) : text}\n`);
}
