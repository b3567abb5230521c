// The figures of a camera in the last minute, as its charts show them.
import * as figures from './figures.js';
import {Rate} from './rate.js';
import {Series} from './series.js';

const perSecond = (number) => (Number.isFinite(number) ? `${number.toFixed(1)} /s` : '–');

/** What there is a chart of; `least` is the smallest top of its scale. */
export const CHARTS = [
  {key: 'fps', title: 'Shown', hint: 'Pictures shown here per second', format: figures.fps, least: 5},
  {key: 'age', title: 'Age', hint: 'Time from the taking of a picture until now', format: figures.age, least: 0.1},
  {key: 'bandwidth', title: 'Bandwidth', hint: 'Received here', format: figures.bitrate, least: 1e5},
  {key: 'dropped', title: 'Dropped', hint: 'Left out for a newer picture, per second', format: perSecond, least: 1},
];

export class History {
  series = Object.fromEntries(CHARTS.map(({key}) => [key, new Series()]));
  present = Object.fromEntries(CHARTS.map(({key, format}) => [key, format(null)]));  // in words
  #dropped = new Rate();

  /** `values`: fps, age, bandwidth as numbers or null, dropped since the last time; null: the camera is not watched. */
  record(now, values) {
    if (values) this.#dropped.add(now, values.dropped);
    else this.#dropped.reset();
    const known = {...values, dropped: this.#dropped.perSecond(now)};
    for (const {key, format} of CHARTS) {
      this.series[key].add(now, known[key] ?? null);
      this.present[key] = format(known[key] ?? null);
    }
  }
}
