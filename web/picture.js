// The newest frame wins, on the last metre: from JPEG bytes to a canvas.

/**
 * Draws JPEGs on `canvas`, which takes their size. One is decoded at a time; meanwhile only the newest waits, and those
 * in between are skipped. Calls `onShown(frame, {width, height})` after each drawing and in the same task, so that what
 * is drawn there is painted together with the picture; `frame` is what was offered.
 */
export class Picture {
  shown = 0;    // drawn
  skipped = 0;  // overtaken by a newer one before they were decoded, or not decodable
  frame = null; // the one on the canvas
  #canvas;
  #context;
  #onShown;
  #next = null;
  #decoding = false;
  #stopped = false;

  constructor(canvas, onShown) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d', {alpha: false});
    this.#onShown = onShown;
  }

  /** Takes a frame: an object with its bytes in `jpeg`. */
  offer(frame) {
    if (this.#stopped) return;
    if (this.#next) this.skipped += 1;
    this.#next = frame;
    if (!this.#decoding) this.#decodeAll();
  }

  /** Keeps what is on the canvas: nothing offered so far, or until start(), is drawn. */
  stop() {
    this.#stopped = true;
    this.#next = null;
  }

  start() {
    this.#stopped = false;
  }

  async #decodeAll() {
    this.#decoding = true;
    while (this.#next) {
      const frame = this.#next;
      this.#next = null;
      try {
        const bitmap = await createImageBitmap(new Blob([frame.jpeg], {type: 'image/jpeg'}));
        if (!this.#stopped) this.#draw(bitmap, frame);
        bitmap.close();
      } catch {
        this.skipped += 1;  // damaged on its way from the camera; the next one may be whole
      }
    }
    this.#decoding = false;
  }

  #draw(bitmap, frame) {
    if (this.#canvas.width !== bitmap.width || this.#canvas.height !== bitmap.height) {
      this.#canvas.width = bitmap.width;
      this.#canvas.height = bitmap.height;
    }
    this.#context.drawImage(bitmap, 0, 0);
    this.shown += 1;
    this.frame = frame;
    this.#onShown(frame, bitmap);
  }
}
