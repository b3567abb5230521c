const WINDOW_SECONDS = 60;  // long enough to meet a quick message, short enough to follow clocks that drift

/** Seconds on this machine's own steady clock, about UNIX time at page load and never set back. */
export function localNow() {
  return (performance.timeOrigin + performance.now()) / 1000;
}

/**
 * The server's clock, as well as it can be told from here: a message takes time, so the smallest difference seen
 * lately between our clock at its arrival and the server's at its departure is the best guess of their offset.
 */
export class ServerClock {
  #offset = null;          // smallest of this window and the one before
  #previous = Infinity;
  #smallest = Infinity;
  #windowStart = 0;

  /** A new connection: perhaps another server, or clocks after sleep. The old guess holds until a message comes. */
  restart() {
    this.#previous = Infinity;
    this.#smallest = Infinity;
  }

  observe(serverTime) {
    const now = localNow();
    if (now - this.#windowStart > WINDOW_SECONDS) {
      this.#previous = this.#smallest;
      this.#smallest = Infinity;
      this.#windowStart = now;
    }
    this.#smallest = Math.min(this.#smallest, now - serverTime);
    this.#offset = Math.min(this.#smallest, this.#previous);
  }

  /** UNIX time at the server, in seconds; null before it was heard of. */
  now() {
    return this.#offset === null ? null : localNow() - this.#offset;
  }
}
