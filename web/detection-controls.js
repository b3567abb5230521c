// What stands on the page of a camera about detection: live or not, by which filter, and whether boxes are drawn.
import {choicesOf} from './choices.js';
import {localNow} from './clock.js';
import * as figures from './figures.js';
import {offer} from './filters.js';

export class DetectionControls {
  #element = document.getElementById('detection');
  #filter = document.getElementById('choice-filter');
  #live = document.getElementById('choice-live');
  #boxes = document.getElementById('choice-boxes');
  #figures = document.getElementById('live-figures');
  #filters;
  #camera = null;

  /** `onLive()`: pictures are to come another way; `onBoxes(camera)`: switch them. */
  constructor(filters, {onLive, onBoxes}) {
    this.#filters = filters;
    this.#filter.addEventListener('change', () => {
      filters.choose(this.#camera.name, this.#filter.value);
      onLive();
    });
    this.#live.addEventListener('change', () => {
      filters.setLive(this.#camera.name, this.#live.checked);
      this.refresh();
      onLive();
    });
    this.#boxes.addEventListener('change', () => onBoxes(this.#camera));
  }

  /** Null: no camera. */
  show(camera) {
    this.#camera = camera;
    this.refresh();
  }

  refresh() {
    const camera = this.#camera;
    if (!camera) return;
    const {names} = this.#filters;
    this.#element.hidden = names.length === 0 && !camera.hasDetections;
    document.getElementById('filter-choice').hidden = names.length < 2;
    document.getElementById('live-choice').hidden = names.length === 0;
    offer(this.#filter, names, this.#filters.chosenFor(camera.name));
    this.#live.checked = this.#filters.liveOf(camera.name) !== null;
    this.#boxes.checked = choicesOf(camera.name).boxes !== 'off';
    this.#showFigures(camera);
  }

  #showFigures(camera) {
    const perSecond = camera.detectionsPerSecond(localNow());
    const text = this.#live.checked || perSecond > 0 ? words(camera, perSecond) : '';
    if (this.#figures.textContent !== text) this.#figures.textContent = text;
  }
}

function words({detections}, perSecond) {
  const last = detections.at(-1);
  if (!last) return 'No detections yet';
  if (last.error) return `Not worked on: ${last.error}`;
  const found = detections.reduce((sum, {objects}) => sum + objects.length, 0);
  const rate = `${Number.isFinite(perSecond) ? perSecond.toFixed(1) : '–'} detections/s`;
  return [rate, `${figures.milliseconds(last.ms)} each`, figures.plural(found, 'object')].join(' · ');
}
