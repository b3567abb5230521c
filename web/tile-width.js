// How wide the pictures of the grid need to be. The server encodes each width once for all who want it, so there are
// few of them, and none is asked for while a window is being dragged.

const STEPS = [320, 480, 640, 960, 1280];
const STEADY_MS = 1000;

/** The least step that fills so many device pixels; 0: none does. */
export function stepFor(devicePixels) {
  return STEPS.find((step) => step >= Math.round(devicePixels)) ?? 0;
}

/** Follows the width of the tiles; calls `onChange()` when `step` has become another. */
export class TileWidth {
  step = 0;  // 0: as the cameras send them
  #onChange;
  #next = 0;
  #timer = 0;

  constructor(onChange) {
    this.#onChange = onChange;
  }

  /** Again and again, also with the same width; 0 while there are no tiles. */
  observe(devicePixels) {
    const step = devicePixels > 0 ? stepFor(devicePixels) : this.step;
    if (step === this.#next) return;
    this.#next = step;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#settle(), STEADY_MS);
  }

  #settle() {
    if (this.step === this.#next) return;
    this.step = this.#next;
    this.#onChange();
  }
}
