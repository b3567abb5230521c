const WINDOW_SECONDS = 3;
const FEWEST = 4;             // so that a camera of one frame in two seconds has a rate, too
const LONGEST_SECONDS = 30;
const SILENT_SECONDS = 2;     // and this many usual intervals:
const SILENT_INTERVALS = 4;   // then nothing comes any more

/** How much of something comes per second, measured between events: 1 each for frames, their size for bytes. */
export class Rate {
  #events = [];  // {time, amount}, oldest first

  add(time, amount) {
    this.#events.push({time, amount});
    this.#forget(time);
  }

  /** Null when there is too little to tell. Falls when events stay away, and soon is 0. */
  perSecond(now) {
    this.#forget(now);
    const events = this.#events;
    if (events.length < 2) return null;
    const first = events[0].time;
    const interval = (events.at(-1).time - first) / (events.length - 1);
    if (now - events.at(-1).time > Math.max(SILENT_SECONDS, SILENT_INTERVALS * interval)) return 0;
    const span = Math.max(events.at(-1).time, now - interval) - first;
    if (span <= 0) return null;
    let sum = -events[0].amount;  // it opens the measured span, it is not in it
    for (const event of events) sum += event.amount;
    return sum / span;
  }

  reset() {
    this.#events = [];
  }

  #forget(now) {
    const tooOld = (event, count) => now - event.time > (count > FEWEST ? WINDOW_SECONDS : LONGEST_SECONDS);
    while (this.#events.length > 0 && tooOld(this.#events[0], this.#events.length)) this.#events.shift();
  }
}
