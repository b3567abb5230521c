/** Says which of the moments that come are to be used, so that there are `fps` a second on the average, evenly. */
export class Pace {
  #interval;
  #next = -Infinity;

  constructor(fps) {
    this.#interval = 1000 / fps;
  }

  /** `now` in milliseconds. A camera's pictures come a little early and late: a third of the interval is forgiven. */
  takes(now) {
    if (now < this.#next - this.#interval / 3) return false;
    if (now - this.#next > this.#interval) this.#next = now;  // after a pause there is nothing to catch up with
    this.#next += this.#interval;
    return true;
  }
}
