/**
 * One connection and its calls, in both roles. What a message means and what may be sent, the tables say:
 * call.json and connection.json (PROTOCOL.md, section 21). Here stands only what follows from their answers.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { inspect } from 'node:util';
import { ACKS, CALL, CONNECTION, Frames, LIMITS, frame, read } from './wire.js';

const named = (name) => class extends Error { name = name; };
export const ProtocolError = named('ProtocolError'); // by the other side: the call paid for it
export const ContextCancelled = named('ContextCancelled');
export const Disconnected = named('Disconnected'); // the connection has ended before the call
const StreamOverrun = named('StreamOverrun');

const remote = ({ type_str, tb_str }) => Object.assign(new Error(tb_str), { name: type_str });

/** The terminal of a call that has failed, whatever was raised. */
function failure(error) {
  const [name, text] = error instanceof Error ? [error.name, error.message] : ['Error', inspect(error)];
  const plain = (raised) => String(raised).slice(0, 65536).toWellFormed();
  const type_str = name === 'StreamOverrun' ? 'Overrun' : plain(name) || 'Error'; // ERR-05s
  return ['FAIL', { error: { type_str, tb_str: plain(text) } }];
}

/** A promise that is settled from outside. If nobody waits for one that fails, no process ends of it. */
function deferred() {
  let settle;
  const promise = new Promise((resolve, reject) => { settle = { resolve, reject }; });
  promise.catch(() => {});
  return Object.assign(promise, settle);
}

/** Wakes all who wait. */
class Bell {
  #waiting = [];
  rung = () => new Promise((wake) => this.#waiting.push(wake));
  ring = () => this.#waiting.splice(0).forEach((wake) => wake());
}

/** One call, for its callee's function or its caller's application. Iterates over the other side's items. */
class Call {
  state = CALL.initial;
  first = deferred(); // at its caller: the value of STARTED
  ended = deferred(); // at its caller: the outcome; at its callee, it fails when the function has to end
  abort = new AbortController(); // which its signal tells too
  used = false; // whether a stream was
  #changed = new Bell();
  #held = [];
  #bytes = 0;
  #end = null;
  #stalled = false;
  #lost = false;

  constructor(connection, cid, opener) {
    Object.assign(this, { connection, cid, opener, signal: this.abort.signal });
  }

  get live() {
    return CALL.states[this.state].live;
  }

  started = (value) => this.connection.send(this, 'STARTED', { started: value });
  end = () => this.connection.send(this, 'END', { stop: true });
  [Symbol.asyncIterator] = () => this;

  /** Sends an item. False where our half is closed. */
  async send(value) {
    this.used = true;
    await this.connection.flow();
    this.signal.throwIfAborted();
    return this.connection.send(this, 'ITEM', { yield: value });
  }

  /** It has to end: its function is interrupted, or its application gets the error. */
  fail(error) {
    this.close(error);
    this.abort.abort(error);
    this.first.reject(error);
    this.ended.reject(error);
  }

  // ---- The items that wait for their consumer: bounded, and never lost silently (section 15)

  async next() {
    this.used = true;
    while (!this.#held.length) {
      if (this.#lost) throw new StreamOverrun('items were lost');
      if (this.#end?.error) throw this.#end.error;
      if (this.#end) return { done: true };
      await this.#changed.rung();
    }
    const { value, size } = this.#held.shift();
    this.#bytes -= size;
    this.#stalled = false;
    this.#changed.ring();
    return { value, done: false };
  }

  /** Takes an item in. False the first time that one is dropped: then OVERRUN is due (FLW-02s). */
  put(value, size) {
    if (this.#end || this.#lost) return true;
    this.#lost = this.#stalled;
    if (this.#lost) return false;
    this.#held.push({ value, size });
    this.#bytes += size;
    this.#changed.ring();
    return true;
  }

  /** No more items come: the consumer gets those that are held, then the end or the error. */
  close(error = null) {
    this.#end ??= { error };
    this.#changed.ring();
  }

  /** Whether reading has to pause: there is no room, and the consumer may still take something (FLW-09r). */
  get crowded() {
    const full = this.#held.length >= LIMITS.held_items || this.#bytes >= LIMITS.held_bytes;
    return full && !this.#end && !this.#lost && !this.#stalled;
  }

  /** Waits for room, but not once nothing has been taken for `stall_seconds` (FLW-06r). */
  async room() {
    while (this.crowded) {
      const timer = setTimeout(() => this.#changed.ring((this.#stalled = true)), LIMITS.stall_seconds * 1000);
      await this.#changed.rung();
      clearTimeout(timer);
    }
  }
}

const MOST_UNSENT = 4 * LIMITS.frame_bytes; // a side that reads nothing while it is owed so much is lost

export class Connection {
  #ours = CONNECTION.initial;
  #theirs = CONNECTION.initial;
  #calls = new Map();
  #finished = new Map();
  #serving = { calls: 0, cancels: 0 };
  #farewell = null;
  #writable = new Bell();
  #uid = ['node', randomUUID()];

  /**
   * Calls may be opened at once. `namespaces` hold what is exported: `{kind, args, run}`. `args` has a
   * default for each argument, undefined if it is required. `run(args, call)` gives a promise, or items.
   */
  constructor(socket, namespaces = {}) {
    this.socket = socket.setNoDelay().on('error', () => {});
    for (const event of ['drain', 'close']) socket.on(event, this.#writable.ring);
    const cancelTask = { kind: 'asyncfunc', args: { cid: undefined }, run: this.#cancelTask };
    this.namespaces = { ...namespaces, self: { _cancel_task: cancelTask } };
    this.#say('HELLO', this.#uid);
    setTimeout(() => this.peer || this.#close(), LIMITS.hello_seconds * 1000).unref(); // HSK-05r
    this.over = this.#run().catch(() => {}).finally(() => this.#close()); // a Fault, or a broken transport
  }

  async #run() {
    const frames = new Frames();
    for await (const chunk of this.socket.iterator({ destroyOnReturn: false })) {
      for (const body of frames.cut(chunk)) {
        const call = this.#receive(read(body), body.length);
        if (call?.crowded) await call.room();
        if (this.#ours === 'gone') return;
      }
    }
  }

  // ---- Receiving (section 21.4)

  #receive(message, size) {
    const cell = CONNECTION.cells[this.#theirs][message.event];
    if (cell.violates) return this.#close();
    this.#theirs = cell.next;
    if (message.event === 'HELLO') this.peer = message.body;
    if (cell.calls === 'all-over') return this.#close();
    if (cell.calls === 'served-over') return this.#goodbye();
    if (cell.call === 'malformed' && message.opens) this.#step('OPEN', message);
    if (cell.call && this.#ours !== 'gone') return this.#step(message.kind ?? 'MALFORMED', message, size);
  }

  /** Gives the call that the message was for, if there is one. */
  #step(event, message, size) {
    const { cid } = message;
    const known = this.#calls.get(cid) ?? this.#finished.get(cid);
    const sender = known?.opener === 'us' ? 'callee' : 'caller';
    const cell = CALL.cells[known?.state ?? CALL.initial][sender][event];
    if (cell.reaction === 'close') return this.#close();
    const call = event === 'OPEN' ? new Call(this, cid, 'them') : known;
    if (!call) return; // CID-04r
    this.#move(call, cell.next);
    if (cell.reaction === 'fail-call') this.#giveUp(call, message.clause ?? cell.violates);
    else if (!cell.violates && !cell.ignore) this.#take(call, event, message, size);
    return call;
  }

  #move(call, next = call.state) {
    call.state = next;
    this.#calls.delete(call.cid);
    this.#finished.delete(call.cid);
    (call.live ? this.#calls : this.#finished).set(call.cid, call);
    const [oldest] = this.#finished.keys();
    if (this.#finished.size > LIMITS.finished_calls) this.#finished.delete(oldest);
  }

  /** A legal message takes effect. */
  #take(call, event, message, size) {
    const { value, error } = message;
    if (event === 'OPEN') call.served = this.#serve(call, message);
    if (event.startsWith('ACK_') && event !== call.expected) this.#giveUp(call, `it is no ${call.expected}`);
    if (event === 'STARTED') call.first.resolve(value);
    if (event === 'ITEM' && !call.put(value, size)) this.send(call, 'OVERRUN', { error: OVERRUN });
    if (event === 'END') call.close();
    if (event === 'FAIL') call.fail(remote(error)); // the caller's interrupts the function (ERR-07r)
    if (call.live || call.opener === 'them') return;
    call.close();
    call.ended.resolve(value);
    if (event !== 'RESULT' || !call.target?.live) return;
    call.target.fail(new ContextCancelled()); // its terminal may never come (CXL-02r)
    this.#move(call.target, 'draining');
  }

  /** The reaction `fail-call`: a callee's function answers for itself. */
  #giveUp(call, why) {
    call.fail(new ProtocolError(why));
    if (call.opener === 'us') this.cancel(call);
  }

  // ---- Sending

  #say(event, message) {
    const bytes = frame(message);
    if (this.#ours === 'gone') return;
    this.#ours = CONNECTION.cells[this.#ours][event].next;
    this.socket.write(bytes);
    if (this.socket.writableLength > MOST_UNSENT) this.#close();
  }

  /** Sends where the tables have a legal move, else false. What cannot be encoded throws, unsent. */
  send(call, event, body) {
    const cell = CALL.cells[call.state][call.opener === 'us' ? 'caller' : 'callee'][event];
    if (cell.violates || cell.ignore || CONNECTION.cells[this.#ours].CALL.violates) return false;
    this.#say('CALL', event === 'OPEN' ? body : { ...body, cid: call.cid });
    this.#move(call, cell.next);
    return true;
  }

  /** Lets others have their turn, and waits until the other side reads what we write. */
  async flow() {
    await turn();
    while (this.socket.writableNeedDrain && this.#ours !== 'gone') await this.#writable.rung();
  }

  // ---- As callee

  /** From OPEN to terminal. What has failed or cancelled the call by then decides its terminal. */
  async #serve(call, { ns, func, kwargs, uid }) {
    if (this.#ours === 'left') return this.#move(call, 'done'); // it has crossed our GOODBYE
    const counted = ns === 'self' ? 'cancels' : 'calls';
    const tooMany = ++this.#serving[counted] > LIMITS.open_calls; // OPN-12r
    let last;
    try {
      await turn();
      call.signal.throwIfAborted(); // it was malformed
      if (tooMany) throw new RangeError('too many open calls');
      if (uid.some((part, i) => part !== this.peer[i])) throw new ProtocolError('OPN-08s');
      const { kind, run, args } = this.#find(ns, func, kwargs);
      this.send(call, ACKS.get(kind), { functype: kind });
      await turn();
      call.signal.throwIfAborted();
      const running = run(args, call);
      if (kind === 'asyncgen') for await (const value of running) await call.send(value);
      last = kind === 'asyncgen' ? ['END', { stop: true }] : ['RESULT', { return: await running }];
      if (kind === 'context' && call.used) call.end(); // STR-07s
    } catch (error) {
      last = failure(error);
    }
    await this.flow();
    if (call.signal.aborted) last = failure(call.signal.reason);
    try {
      if (!this.send(call, ...last)) this.send(call, ...failure(new Error('it has not started'))); // CTX-01s
    } catch (error) {
      this.send(call, ...failure(error)); // TRM-05s
    }
    this.#serving[counted]--;
  }

  #find(ns, func, kwargs) {
    const known = Object.hasOwn(this.namespaces, ns) && Object.hasOwn(this.namespaces[ns], func);
    if (!known) throw new ReferenceError(`${ns} has no function ${func}`);
    const { kind, args, run } = this.namespaces[ns][func];
    const given = { ...args, ...kwargs };
    const unknown = Object.keys(given).length > Object.keys(args).length;
    const missing = Object.values(given).includes(undefined);
    if (unknown || missing) throw new TypeError(`it takes ${Object.keys(args)}`);
    return { kind, run, args: given };
  }

  /** `self._cancel_task` (section 13): answers when its target, of the same side, has had its terminal. */
  #cancelTask = async ({ cid }, call) => {
    const target = this.#calls.get(cid);
    if (target?.opener !== 'them' || target === call) return false;
    target.fail(new ContextCancelled());
    await Promise.race([target.served, call.ended]);
    return target.signal.reason instanceof ContextCancelled;
  };

  // ---- As caller

  get #leaving() {
    return this.#farewell || this.#theirs === 'left' || this.#ours === 'gone';
  }

  /** Opens a call of a function of that kind. */
  open(ns, func, kwargs, kind) {
    if (this.#leaving) throw new Disconnected(); // DSC-06s
    if (this.#calls.size >= 2 * LIMITS.open_calls) throw new RangeError('too many open calls');
    const call = new Call(this, randomUUID(), 'us');
    call.expected = ACKS.get(kind);
    this.send(call, 'OPEN', { cmd: [ns, func, kwargs, this.#uid, call.cid] });
    return call;
  }

  /** Asks the callee to end a call, of which `ended` tells when it has. Once only, and never too late. */
  cancel(target) {
    if (!target.live || target.cancelling || this.#leaving) return;
    target.cancelling = true;
    target.close(new ContextCancelled());
    const call = this.open('self', '_cancel_task', { cid: target.cid }, 'asyncfunc');
    call.target = target;
    const lost = () => target.fail(new ContextCancelled('the cancel was not answered'));
    call.ended.catch(lost);
    setTimeout(lost, LIMITS.cancel_seconds * 1000).unref();
  }

  // ---- The end (section 16)

  #openedBy(side) {
    return [...this.#calls.values()].filter((call) => call.opener === side);
  }

  /** Cancels what is open in both directions, says GOODBYE, and waits for the other side's. */
  async leave() {
    const calls = this.#openedBy('us');
    for (const call of calls) this.cancel(call);
    await Promise.allSettled(calls.map((call) => call.ended));
    await this.#sayGoodbye();
    await Promise.race([this.over, sleep(LIMITS.goodbye_seconds * 1000, null, { ref: false })]);
    this.#close();
  }

  /** GOODBYE has come: what its sender served is over, what it opened is cancelled. Then we leave too. */
  #goodbye() {
    for (const call of this.#openedBy('us')) {
      call.fail(new Disconnected());
      if (call.state !== 'requested' && call.state !== 'failed') return this.#close(); // DSC-02s
      this.#move(call, 'done');
    }
    this.#sayGoodbye().then(() => this.#close());
  }

  #sayGoodbye() {
    this.#farewell ??= (async () => {
      for (let calls; this.#ours === 'talking' && (calls = this.#openedBy('them')).length; ) {
        for (const call of calls) call.fail(new ContextCancelled());
        await Promise.all(calls.map((call) => call.served));
      }
      if (this.#ours === 'talking') this.#say('GOODBYE', null);
    })();
    return this.#farewell;
  }

  /** The end of the connection, whoever's doing: what is pending fails, what is served is cancelled. */
  #close() {
    if (this.#ours === 'gone') return;
    this.#ours = 'gone';
    for (const call of this.#calls.values()) call.fail(new Disconnected());
    this.socket.destroySoon();
    setTimeout(() => this.socket.destroy(), LIMITS.goodbye_seconds * 1000).unref();
  }
}

const OVERRUN = { type_str: 'StreamOverrun', tb_str: '' };
