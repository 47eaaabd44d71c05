/** The decoder alone under test: a line asks about a frame, a line answers (conformance/README.md). */
import { createInterface } from 'node:readline';
import { toJson } from './json.js';
import { CONNECTION, Frames, read } from './wire.js';

function decode(bytes) {
  try {
    return read(new Frames().cut(bytes).next().value);
  } catch (fault) {
    return { event: 'MALFORMED_BYTES', clause: fault.message };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const [phase, hex] = line.split(' ');
  const { event, kind = event, body, cid, clause } = decode(Buffer.from(hex, 'hex'));
  const { violates } = CONNECTION.cells[phase === 'hello' ? 'silent' : 'talking'][event];
  const broken = violates && violates !== 'frame' ? violates : clause;
  const answer = broken
    ? { ok: false, clause: broken, reaction: violates ? 'close' : 'fail-call', cid: violates ? null : cid }
    : { ok: true, kind: kind.replace(/^ACK_.*/, 'ACK'), message: toJson(body) };
  const text = JSON.stringify(answer);
  process.stdout.write(`${text.length > 65536 ? JSON.stringify({ ...answer, message: undefined }) : text}\n`);
}
