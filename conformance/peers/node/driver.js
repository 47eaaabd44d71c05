/** The peer as a caller under test: does what JSON Lines on stdin tell it, and answers each on stdout (conformance/README.md). */
import { createInterface } from 'node:readline';
import { ContextCancelled, Disconnected, ProtocolError } from './call.js';
import { Connection } from './connection.js';
import { fromJson, toJson } from './json.js';

const MEMBERS = ['id', 'op', 'func', 'kwargs', 'take', 'send', 'cancel_after'];
const { IPTC_HOST, IPTC_PORT, IPTC_NAMESPACE } = process.env;
const connection = Connection.connect(Number(IPTC_PORT), IPTC_HOST, { name: 'node' });

/** Takes up to `most` items into `items`. True if the stream has ended before. */
async function collect(call, items, most = Infinity) {
  while (items.length < most) {
    const { value, done } = await call.inbox.take();
    if (done) return true;
    items.push(toJson(value));
  }
  return false;
}

const OPS = {
  async call(call) {
    return { outcome: 'return', value: toJson(await call.ended) };
  },

  async stream(call, { take }, seen) {
    seen.items = [];
    if (await collect(call, seen.items, take)) {
      await call.ended;
      return { outcome: 'stop', items: seen.items };
    }
    connection.cancel(call);
    await call.ended.catch(() => {});
    return { outcome: 'closed', items: seen.items };
  },

  async context(call, { send = [], take }, seen, streams) {
    seen.first = toJson(await Promise.race([call.started, call.ended.then(() => call.started)]));
    seen.items = [];
    if (streams) {
      for (const item of send) await connection.item(call, fromJson(item));
      if (take === undefined) connection.end(call);
      await collect(call, seen.items, take);
      connection.end(call);
    }
    return { outcome: 'return', ...seen, value: toJson(await call.ended) };
  },
};

const KINDS = { call: 'asyncfunc', stream: 'asyncgen', context: 'context' };

async function perform(request) {
  const { op, func, kwargs = {}, cancel_after: cancelAfter } = request;
  if (!Object.hasOwn(OPS, op) || Object.keys(request).some((name) => !MEMBERS.includes(name))) return { outcome: 'unsupported' };
  const seen = {};
  let call, timer, cancelled;
  try {
    call = connection.open(IPTC_NAMESPACE, func, fromJson(kwargs), KINDS[op]);
    if (cancelAfter !== undefined) timer = setTimeout(() => connection.cancel(call, (cancelled = true)), cancelAfter * 1000);
    return await OPS[op](call, request, seen, 'send' in request || 'take' in request);
  } catch (error) {
    if (call) connection.cancel(call);
    await call?.ended.catch(() => {});
    return failed(error, cancelled, seen);
  } finally {
    clearTimeout(timer);
  }
}

function failed(error, cancelled, seen) {
  if (error instanceof Disconnected) return { outcome: 'disconnected' };
  if (error instanceof ProtocolError) return { outcome: 'protocol-error', detail: error.message };
  if (cancelled && (error instanceof ContextCancelled || error.name === 'ContextCancelled')) return { outcome: 'cancelled', ...seen };
  return { outcome: 'error', type: error.name, ...seen };
}

function answer(id, outcome) {
  return new Promise((resolve) => process.stdout.write(`${JSON.stringify({ id, ...outcome })}\n`, resolve));
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (request.op !== 'close') {
    perform(request).then((outcome) => answer(request.id, outcome));
    continue;
  }
  await connection.leave();
  await answer(request.id, { outcome: 'closed' });
  break;
}
await connection.leave();
process.exit();
