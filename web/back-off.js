const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 5000;

/** The wait before the next attempt: doubles, and is shortened at random so that pages do not return in step. */
export class BackOff {
  #delay = FIRST_DELAY_MS;

  reset() {
    this.#delay = FIRST_DELAY_MS;
  }

  /** How long it is this time, in milliseconds. */
  next() {
    const milliseconds = this.#delay * (0.6 + 0.4 * Math.random());
    this.#delay = Math.min(this.#delay * 2, LONGEST_DELAY_MS);
    return milliseconds;
  }

  /** Ends early when `signal` is aborted. */
  wait(signal) {
    const milliseconds = this.next();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, {once: true});
    });
  }
}
