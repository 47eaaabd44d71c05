/** The peer as a caller under test: does what its stdin tells it, and answers (conformance/README.md). */
import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';
import { fromJson, toJson } from './json.js';
import { Connection, Disconnected, ProtocolError } from './peer.js';

const MEMBERS = ['id', 'op', 'func', 'kwargs', 'take', 'send', 'cancel_after'];
const KINDS = { call: 'asyncfunc', stream: 'asyncgen', context: 'context' };
const { IPTC_HOST, IPTC_PORT, IPTC_NAMESPACE } = process.env;
const connection = new Connection(createConnection(Number(IPTC_PORT), IPTC_HOST));

/** Takes `most` items into `seen`, or all. True if the stream has ended before. */
async function collect(call, seen, most = Infinity) {
  for (seen.items = []; seen.items.length < most; ) {
    const { value, done } = await call.next();
    if (done) return true;
    seen.items.push(toJson(value));
  }
  return false;
}

/** What an op comes to if nothing goes wrong. What is `seen` by then is told in any case. */
const OPS = {
  call: async (call) => ({ outcome: 'return', value: toJson(await call.ended) }),

  async stream(call, { take }, seen) {
    const whole = await collect(call, seen, take);
    if (!whole) connection.cancel(call);
    await (whole ? call.ended : call.ended.catch(() => {}));
    return { outcome: whole ? 'stop' : 'closed' };
  },

  async context(call, { send, take }, seen) {
    seen.first = toJson(await call.first);
    for (const item of send ?? []) await call.send(fromJson(item));
    if (send && take === undefined) call.end();
    if (send || take !== undefined) call.end(await collect(call, seen, take));
    return { outcome: 'return', value: toJson(await call.ended) };
  },
};

async function perform(request) {
  const { op, func, kwargs = {}, cancel_after: seconds } = request;
  const known = Object.hasOwn(OPS, op) && Object.keys(request).every((name) => MEMBERS.includes(name));
  if (!known) return { outcome: 'unsupported' };
  const seen = {};
  let call, timer, cancelled;
  try {
    call = connection.open(IPTC_NAMESPACE, func, fromJson(kwargs), KINDS[op]);
    const giveUp = () => connection.cancel(call, (cancelled = true));
    if (seconds !== undefined) timer = setTimeout(giveUp, seconds * 1000);
    return { ...(await OPS[op](call, request, seen)), ...seen };
  } catch (error) {
    if (call) connection.cancel(call);
    await call?.ended.catch(() => {});
    if (error instanceof Disconnected) return { outcome: 'disconnected' };
    if (error instanceof ProtocolError) return { outcome: 'protocol-error', detail: error.message };
    if (cancelled && error.name === 'ContextCancelled') return { outcome: 'cancelled', ...seen };
    return { outcome: 'error', type: error.name, ...seen };
  } finally {
    clearTimeout(timer);
  }
}

const write = (line) => new Promise((resolve) => process.stdout.write(`${JSON.stringify(line)}\n`, resolve));
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (request.op === 'close') {
    await connection.leave();
    await write({ id: request.id, outcome: 'closed' });
    break;
  }
  perform(request).then((outcome) => write({ id: request.id, ...outcome }));
}
await connection.leave();
process.exit();
