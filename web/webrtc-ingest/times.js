// When a picture was where: the four times of a result, and what they say about the way.

const KEPT = 30;  // results: a second or two

/**
 * In milliseconds. `tStart` and `tEnd` by our clock, `tReceive` and `tInference` (null: nobody has worked on it) by the
 * server's; `offset` from our clock to the server's, null: not known. Null stands for what cannot be known.
 */
export function latenciesOf({tStart, tReceive, tInference = null, tEnd, offset}) {
  const known = (value) => (Number.isFinite(value) ? value : null);
  const less = (a, b) => (known(a) === null || known(b) === null ? null : a - b);
  const total = less(tEnd, tStart);
  const processing = less(tInference, tReceive);
  return {
    total: tInference === null ? null : total,
    processing,
    transfer: less(total, processing),                 // there and back again, by no clock but ours
    upload: known(offset) === null ? null : less(tReceive, known(tStart) === null ? null : tStart + offset),
  };
}

/** The middle one of the last ones, for each of the latencies. */
export class Latencies {
  #last = [];

  add(latencies) {
    this.#last.push(latencies);
    if (this.#last.length > KEPT) this.#last.shift();
  }

  median(key) {
    const values = this.#last.map((latencies) => latencies[key]).filter((value) => value !== null).sort((a, b) => a - b);
    return values.length === 0 ? null : (values[(values.length - 1) >> 1] + values[values.length >> 1]) / 2;
  }

  clear() {
    this.#last = [];
  }
}
