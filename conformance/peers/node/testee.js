/** The peer as a callee under test: serves the fixture of conformance/README.md on 127.0.0.1 at the port $IPTC_PORT. */
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from './connection.js';
import { context, generator, unary } from './functions.js';
import { LIMITS } from './spec.js';

const cancelled = [];

/** Never returns. When cancelled, it remembers the tag. */
function hang(signal, tag) {
  return new Promise((_, reject) => {
    const ended = () => reject(cancelled.push(tag) && signal.reason);
    if (signal.aborted) ended();
    else signal.addEventListener('abort', ended);
  });
}

async function* count(n, { signal }) {
  for (let i = 0; i < n; i++) yield i;
}

async function collect(call, take) {
  for (let item; !(item = await call.receive()).done; ) await take(item.value);
}

const fixture = {
  echo: unary(['value'], {}, async ({ value }) => value),
  fail: unary(['message'], {}, async ({ message }) => { throw new Error(message); }),
  hang: unary([], { tag: '' }, ({ tag }, { signal }) => hang(signal, tag)),
  slow_cancel: unary(['seconds'], {}, ({ seconds }, { signal }) => hang(signal, '').finally(() => sleep(Number(seconds) * 1000))),
  cancelled_tags: unary([], {}, async () => cancelled),
  count: generator(['n'], {}, ({ n }, call) => count(n, call)),
  count_then_fail: generator(['n', 'message'], {}, async function* ({ n, message }, call) {
    yield* count(n, call);
    throw new Error(message);
  }),
  count_forever: generator([], {}, async function* (_, { signal }) {
    for (let i = 0; ; i++) {
      yield i;
      await sleep(1, null, { signal });
    }
  }),
  ctx_return: context(['first', 'result'], {}, async ({ first, result }, call) => {
    call.started(first);
    return result;
  }),
  ctx_hang: context(['first'], { tag: '' }, async ({ first, tag }, call) => {
    call.started(first);
    await hang(call.signal, tag);
  }),
  ctx_hang_before_started: context([], {}, (_, { signal }) => hang(signal, '')),
  ctx_fail: context(['first', 'message'], {}, async ({ first, message }, call) => {
    call.started(first);
    throw new Error(message);
  }),
  ctx_fail_before_started: context(['message'], {}, async ({ message }) => { throw new Error(message); }),
  ctx_echo: context(['first'], {}, async ({ first }, call) => {
    let echoed = 0;
    call.started(first);
    await collect(call, async (item) => { echoed += Number(await call.send(item)); });
    return echoed;
  }),
  ctx_push: context(['first', 'n'], {}, async ({ first, n }, call) => {
    call.started(first);
    for (let i = 0; i < n; i++) await call.send(i);
    call.end();
    return n;
  }),
  ctx_collect: context(['first'], {}, async ({ first }, call) => {
    const items = [];
    call.started(first);
    await collect(call, (item) => items.push(item));
    return items;
  }),
};

LIMITS.hello_seconds = Number(process.env.IPTC_HELLO_SECONDS ?? LIMITS.hello_seconds);
const parent = process.ppid; // it ends with whoever has started it
setInterval(() => process.ppid === parent || process.exit(), 1000).unref();
createServer((socket) => new Connection(socket, { name: 'node', namespaces: { iptc_testee: fixture } }))
  .listen(Number(process.env.IPTC_PORT), '127.0.0.1');
