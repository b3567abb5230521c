// The bitrate that all viewers share.
import {bitrate as words} from '../figures.js';

const CHOICES_KBPS = [300, 600, 1000, 1500, 2500, 4000, 8000];

export class BitrateChoice {
  #label;
  #select;
  #now = NaN;  // kbit/s

  /** `onChoice(kbps)`: somebody asks for it. */
  constructor(label, select, onChoice) {
    this.#label = label;
    this.#select = select;
    select.addEventListener('change', () => onChoice(Number(select.value)));
    select.addEventListener('blur', () => this.show());
  }

  /** The server's settings; without any there is no choice, nor where nothing may be changed. */
  describe(settings) {
    this.#label.hidden = !Number.isFinite(settings.bitrate_kbps) || settings.read_only === true;
    this.follow(settings.bitrate_kbps);
  }

  /** As it is now; somebody else may have changed it. */
  follow(kbps) {
    if (!Number.isFinite(kbps)) return;
    this.#now = kbps;
    if (document.activeElement !== this.#select) this.show();  // not while somebody chooses
  }

  /** What is, whatever was chosen. */
  show() {
    if (Number(this.#select.value) === this.#now || !Number.isFinite(this.#now)) return;
    const choices = [...new Set([...CHOICES_KBPS, this.#now])].sort((a, b) => a - b);
    this.#select.replaceChildren(...choices.map((choice) => new Option(words(choice * 1000), choice)));
    this.#select.value = this.#now;
  }
}
