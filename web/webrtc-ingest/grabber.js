// From the camera's video to pictures.
import {localMs} from '../clock-offset.js';
import {Pace} from './pace.js';

const TYPES = {jpeg: 'image/jpeg', png: 'image/png'};

/**
 * Draws the video's pictures on a canvas and makes files of them, one at a time: what comes meanwhile is left out.
 *
 * `wishes()` gives {fps, format: 'jpeg' or 'png', quality: 0 to 1, longest: of the longer side in pixels}, asked for each
 * picture. `mayGrab()`: whether a picture can be sent now; if not it is not even encoded. `onPicture(blob, capturedMs)`: a
 * file, and our time when its picture was drawn; may return a promise, which must not be rejected. `onSkip()`: a picture
 * was due and is left out.
 */
export class Grabber {
  #video;
  #canvas = document.createElement('canvas');
  #context = this.#canvas.getContext('2d', {alpha: false});
  #on;
  #pace = null;
  #fps = 0;
  #busy = false;
  #running = false;
  #callback = 0;
  #timer = 0;

  constructor(video, {wishes, mayGrab, onPicture, onSkip}) {
    this.#video = video;
    this.#on = {wishes, mayGrab, onPicture, onSkip};
  }

  start() {
    if (this.#running) return;
    this.#running = true;
    this.#await();
  }

  stop() {
    this.#running = false;
    this.#video.cancelVideoFrameCallback?.(this.#callback);
    clearTimeout(this.#timer);
  }

  // A picture for each of the camera's where the browser tells of them, else by the clock.
  #await() {
    if (!this.#running) return;
    if (this.#video.requestVideoFrameCallback) {
      this.#callback = this.#video.requestVideoFrameCallback(() => this.#turn());
    } else {
      this.#timer = setTimeout(() => this.#turn(), 1000 / this.#on.wishes().fps / 2);
    }
  }

  #turn() {
    this.#await();
    const wishes = this.#on.wishes();
    if (wishes.fps !== this.#fps) {
      this.#fps = wishes.fps;
      this.#pace = new Pace(wishes.fps);
    }
    const {videoWidth: width, videoHeight: height} = this.#video;
    if (width === 0 || !this.#pace.takes(localMs())) return;
    if (this.#busy || !this.#on.mayGrab()) this.#on.onSkip();
    else this.#grab(wishes, width, height);
  }

  #grab({format, quality, longest}, width, height) {
    const scale = Math.min(1, longest / Math.max(width, height));
    const [columns, rows] = [width, height].map((length) => Math.max(2, Math.round(length * scale / 2) * 2));
    if (this.#canvas.width !== columns || this.#canvas.height !== rows) {
      this.#canvas.width = columns;
      this.#canvas.height = rows;
    }
    const capturedMs = localMs();
    this.#context.drawImage(this.#video, 0, 0, columns, rows);
    this.#busy = true;
    this.#canvas.toBlob(async (blob) => {
      if (this.#running && blob) await this.#on.onPicture(blob, capturedMs);
      else if (this.#running) this.#on.onSkip();
      this.#busy = false;
    }, TYPES[format], quality);
  }
}
