/** Functions as they are exported, and how one of each kind is run. */
import { setImmediate as turn } from 'node:timers/promises';

/** The names of the arguments, the values of those that may be left out, and the function itself. */
const exporter = (kind) => (required, optional, run) => ({ kind, required, optional, run });
/** `run(args, {signal})` gives a promise. */
export const unary = exporter('asyncfunc');
/** `run(args, {signal})` gives an async iterable. */
export const generator = exporter('asyncgen');
/** `run(args, {signal, started, send, receive, end})` gives a promise. */
export const context = exporter('context');

/** @throws {ReferenceError} if there is no such function @throws {TypeError} if the arguments do not fit */
export function find(namespaces, { ns, func, kwargs }) {
  if (!Object.hasOwn(namespaces, ns) || !Object.hasOwn(namespaces[ns], func)) throw new ReferenceError(`${ns} has no function ${func}`);
  const { kind, required, optional, run } = namespaces[ns][func];
  const missing = required.find((name) => !(name in kwargs));
  if (missing !== undefined) throw new TypeError(`${missing} is missing`);
  const unknown = Object.keys(kwargs).find((name) => !required.includes(name) && !Object.hasOwn(optional, name));
  if (unknown !== undefined) throw new TypeError(`there is no argument ${unknown}`);
  return { kind, start: (session) => run({ ...optional, ...kwargs }, session) };
}

/**
 * Runs what `find` gave, and returns its terminal. `connection` sends items, STARTED and END of the call.
 * @returns {Promise<[string, object]>}
 */
export async function perform({ kind, start }, call, connection) {
  const { cid, signal } = call;
  await turn();
  signal.throwIfAborted();
  if (kind === 'asyncfunc') return ['RESULT', { return: await start(call), cid }];
  if (kind === 'asyncgen') {
    for await (const value of start(call)) {
      await connection.item(call, value);
      signal.throwIfAborted(); // leaving the loop closes the generator, its finally blocks included
    }
    return ['END', { stop: true, cid }];
  }
  let used = false;
  const use = (result) => (used = true) && result;
  const value = await start({
    signal,
    started: (first) => connection.started(call, first),
    /** False where the half is closed. */
    send: async (item) => {
      const sent = use(await connection.item(call, item));
      signal.throwIfAborted();
      return sent;
    },
    receive: () => use(call.inbox.take()),
    end: () => connection.end(call),
  });
  if (used) connection.end(call); // callers read a stream that was in use to its END (STR-07s)
  return ['RESULT', { return: value, cid }];
}
