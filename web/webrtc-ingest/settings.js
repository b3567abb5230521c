// What somebody chose on this device, kept in its browser.

const KEY = 'framepipe.ingest';
const KEPT = ['camera', 'resolution', 'fps', 'quality', 'name'];
const NAME = /^[A-Za-z0-9_-]{0,32}$/;

export class Settings {
  #wanted;  // the camera that was chosen; it may not be offered yet

  /** `onCamera()`: another camera, or another size or rate of its pictures, is wanted. */
  constructor({onCamera}) {
    const stored = read();
    for (const key of KEPT) {
      const element = this.#element(key);
      const value = stored[key];
      const fits = element.localName === 'input' || [...element.options].some((option) => option.value === value);
      if (typeof value === 'string' && fits) element.value = value;
      element.addEventListener('change', () => this.keep());
    }
    this.#wanted = typeof stored.camera === 'string' ? stored.camera : this.#value('camera');
    this.#element('camera').addEventListener('change', () => { this.#wanted = this.#value('camera'); });
    for (const key of ['camera', 'resolution', 'fps']) this.#element(key).addEventListener('change', onCamera);
  }

  /** For CameraSource.open(). */
  get camera() {
    return {camera: this.#value('camera'), size: this.#value('resolution'), fps: Number(this.#value('fps'))};
  }

  /** For Grabber. */
  get grabbing() {
    const quality = this.#value('quality');
    return {
      fps: Number(this.#value('fps')),
      format: quality === 'png' ? 'png' : 'jpeg',
      quality: quality === 'png' ? undefined : Number(quality),
      longest: Math.max(...this.#value('resolution').split('x').map(Number)),
    };
  }

  /** '' where none was given, or none that the server would take. */
  get name() {
    const name = this.#value('name').trim();
    return NAME.test(name) ? name : '';
  }

  /** Front and back stay: on a phone nobody knows what 'camera2 0, facing back' may be. */
  offerCameras(cameras) {
    const select = this.#element('camera');
    for (const option of [...select.options]) if (option.value.startsWith('id:')) option.remove();
    for (const {id, label} of cameras) if (id && label) select.append(new Option(label, `id:${id}`));
    select.value = this.#wanted;
    if (select.selectedIndex < 0) select.selectedIndex = 0;
  }

  keep() {
    try {
      localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(KEPT.map((key) => [key, key === 'camera' ? this.#wanted : this.#value(key)]))));
    } catch {
      // Full, or not allowed: the choice holds until the page is closed.
    }
  }

  #value(key) {
    return this.#element(key).value;
  }

  #element(key) {
    return document.getElementById(key);
  }
}

function read() {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY));
    return typeof stored === 'object' && stored !== null ? stored : {};
  } catch {
    return {};
  }
}
