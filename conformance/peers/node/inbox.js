/** The items of one call that wait for their consumer: bounded, and never lost silently (PROTOCOL.md, section 15). */
import { LIMITS } from './spec.js';

/** What a consumer gets when it reads on after a loss. */
export class StreamOverrun extends Error {
  name = 'StreamOverrun';
}

/** Wakes all who wait. */
export class Bell {
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
  #end = null;
  #stalled = false;
  #lost = false;
  #changed = new Bell();

  /** Takes an item in. False the first time that one is dropped: then OVERRUN is due (FLW-02s). */
  put(value, bytes) {
    if (this.#end || this.#lost) return true;
    this.#lost = this.#full && this.#stalled;
    if (this.#lost) return false;
    this.#held.push({ value, bytes });
    this.#bytes += bytes;
    this.#changed.ring();
    return true;
  }

  /** No more items come: the consumer gets those that are held, then the end or the error. */
  close(error = null) {
    this.#end ??= { error };
    this.#changed.ring();
  }

  /** The consumer wants no more, or may have no more: what is held and what still comes is let go, and that is no loss. */
  abandon(error) {
    this.#held = [];
    this.#lost = false;
    this.#end = { error };
    this.#changed.ring();
  }

  /** The next item. @returns {Promise<{value?: any, done: boolean}>} */
  async take() {
    while (!this.#held.length) {
      if (this.#lost) throw new StreamOverrun('items were lost');
      if (this.#end?.error) throw this.#end.error;
      if (this.#end) return { done: true };
      await this.#changed.wait();
    }
    const { value, bytes } = this.#held.shift();
    this.#bytes -= bytes;
    this.#stalled = false;
    this.#changed.ring();
    return { value, done: false };
  }

  get #full() {
    return !this.#end && (this.#held.length >= LIMITS.held_items || this.#bytes >= LIMITS.held_bytes);
  }

  get #crowded() {
    return this.#full && !this.#lost && !this.#stalled;
  }

  /** Null, or what reading the connection has to wait for: room, or that nothing has been taken for `stall_seconds` (FLW-06r). */
  get room() {
    return this.#crowded ? this.#pause() : null;
  }

  async #pause() {
    while (this.#crowded) this.#stalled = !(await this.#changed.wait(LIMITS.stall_seconds));
  }
}
