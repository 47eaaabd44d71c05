/** One call, at either of its ends, and the errors that it may end with. */
import { inspect } from 'node:util';
import { Inbox } from './inbox.js';
import { CALL } from './spec.js';

const named = (name) => class extends Error { name = name; };
/** The other side has broken a rule, and the call paid for it. */
export const ProtocolError = named('ProtocolError');
export const ContextCancelled = named('ContextCancelled');
/** The connection ended before the call did. */
export const Disconnected = named('Disconnected');

/** What the other side raised: `name` is its type_str, and never looked up. */
export class RemoteError extends Error {
  constructor({ type_str, tb_str }) {
    super(tb_str);
    this.name = type_str;
  }
}

/** The terminal of a call that has failed, whatever was raised. */
export function failure(error, cid) {
  const [name, message] = error instanceof Error ? [String(error.name), String(error.message)] : ['Error', inspect(error)];
  const type_str = name === 'StreamOverrun' ? 'Overrun' : name || 'Error'; // under the first name it would be a notice (ERR-05s)
  return ['FAIL', { error: { type_str: text(type_str), tb_str: text(message) }, cid }];
}

const text = (raised) => raised.slice(0, 65536).replace(/\p{Surrogate}/gu, '\ufffd');

export class Call {
  state = CALL.initial;
  inbox = new Inbox();
  /** At its callee: its function is running; a CANCEL has ended it. */
  running = false;
  cancelled = false;
  /** At its caller: its CANCEL has been sent; if it is a CANCEL, the call that it is to end. */
  cancelling = false;
  target = null;
  #controller = new AbortController();

  /** @param {string} cid @param {'us' | 'them'} opener @param {string} [expected] at its caller, the kind that it takes the function to have */
  constructor(cid, opener, expected) {
    this.cid = cid;
    this.opener = opener;
    this.expected = expected;
    /** At its caller, the value of STARTED. */
    this.started = new Promise((resolve) => { this.start = resolve; });
    /** At its caller, the outcome. At its callee, resolves when the terminal has been sent. */
    this.ended = new Promise((resolve, reject) => Object.assign(this, { end: resolve, reject }));
    this.ended.catch(() => {});
  }

  get live() {
    return CALL.states[this.state].live;
  }

  /** At its callee: aborted when the function has to end. */
  get signal() {
    return this.#controller.signal;
  }

  abort(reason) {
    this.#controller.abort(reason);
    this.inbox.abandon(this.signal.reason);
  }

  /** At its caller: it has failed. */
  fail(error) {
    this.inbox.close(error);
    this.reject(error);
  }
}
