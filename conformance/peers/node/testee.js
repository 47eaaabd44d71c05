/** The peer as a callee under test: serves the fixture of conformance/README.md at 127.0.0.1:$IPTC_PORT. */
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from './peer.js';
import { LIMITS } from './wire.js';

/** Only a tag may be left out. */
const exported = (kind) => (names, run) => {
  const args = Object.fromEntries(names.map((name) => [name, name === 'tag' ? '' : undefined]));
  return { kind, args, run };
};
const [unary, generator, context] = ['asyncfunc', 'asyncgen', 'context'].map(exported);
/** A context that starts before it does anything else. */
const starting = (names, run) =>
  context(['first', ...names], (args, call) => run(args, call, call.started(args.first)));

const cancelled = [];
const hang = ({ tag }, call) => call.ended.finally(() => cancelled.push(tag));
const fail = async ({ message }) => Promise.reject(new Error(message));
const count = async function* ({ n }) {
  for (let i = 0; i < n; i++) yield i;
};

const fixture = {
  echo: unary(['value'], async ({ value }) => value),
  fail: unary(['message'], fail),
  hang: unary(['tag'], hang),
  slow_cancel: unary(['seconds'], ({ seconds }, call) => call.ended.finally(() => sleep(seconds * 1000))),
  cancelled_tags: unary([], async () => cancelled),
  count: generator(['n'], count),
  count_then_fail: generator(['n', 'message'], async function* (args) {
    yield* count(args);
    await fail(args);
  }),
  count_forever: generator([], async function* () {
    for (let i = 0; ; i++) yield await sleep(1, i);
  }),
  ctx_return: starting(['result'], async ({ result }) => result),
  ctx_hang: starting(['tag'], hang),
  ctx_hang_before_started: context([], (_, call) => call.ended),
  ctx_fail: starting(['message'], fail),
  ctx_fail_before_started: context(['message'], fail),
  ctx_echo: starting([], async (_, call) => {
    let echoed = 0;
    for await (const item of call) echoed += Number(await call.send(item));
    return echoed;
  }),
  ctx_push: starting(['n'], async ({ n }, call) => {
    for (let i = 0; i < n; i++) await call.send(i);
    call.end();
    return n;
  }),
  ctx_collect: starting([], async (_, call) => {
    const items = [];
    for await (const item of call) items.push(item);
    return items;
  }),
};

LIMITS.hello_seconds = Number(process.env.IPTC_HELLO_SECONDS ?? LIMITS.hello_seconds);
const parent = process.ppid; // it ends with whoever has started it
setInterval(() => process.ppid === parent || process.exit(), 1000).unref();
const server = createServer((socket) => new Connection(socket, { iptc_testee: fixture }));
server.listen(Number(process.env.IPTC_PORT), '127.0.0.1');
