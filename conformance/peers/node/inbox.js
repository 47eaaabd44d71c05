/** The items of one call that wait for their consumer: bounded, and overrun without silence (PROTOCOL.md, section 15). */
import { LIMITS } from './wire.js';

export class StreamOverrun extends Error {
  name = 'StreamOverrun';
}

/** Wakes whoever waits. */
class Bell {
  #waiting = new Set();

  ring() {
    for (const wake of this.#waiting) wake(true);
  }

  /** True when it rings, false after `seconds` without. */
  wait(seconds) {
    return new Promise((resolve) => {
      const wake = (rung) => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve(rung);
      };
      const timer = seconds === undefined ? undefined : setTimeout(wake, seconds * 1000, false);
      this.#waiting.add(wake);
    });
  }
}

export class Inbox {
  #held = [];
  #bytes = 0;
  #arrived = new Bell();
  #taken = new Bell();
  #end = null;
  #stalled = false;
  #lost = false;

  /** Takes an item in. False the first time that one is dropped: then an OVERRUN is due (FLW-02s). */
  put(value, bytes) {
    if (this.#end || this.#lost) return true;
    if (this.#full && this.#stalled) {
      this.#lost = true;
      return false;
    }
    this.#held.push({ value, bytes });
    this.#bytes += bytes;
    this.#arrived.ring();
    return true;
  }

  /** No more items come; the consumer gets those that are held, then the end or the error. */
  close(error = null) {
    this.#end ??= { error };
    this.#arrived.ring();
    this.#taken.ring();
  }

  /** The consumer wants no more, or may have no more: what is held and what still comes is let go, and that is no loss. */
  abandon(error = null) {
    this.#held = [];
    this.#bytes = 0;
    this.#lost = false;
    this.#end = { error };
    this.close();
  }

  /** @returns {Promise<{value?: any, done: boolean}>} */
  async take() {
    while (!this.#held.length) {
      if (this.#lost) throw new StreamOverrun('items were lost');
      if (this.#end?.error) throw this.#end.error;
      if (this.#end) return { done: true };
      await this.#arrived.wait();
    }
    const { value, bytes } = this.#held.shift();
    this.#bytes -= bytes;
    this.#stalled = false;
    this.#taken.ring();
    return { value, done: false };
  }

  get #full() {
    return !this.#end && (this.#held.length >= LIMITS.held_items || this.#bytes >= LIMITS.held_bytes);
  }

  /** Reading goes on when this is over: there is room again, or the consumer has taken nothing for `stall_seconds` (FLW-06r). */
  async room() {
    while (this.#full && !this.#lost && !this.#stalled) this.#stalled = !(await this.#taken.wait(LIMITS.stall_seconds));
  }
}
