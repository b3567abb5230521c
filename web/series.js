// What a figure was in the last minute.

export const SPAN_SECONDS = 60;
const GAP_SECONDS = 3;  // a hidden tab counts slowly, and what was between is not known
const ROUND = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];

export class Series {
  #samples = [];  // {time, value}, oldest first; value null: not known

  /** `value`: null or NaN when it is not known. */
  add(time, value) {
    this.#samples.push({time, value: Number.isFinite(value) ? value : null});
    while (time - this.#samples[0].time > SPAN_SECONDS) this.#samples.shift();
  }

  /** Null when nothing is known. */
  get largest() {
    const values = this.#samples.flatMap(({value}) => value ?? []);
    return values.length > 0 ? Math.max(...values) : null;
  }

  /** Runs of neighbours that are known: arrays of {age, value}, age in seconds before `now`. */
  runs(now) {
    const runs = [];
    let before = null;
    for (const {time, value} of this.#samples) {
      if (value !== null) {
        if (before === null || time - before > GAP_SECONDS) runs.push([]);
        runs.at(-1).push({age: now - time, value});
      }
      before = value === null ? null : time;
    }
    return runs;
  }
}

/** The least round number that is not below `value`, which is above 0: the top of a scale. */
export function roundAbove(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return ROUND.find((digit) => digit * power >= value * (1 - 1e-9)) * power;
}
