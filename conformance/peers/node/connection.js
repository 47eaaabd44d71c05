/**
 * One connection: both its halves, and its calls in both roles. What a message means and what may be sent is asked of the tables
 * spec/v1/call.json and connection.json (PROTOCOL.md, section 21). Here stands only what follows from their answers.
 */
import { randomUUID } from 'node:crypto';
import { createConnection } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { Call, ContextCancelled, Disconnected, ProtocolError, RemoteError, failure } from './call.js';
import { find, perform, unary } from './functions.js';
import { Bell } from './inbox.js';
import { CALL, CONNECTION, LIMITS } from './spec.js';
import { Frames, frame, read } from './wire.js';

const OVERRUN = { type_str: 'StreamOverrun', tb_str: '' };
const MOST_UNSENT = 4 * LIMITS.frame_bytes; // a side that reads nothing while it is owed so much is lost

export class Connection {
  #ours = CONNECTION.initial;
  #theirs = CONNECTION.initial;
  #calls = new Map();
  #finished = new Map();
  #serving = { calls: 0, cancels: 0 };
  #farewell = null;
  #writable = new Bell();
  #prefix = randomUUID();
  #counter = 0;

  /** @param {import('node:net').Socket} socket @param {{name?: string, namespaces?: Record<string, Record<string, object>>}} options */
  constructor(socket, { name = 'node', namespaces = {} } = {}) {
    this.socket = socket.setNoDelay().on('error', () => {});
    for (const event of ['drain', 'close']) socket.on(event, () => this.#writable.ring());
    this.uid = [name, randomUUID()];
    this.namespaces = { ...namespaces, self: { _cancel_task: unary(['cid'], {}, ({ cid }, call) => this.#cancelTask(cid, call)) } };
    /** Resolves when the connection is over, and never rejects. */
    this.over = this.#run();
  }

  /** Its calls may be opened at once: a connection that cannot be made is one that has ended. */
  static connect(port, host, options) {
    return new Connection(createConnection({ port, host }), options);
  }

  async #run() {
    this.#say('HELLO', this.uid);
    const impatience = setTimeout(() => this.#close(), LIMITS.hello_seconds * 1000);
    const frames = new Frames();
    try {
      for await (const chunk of this.socket.iterator({ destroyOnReturn: false })) {
        for (const body of frames.cut(chunk)) {
          const room = this.#receive(read(body), body.length);
          if (room) await room;
          if (this.#ours === 'gone') return;
        }
        if (this.peer) clearTimeout(impatience);
      }
    } catch {
      // a refused length or a broken transport: nothing more can be read
    } finally {
      clearTimeout(impatience);
      this.#close();
    }
  }

  // ---- Receiving (section 21.4). What returns a promise makes reading wait for it.

  #receive(message, size) {
    const cell = CONNECTION.cells[this.#theirs][message.event];
    if (cell.violates) return this.#close();
    this.#theirs = cell.next;
    if (message.event === 'HELLO') this.peer = message.uid;
    if (cell.calls === 'all-over') return this.#close();
    if (cell.calls === 'served-over') return this.#goodbye();
    if (cell.call === 'malformed' && message.opens) this.#step(message.cid, 'OPEN', message);
    if (cell.call && this.#ours !== 'gone') return this.#step(message.cid, message.kind ?? 'MALFORMED', message, size);
  }

  #step(cid, event, message, size) {
    const known = this.#calls.get(cid) ?? this.#finished.get(cid);
    const cell = CALL.cells[known?.state ?? CALL.initial][known?.opener === 'us' ? 'callee' : 'caller'][event];
    if (cell.reaction === 'close') return this.#close();
    const call = event === 'OPEN' ? new Call(cid, 'them') : known;
    if (!call) return; // a message of a cid that is not open
    this.#move(call, cell.next);
    if (cell.reaction === 'fail-call') return this.#giveUp(call, message.clause ?? cell.violates);
    if (!cell.violates && !cell.ignore) return this.#take(call, message, size);
  }

  #move(call, next = call.state) {
    call.state = next;
    this.#calls.delete(call.cid);
    this.#finished.delete(call.cid);
    (call.live ? this.#calls : this.#finished).set(call.cid, call);
    if (this.#finished.size > LIMITS.finished_calls) this.#finished.delete(this.#finished.keys().next().value);
  }

  /** A legal message takes effect. (A malformed OPEN has none.) */
  #take(call, message, size) {
    if (message.kind === 'ITEM') {
      if (!call.inbox.put(message.value, size)) this.#send(call, 'OVERRUN', { error: OVERRUN, cid: call.cid });
      return call.inbox.room; // null, or a promise
    }
    if (message.kind === 'END') call.inbox.close();
    if (call.opener === 'us') this.#answered(call, message);
    else if (message.kind === 'OPEN') this.#opened(call, message);
    else if (message.kind === 'FAIL') call.abort(new RemoteError(message.error)); // the function is interrupted (ERR-07r)
  }

  /** The reaction `fail-call`. */
  #giveUp(call, why) {
    const error = new ProtocolError(why);
    if (call.opener === 'us') {
      call.fail(error);
      this.cancel(call);
    } else if (call.running) call.abort(error);
    else this.#send(call, ...failure(error, call.cid));
  }

  // ---- Sending

  #write(message) {
    const bytes = frame(message);
    if (this.#ours !== 'gone') this.socket.write(bytes);
    if (this.socket.writableLength > MOST_UNSENT) this.#close();
  }

  #say(event, message) {
    this.#write(message);
    this.#ours = CONNECTION.cells[this.#ours][event].next;
  }

  /** Sends where the tables have a legal move; else false. What cannot be encoded throws, and nothing is sent or changed. */
  #send(call, event, message) {
    const cell = CALL.cells[call.state][call.opener === 'us' ? 'caller' : 'callee'][event];
    if (cell.violates || cell.ignore || CONNECTION.cells[this.#ours].CALL.violates) return false;
    this.#write(message);
    this.#move(call, cell.next);
    return true;
  }

  /** Lets others have their turn, and waits until the other side reads what we write. */
  async #flow() {
    await turn();
    while (this.socket.writableNeedDrain && this.#ours !== 'gone') await this.#writable.wait();
  }

  /** Sends an item in our half. False if the half is closed. */
  async item(call, value) {
    await this.#flow();
    return this.#send(call, 'ITEM', { yield: value, cid: call.cid });
  }

  /** Closes our half. */
  end(call) {
    return this.#send(call, 'END', { stop: true, cid: call.cid });
  }

  started(call, value) {
    return this.#send(call, 'STARTED', { started: value, cid: call.cid });
  }

  // ---- As callee

  #served() {
    return [...this.#calls.values()].filter((call) => call.opener === 'them');
  }

  #opened(call, message) {
    if (this.#ours === 'left') return this.#move(call, 'done'); // it has crossed our GOODBYE
    if (message.uid.some((part, i) => part !== this.peer[i])) {
      this.#move(call, 'failed');
      return this.#giveUp(call, 'OPN-08s');
    }
    call.running = true;
    const counted = message.ns === 'self' ? 'cancels' : 'calls';
    this.#serving[counted]++;
    this.#serve(call, message, this.#serving[counted] > LIMITS.open_calls).finally(() => {
      this.#serving[counted]--;
      call.end();
    });
  }

  /** From OPEN to terminal. */
  async #serve(call, message, tooMany) {
    let answer;
    try {
      if (tooMany) throw new RangeError('too many open calls');
      const found = find(this.namespaces, message);
      this.#send(call, `ACK_${found.kind.toUpperCase()}`, { functype: found.kind, cid: call.cid });
      answer = await perform(found, call, this);
    } catch (error) {
      answer = failure(error, call.cid);
    }
    const interrupted = call.signal.aborted; // then it ends so, however the function took it
    call.cancelled = interrupted && call.signal.reason instanceof ContextCancelled;
    await this.#flow();
    if (interrupted || call.state === 'failed') answer = failure(call.signal.reason, call.cid);
    try {
      if (this.#send(call, ...answer)) return;
      answer = failure(new Error('it has returned before it had started'), call.cid);
    } catch (error) {
      answer = failure(error, call.cid);
    }
    this.#send(call, ...answer);
  }

  /** `self._cancel_task`: ends a call that came on this connection, and waits for its terminal. True if the cancel has ended it. */
  async #cancelTask(cid, { signal, cid: own }) {
    const target = this.#calls.get(cid);
    if (target?.opener !== 'them' || !target.running || cid === own) return false;
    target.abort(new ContextCancelled());
    const interrupted = new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    await Promise.race([target.ended, interrupted]);
    return target.cancelled;
  }

  // ---- As caller

  /** Opens a call of a function of the kind `expected`. What it returns has `started`, `inbox` and `ended`. */
  open(ns, func, kwargs, expected) {
    if (this.#farewell || this.#theirs === 'left') throw new Disconnected('the connection is being closed');
    if (this.#calls.size >= 2 * LIMITS.open_calls) throw new RangeError('too many open calls');
    const call = new Call(`${this.#prefix}-${this.#counter++}`, 'us', expected);
    if (!this.#send(call, 'OPEN', { cmd: [ns, func, kwargs, this.uid, call.cid] })) throw new Disconnected();
    return call;
  }

  #answered(call, { kind, value, error }) {
    if (kind.startsWith('ACK_') && kind !== `ACK_${call.expected.toUpperCase()}`) this.#giveUp(call, `${kind} of an ${call.expected}`);
    if (kind === 'STARTED') call.start(value);
    if (kind === 'FAIL') call.fail(new RemoteError(error));
    if (call.live) return;
    call.inbox.close();
    call.end(value);
    if (kind === 'RESULT' && call.target) this.#targetOver(call.target);
  }

  /** The answer of a CANCEL ends its target, though its terminal may never come (CXL-02r). A late one is still known to be late. */
  #targetOver(target) {
    if (!target.live) return;
    target.fail(new ContextCancelled());
    this.#move(target, 'draining');
  }

  /** Asks the callee to end a call: `ended` of the call tells when it has. Once only, and never too late. */
  cancel(target) {
    if (!target.live || target.cancelling || this.#farewell || this.#theirs === 'left' || this.#ours === 'gone') return;
    target.cancelling = true;
    target.inbox.abandon(new ContextCancelled());
    const lost = () => target.fail(new ContextCancelled('the cancel was not answered'));
    const impatience = setTimeout(lost, LIMITS.cancel_seconds * 1000);
    target.ended.catch(() => {}).finally(() => clearTimeout(impatience));
    const call = this.open('self', '_cancel_task', { cid: target.cid }, 'asyncfunc');
    call.target = target;
    call.ended.catch(lost);
  }

  // ---- The end (section 16)

  /** Cancels what is open in both directions, says GOODBYE, and waits for the other side's. */
  async leave() {
    const calls = [...this.#calls.values()].filter((call) => call.opener === 'us');
    for (const call of calls) this.cancel(call);
    await Promise.allSettled(calls.map((call) => call.ended));
    await this.#sayGoodbye();
    const impatience = setTimeout(() => this.#close(), LIMITS.goodbye_seconds * 1000);
    await this.over;
    clearTimeout(impatience);
  }

  /** GOODBYE has come: what its sender served is over; what it opened is cancelled and answered, then we leave too. */
  #goodbye() {
    for (const call of this.#calls.values()) {
      if (call.opener === 'them') continue;
      call.fail(new Disconnected());
      if (call.state !== 'requested' && call.state !== 'failed') return this.#close(); // DSC-02s
      this.#move(call, 'done');
    }
    this.#sayGoodbye().then(() => this.#close());
  }

  #sayGoodbye() {
    this.#farewell ??= (async () => {
      for (let served; this.#ours === 'talking' && (served = this.#served()).length; ) {
        for (const call of served) call.abort(new ContextCancelled());
        await Promise.all(served.map((call) => call.ended));
      }
      if (this.#ours === 'talking') this.#say('GOODBYE', null);
    })();
    return this.#farewell;
  }

  /** The end of the connection, whoever's doing: what is pending fails, what is served is cancelled, and nobody is waited for. */
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
