/**
 * One connection: both its halves, and its calls in both roles. What a message means and what may be sent is asked of the tables
 * spec/v1/call.json and connection.json, on receiving (section 21.4) and on sending. Here stands only what follows from it.
 */
import { randomUUID } from 'node:crypto';
import { createConnection } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { Inbox } from './inbox.js';
import { CALL, CONNECTION, LIMITS, frame, frames, read } from './wire.js';

const named = (name) => class extends Error { name = name; };
/** The other side has broken a rule, and the call paid for it. */
export const ProtocolError = named('ProtocolError');
export const ContextCancelled = named('ContextCancelled');
/** The connection ended before the call did. */
export const Disconnected = named('Disconnected');

/** What the other side raised. */
export class RemoteError extends Error {
  constructor({ type_str, tb_str }) {
    super(tb_str);
    this.name = type_str;
  }
}

/** How functions are exported: with the names of their arguments, the values of those that may be left out, and the function. */
const exporter = (kind) => (required, optional, run) => ({ kind, required, optional, run });
export const unary = exporter('asyncfunc');
export const generator = exporter('asyncgen');
export const context = exporter('context');

function fit({ required, optional }, kwargs) {
  const missing = required.find((name) => !(name in kwargs));
  const unknown = Object.keys(kwargs).find((name) => !required.includes(name) && !Object.hasOwn(optional, name));
  if (missing ?? unknown) throw new TypeError(missing ? `${missing} is missing` : `there is no argument ${unknown}`);
  return { ...optional, ...kwargs };
}

const cancelling = ({ ns, func }) => ns === 'self' && func === '_cancel_task';

/** `StreamOverrun` would be taken for a notice (ERR-05s). */
function errorBody(error) {
  const name = String(error?.name || 'Error');
  return { type_str: name === 'StreamOverrun' ? 'OverrunError' : name, tb_str: String(error?.message ?? error) };
}

const failure = (error, cid) => ['FAIL', { error: errorBody(error), cid }];

/** One call, at either of its ends. */
class Call {
  state = CALL.initial;
  kind = null;
  inbox = new Inbox();
  #controller = new AbortController();

  constructor(cid, opener) {
    this.cid = cid;
    this.opener = opener; // 'us' or 'them'
    this.started = new Promise((resolve) => { this.start = resolve; });
    /** At its caller: the value or error that it ended with. At its callee: that the terminal has been sent. */
    this.ended = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
    this.ended.catch(() => {});
  }

  get live() {
    return CALL.states[this.state].live;
  }

  /** At the callee: aborted when the function is to end. */
  get signal() {
    return this.#controller.signal;
  }

  abort(reason) {
    this.#controller.abort(reason);
    this.inbox.abandon(this.signal.reason);
  }

  /** At the caller: it has failed. */
  fail(error) {
    this.inbox.close(error);
    this.reject(error);
  }
}

export class Connection {
  #ours = CONNECTION.initial;
  #theirs = CONNECTION.initial;
  #calls = new Map();
  #finished = new Map();
  #leaving = null;
  #prefix = randomUUID();
  #counter = 0;

  /** @param {import('node:net').Socket} socket @param {{name?: string, namespaces?: Record<string, Record<string, object>>}} options */
  constructor(socket, { name = 'node', namespaces = {} } = {}) {
    this.socket = socket.setNoDelay();
    this.uid = [name, randomUUID()];
    const self = { _cancel_task: unary(['cid'], {}, ({ cid }, call) => this.#cancelTask(cid, call)) };
    this.namespaces = { ...namespaces, self };
    /** Resolves when the connection is over, and never rejects. */
    this.over = this.#run();
  }

  /** @returns {Promise<Connection>} */
  static connect(port, host, options) {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ port, host });
      socket.once('error', reject).once('connect', () => resolve(new Connection(socket.off('error', reject), options)));
    });
  }

  async #run() {
    this.socket.on('error', () => {});
    this.#say('HELLO', this.uid);
    const impatience = setTimeout(() => this.#close(), LIMITS.hello_seconds * 1000);
    try {
      for await (const body of frames(this.socket.iterator({ destroyOnReturn: false }))) {
        const room = this.#receive(read(body), body.length + 4);
        if (this.#theirs !== CONNECTION.initial) clearTimeout(impatience);
        if (this.#ours === 'gone') break;
        await room;
      }
    } catch {
      // a refused length or a lost connection: nothing more can be read
    }
    clearTimeout(impatience);
    this.#close();
  }

  // Receiving: section 21.4.

  #receive(message, size) {
    const cell = CONNECTION.cells[this.#theirs][message.event];
    if (cell.violates) return this.#close();
    this.#theirs = cell.next;
    if (message.event === 'HELLO') this.peer = message.uid;
    if (cell.calls === 'all-over') return this.#close();
    if (cell.calls === 'served-over') return this.#goodbye();
    if (cell.call === 'malformed') return this.#malformed(message);
    if (cell.call === 'message') return this.#step(message.cid, message.kind, message, size);
  }

  #malformed({ cid, opens }) {
    if (opens && this.#step(cid, 'OPEN') === false) return;
    this.#step(cid, 'MALFORMED');
  }

  /** False if the message was a violation; else a promise where reading has to wait. */
  #step(cid, event, message, size) {
    let call = this.#calls.get(cid) ?? this.#finished.get(cid) ?? new Call(cid, 'them');
    const cell = CALL.cells[call.state][call.opener === 'us' ? 'callee' : 'caller'][event];
    if (cell.reaction === 'close') return void this.#close() ?? false;
    if (event === 'OPEN') call = new Call(cid, 'them');
    this.#move(call, cell.next);
    if (cell.violates) {
      if (cell.reaction === 'fail-call') this.#giveUp(call, `${event} in ${call.state}`);
      return false;
    }
    if (!cell.ignore && message) return call.opener === 'us' ? this.#answered(call, event, message, size) : this.#asked(call, event, message, size);
  }

  #move(call, next = call.state) {
    if (next === 'idle') return;
    call.state = next;
    this.#calls.delete(call.cid);
    this.#finished.delete(call.cid);
    (call.live ? this.#calls : this.#finished).set(call.cid, call);
    if (this.#finished.size > LIMITS.finished_calls) this.#finished.delete(this.#finished.keys().next().value);
  }

  /** As callee. */
  #asked(call, event, message, size) {
    if (event === 'OPEN') this.#open(call, message);
    if (event === 'ITEM') return this.#item(call, message.value, size);
    if (event === 'END') call.inbox.close();
    if (event === 'FAIL') call.abort(new RemoteError(message.error));
  }

  /** As caller. */
  #answered(call, event, message, size) {
    if (event.startsWith('ACK_')) {
      call.kind = message.kind.slice(4).toLowerCase();
      if (call.kind !== call.expected) this.#giveUp(call, `${call.kind} where ${call.expected} was called`);
    }
    if (event === 'STARTED') call.start(message.value);
    if (event === 'ITEM') return this.#item(call, message.value, size);
    if (event === 'FAIL') call.fail(new RemoteError(message.error));
    if (event === 'END') call.inbox.close();
    if (event === 'RESULT' || !call.live) call.inbox.close() ?? call.resolve(message.value);
    if (event === 'RESULT' && call.target) this.#targetOver(call.target);
  }

  #item(call, value, size) {
    if (!call.inbox.put(value, size)) this.#send(call, 'OVERRUN', { error: { type_str: 'StreamOverrun', tb_str: '' }, cid: call.cid });
    return call.inbox.room();
  }

  /** The answer of our CANCEL ends its target, whether or not the target's terminal has come (CXL-02r). */
  #targetOver(target) {
    if (!target.live) return;
    target.fail(new ContextCancelled());
    this.#calls.delete(target.cid);
    target.state = 'failed';
    this.#finished.set(target.cid, target); // a late terminal is then still known to be one
  }

  /** The reaction `fail-call`. */
  #giveUp(call, why) {
    if (call.opener === 'us') {
      call.fail(new ProtocolError(why));
      if (call.live) this.cancel(call);
    } else if (call.running) call.abort(new ProtocolError(why));
    else this.#send(call, ...failure(new ProtocolError(why), call.cid));
  }

  // Sending.

  #write(bytes) {
    if (this.#ours !== 'gone') this.socket.write(bytes);
  }

  #say(event, message) {
    this.#write(frame(message));
    this.#ours = CONNECTION.cells[this.#ours][event].next;
  }

  /** Sends where the table has a legal move, else false. Throws, with nothing sent or changed, if the message cannot be encoded. */
  #send(call, event, message) {
    const cell = CALL.cells[call.state][call.opener === 'us' ? 'caller' : 'callee'][event];
    if (cell.violates || cell.ignore || CONNECTION.cells[this.#ours].CALL.violates) return false;
    this.#write(frame(message));
    this.#move(call, cell.next);
    return true;
  }

  /** Waits until the other side reads what we write, and lets others have their turn. */
  async #flow() {
    await turn();
    while (this.socket.writableNeedDrain && this.#ours !== 'gone') {
      await new Promise((resolve) => this.socket.once('drain', resolve).once('close', resolve));
    }
  }

  /** Sends an item of our half. False if the half is closed or the call is over. */
  async item(call, value) {
    await this.#flow();
    return this.#send(call, 'ITEM', { yield: value, cid: call.cid });
  }

  /** Closes our half. */
  end(call) {
    return this.#send(call, 'END', { stop: true, cid: call.cid });
  }

  // As callee.

  #served() {
    return [...this.#calls.values()].filter((call) => call.opener === 'them');
  }

  #open(call, message) {
    if (this.#ours === 'left') return this.#move(call, 'done'); // it has crossed our GOODBYE
    call.cancels = cancelling(message);
    if (message.uid.some((part, i) => part !== this.peer[i])) return this.#move(call, 'failed') ?? this.#giveUp(call, 'OPN-08s');
    call.running = true;
    this.#serve(call, message).finally(call.resolve);
  }

  async #serve(call, message) {
    let answer;
    try {
      answer = await this.#perform(call, message);
    } catch (error) {
      answer = failure(error, call.cid);
    }
    if (call.signal.aborted) answer = failure(call.signal.reason, call.cid); // however the function took it
    call.cancelled = call.signal.reason instanceof ContextCancelled;
    await this.#flow();
    if (call.state === 'failed') answer = failure(call.signal.reason, call.cid);
    try {
      if (this.#send(call, ...answer)) return;
      answer = failure(new Error('the function returned before it had started'), call.cid);
    } catch (error) {
      answer = failure(error, call.cid);
    }
    this.#send(call, ...answer);
  }

  async #perform(call, { ns, func, kwargs }) {
    const { cid } = call;
    if (this.#served().filter((other) => other.cancels === call.cancels).length > LIMITS.open_calls) throw new RangeError('too many open calls');
    if (!Object.hasOwn(this.namespaces, ns) || !Object.hasOwn(this.namespaces[ns], func)) throw new ReferenceError(`${ns} has no function ${func}`);
    const target = this.namespaces[ns][func];
    const args = fit(target, kwargs);
    this.#send(call, `ACK_${target.kind.toUpperCase()}`, { functype: target.kind, cid });
    await turn();
    call.signal.throwIfAborted();
    if (target.kind === 'asyncfunc') return ['RESULT', { return: await target.run(args, call), cid }];
    if (target.kind === 'asyncgen') {
      for await (const value of target.run(args, call)) {
        await this.item(call, value);
        call.signal.throwIfAborted();
      }
      return ['END', { stop: true, cid }];
    }
    let used = false; // callers read a stream that is in use to its END (STR-07s)
    const value = await target.run(args, {
      signal: call.signal,
      started: (first) => this.#send(call, 'STARTED', { started: first, cid }),
      send: async (item) => {
        used = true;
        const sent = await this.item(call, item);
        call.signal.throwIfAborted();
        return sent;
      },
      receive: () => {
        used = true;
        return call.inbox.take();
      },
      end: () => this.end(call),
    });
    if (used) this.end(call);
    return ['RESULT', { return: value, cid }];
  }

  /** `self._cancel_task`: ends a call of this connection's other side, and waits for its terminal. True if the cancel ended it. */
  async #cancelTask(cid, { signal, cid: own }) {
    const target = this.#calls.get(cid);
    if (target?.opener !== 'them' || !target.running || cid === own) return false;
    target.abort(new ContextCancelled());
    const interrupted = new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    await Promise.race([target.ended, interrupted]);
    return target.cancelled;
  }

  // As caller.

  /** Opens a call. `ended` of what it returns settles with its outcome; the items are in `inbox`, the first value in `started`. */
  open(ns, func, kwargs, expected) {
    const call = new Call(`${this.#prefix}-${this.#counter++}`, 'us');
    call.expected = expected;
    if (this.#leaving || this.#theirs === 'left') throw new Disconnected('the connection is being closed');
    if (this.#calls.size > LIMITS.open_calls) throw new RangeError('too many open calls');
    if (!this.#send(call, 'OPEN', { cmd: [ns, func, kwargs, this.uid, call.cid] })) throw new Disconnected();
    return call;
  }

  /** Asks the callee to end a call, once. `ended` of the call tells when it has. */
  cancel(target) {
    if (!target.live || target.cancelling || this.#theirs === 'left') return;
    target.cancelling = true;
    target.inbox.abandon(new ContextCancelled());
    const lost = () => target.live && target.fail(new ContextCancelled('the cancel was not answered'));
    const impatience = setTimeout(lost, LIMITS.cancel_seconds * 1000);
    target.ended.catch(() => {}).then(() => clearTimeout(impatience));
    try {
      const call = this.open('self', '_cancel_task', { cid: target.cid }, 'asyncfunc');
      call.target = target;
      call.ended.catch(lost);
    } catch {
      // the connection is closing: that ends the target too
    }
  }

  // The end: section 16.

  /** Cancels what is open in both directions, says GOODBYE, and waits for the other side's. */
  async leave() {
    const calls = [...this.#calls.values()].filter((call) => call.opener === 'us');
    for (const call of calls) this.cancel(call);
    await Promise.allSettled(calls.map((call) => call.ended));
    await this.#farewell();
    const impatience = setTimeout(() => this.#close(), LIMITS.goodbye_seconds * 1000);
    await this.over;
    clearTimeout(impatience);
  }

  /** GOODBYE has come: the calls that its sender serves are over, those that it opened are cancelled and answered. */
  #goodbye() {
    const mine = [...this.#calls.values()].filter((call) => call.opener === 'us');
    for (const call of mine) call.fail(new Disconnected());
    if (mine.some((call) => call.state !== 'requested')) return this.#close(); // DSC-02s
    for (const call of mine) this.#move(call, 'done');
    this.#farewell().then(() => this.#close());
  }

  #farewell() {
    this.#leaving ??= (async () => {
      for (let served; (served = this.#served()).length && this.#ours === 'talking'; ) {
        for (const call of served) call.abort(new ContextCancelled());
        await Promise.all(served.map((call) => call.ended));
      }
      if (this.#ours === 'talking') this.#say('GOODBYE', null);
    })();
    return this.#leaving;
  }

  /** The end of the connection, whoever's doing: what is served is cancelled, what is pending fails. */
  #close() {
    if (this.#ours === 'gone') return;
    this.#ours = 'gone';
    for (const call of this.#calls.values()) {
      if (call.opener === 'us') call.fail(new Disconnected());
      else call.abort(new Disconnected());
    }
    this.socket.destroySoon();
    setTimeout(() => this.socket.destroy(), LIMITS.goodbye_seconds * 1000).unref();
  }
}
