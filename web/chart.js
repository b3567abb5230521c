// A small picture of a minute: one figure, from 0 to a round number above the highest.
import {SPAN_SECONDS, roundAbove} from './series.js';

const WIDTH = 240;   // units of the viewBox, stretched to the room there is
const HEIGHT = 48;
const CALM_SECONDS = 5;  // between drawings, for those who asked for less motion

const lessMotion = matchMedia('(prefers-reduced-motion: reduce)');

export class Chart {
  element;
  #title;
  #format;
  #least;
  #drawn = -Infinity;

  /** `format(value)` words a value, `least` is the smallest top of the scale. */
  constructor(key, {title, hint, format, least}) {
    this.element = document.getElementById('chart-template').content.firstElementChild.cloneNode(true);
    this.element.dataset.chart = key;
    this.element.title = hint;
    this.#title = title;
    this.#format = format;
    this.#least = least;
    this.#write('.chart-title', title);
    this.#write('.chart-min', format(0));
    this.#find('svg').setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  }

  /** `present`: the figure in words, as elsewhere on the page. `now` is on the clock of `series`. */
  show(series, present, now) {
    this.#write('.chart-now', present);
    if (lessMotion.matches && Math.abs(now - this.#drawn) < CALM_SECONDS) return;
    this.#drawn = now;
    const largest = series.largest;
    const top = roundAbove(Math.max(largest ?? 0, this.#least));
    this.#write('.chart-max', this.#format(top));
    this.#draw(series.runs(now), top);
    const range = largest === null ? 'not known yet' : `at most ${this.#format(largest)} in the last minute`;
    this.#find('svg').setAttribute('aria-label', `${this.#title}: ${present} now, ${range}`);
  }

  /** Another camera: what is drawn is not its. */
  clear() {
    this.#drawn = -Infinity;
  }

  #draw(runs, top) {
    const x = ({age}) => ((1 - age / SPAN_SECONDS) * WIDTH).toFixed(1);
    // An age may be below 0, as far as the server's clock is not known.
    const y = ({value}) => (HEIGHT - Math.max(0, value) / top * HEIGHT).toFixed(1);
    const lines = runs.map((run) => `M${run.map((point) => `${x(point)} ${y(point)}`).join('L')}`);
    const areas = runs.map((run, at) => `${lines[at]}V${HEIGHT}H${x(run[0])}Z`);
    this.#find('.line').setAttribute('d', lines.join(''));
    this.#find('.area').setAttribute('d', areas.join(''));
  }

  #find(selector) {
    return this.element.querySelector(selector);
  }

  #write(selector, text) {
    const element = this.#find(selector);
    if (element.textContent !== text) element.textContent = text;
  }
}
