// What stands beside the picture on the page of a camera: how it is sent, what is done to it, how it has been.
import {startCamera, stopCamera} from './api.js';
import {Chart} from './chart.js';
import {choicesOf, choose, scaled} from './choices.js';
import {localNow} from './clock.js';
import * as figures from './figures.js';
import {CHARTS} from './history.js';
import {reason} from './refusal.js';

const OF_PICTURES = ['quality', 'fps', 'scale'];  // of MJPEG alone
const SENDING = [...OF_PICTURES, 'transport'];

export class Desk {
  #element = document.getElementById('desk');
  #power = document.getElementById('power');
  #remove = document.getElementById('remove');
  #charts = CHARTS.map(({key, ...rest}) => ({key, chart: new Chart(key, rest)}));
  #camera = null;
  #busy = new Set();  // cameras that are being started or stopped

  /** `onChoice()`: another way of sending was chosen; `onRemove(camera)`: the user asks for it. */
  constructor({onChoice, onRemove}) {
    document.getElementById('charts').append(...this.#charts.map(({chart}) => chart.element));
    for (const key of SENDING) {
      this.#select(key).addEventListener('change', ({target}) => {
        choose(this.#camera.name, {[key]: target.value});
        onChoice();
      });
    }
    this.#power.addEventListener('click', () => this.#switchPower());
    this.#remove.addEventListener('click', () => onRemove(this.#camera));
  }

  /** Null: no camera, no desk. */
  show(camera) {
    this.#element.hidden = camera === null;
    if (camera === this.#camera) return;
    this.#camera = camera;
    if (!camera) return;
    this.#element.setAttribute('aria-label', `Controls and figures of ${camera.name}`);
    for (const key of SENDING) this.#select(key).value = choicesOf(camera.name)[key];
    for (const {chart} of this.#charts) chart.clear();
    this.refresh();
  }

  /** Whether the camera can be watched over WebRTC, and is. */
  showTransport({possible, webrtc}) {
    for (const element of document.querySelectorAll('.transport')) element.hidden = !possible;
    for (const key of OF_PICTURES) this.#select(key).disabled = webrtc;
  }

  /** `server`: its figures, null before there are any. */
  describe(server) {
    this.#power.hidden = !server?.control;
    this.#remove.hidden = !server?.can_add;
    this.refresh();
  }

  refresh() {
    const camera = this.#camera;
    if (!camera) return;
    this.#showPower(camera);
    this.#showSizes(camera.size);
    for (const {key, chart} of this.#charts) {
      chart.show(camera.history.series[key], camera.history.present[key], localNow());
    }
  }

  async #switchPower() {
    const camera = this.#camera;
    if (this.#busy.has(camera)) return;
    const starts = camera.serverStatus === 'stopped';
    this.#busy.add(camera);
    this.#showPower(camera);
    try {
      await (starts ? startCamera : stopCamera)(camera.name);
      camera.assumeStatus(starts ? 'waiting' : 'stopped');
      camera.say('');
    } catch (error) {
      camera.say(`Not ${starts ? 'started' : 'stopped'}: ${reason(error)}`);
    } finally {
      this.#busy.delete(camera);
      this.refresh();
    }
  }

  #showPower(camera) {
    const action = camera.serverStatus === 'stopped' ? 'Start camera' : 'Stop camera';
    const label = this.#power.querySelector('.label');
    if (label.textContent !== action) label.textContent = action;
    this.#power.title = action.replace('camera', 'it for everybody');
    this.#power.setAttribute('aria-label', `${action} ${camera.name} for everybody`);
    if (this.#busy.has(camera)) this.#power.setAttribute('aria-busy', 'true');
    else this.#power.removeAttribute('aria-busy');
    this.#remove.setAttribute('aria-label', `Remove camera ${camera.name}`);
  }

  #showSizes(size) {
    for (const option of this.#select('scale').options) {
      const [words] = option.textContent.split(' (');
      const pixels = size && figures.size(scaled(size.width, option.value), scaled(size.height, option.value));
      const text = pixels ? `${words} (${pixels})` : words;
      if (option.textContent !== text) option.textContent = text;
    }
  }

  #select(key) {
    return document.getElementById(`choice-${key}`);
  }
}
