// One click, one answer: what a filter finds in the picture of now.
import {cleanDetections, percent} from './detections.js';
import * as figures from './figures.js';
import {offer} from './filters.js';
import {Overlay, drawDetections} from './overlay.js';
import {Refusal, reason} from './refusal.js';
import {fileName} from './snapshot.js';
import {detectUrl} from './urls.js';

const SAVED_FOR = 480;     // CSS pixels: a saved picture is mostly looked at small
const PATIENCE_MS = 60000;  // the server has a limit of its own, and tells which

export class DetectDialog {
  #dialog = document.getElementById('detect');
  #screen = document.getElementById('detect-screen');
  #picture = this.#screen.querySelector('.picture');
  #overlay = new Overlay(this.#screen.querySelector('.overlay'));
  #filter = document.getElementById('detect-filter');
  #again = document.getElementById('detect-again');
  #save = document.getElementById('detect-save');
  #filters;
  #name = '';
  #attempt = null;  // AbortController of the one underway

  constructor(filters) {
    this.#filters = filters;
    this.#filter.addEventListener('change', () => filters.choose(this.#name, this.#filter.value));
    this.#again.addEventListener('click', () => this.#ask());
    this.#dialog.querySelector('.cancel').addEventListener('click', () => this.#dialog.close());
    this.#dialog.addEventListener('close', () => {
      this.#attempt?.abort();
      this.#clear();
    });
  }

  /** Asks at once. `size`: of the camera's pictures, null if not known. */
  open({name, size}) {
    this.#name = name;
    document.getElementById('detect-title').textContent = `Detection: ${name}`;
    document.getElementById('detect-filter-choice').hidden = this.#filters.names.length < 2;
    this.#picture.setAttribute('aria-label', `Picture of ${name} with what was found`);
    offer(this.#filter, this.#filters.names, this.#filters.chosenFor(name));
    this.#clear();
    this.#resize(size ?? {width: 16, height: 9});  // black, so that nothing jumps when the picture comes
    this.#dialog.showModal();
    this.#again.focus();
    this.#ask();
  }

  // The button keeps the focus, so it is not disabled but deaf.
  async #ask() {
    if (this.#attempt) return;
    const attempt = this.#attempt = new AbortController();
    this.#setBusy(true);
    this.#say('Detecting…', '');
    try {
      const answer = await ask(this.#name, this.#filters.chosenFor(this.#name), attempt);
      const bitmap = await createImageBitmap(answer.picture);
      if (!attempt.signal.aborted) this.#show(answer, bitmap);
      bitmap.close();
    } catch (error) {
      if (attempt.signal.aborted && this.#attempt !== attempt) return;  // it was closed
      this.#clear();
      this.#say('', problemOf(error));
    } finally {
      if (this.#attempt === attempt) {
        this.#attempt = null;
        this.#setBusy(false);
      }
    }
  }

  #show(answer, bitmap) {
    this.#resize(bitmap);
    this.#picture.getContext('2d', {alpha: false}).drawImage(bitmap, 0, 0);
    this.#overlay.show(answer.detections, bitmap);
    const objects = answer.detections.flatMap((one) => one.objects);
    this.#say(wordsFor(answer, objects), '');
    document.getElementById('detect-objects').replaceChildren(...objects.map((object) => item(object, bitmap)));
    this.#showFigures(answer, bitmap);
    this.#offerPicture(answer, bitmap);
  }

  #resize({width, height}) {
    this.#screen.style.setProperty('--ratio', width / height);
    this.#screen.hidden = false;
    this.#picture.width = width;
    this.#picture.height = height;
  }

  #showFigures({age, took, ms, model}, {width, height}) {
    const texts = {
      age: figures.age(age),
      ms: figures.milliseconds(ms),
      took: figures.milliseconds(took),
      size: figures.size(width, height),
      model: model || '–',
    };
    for (const [key, text] of Object.entries(texts)) {
      this.#dialog.querySelector(`[data-detect=${key}]`).textContent = text;
    }
    document.getElementById('detect-figures').hidden = false;
  }

  // With the boxes in it, whatever the size of the window.
  async #offerPicture({detections, captured}, {width, height}) {
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d', {alpha: false});
    context.drawImage(this.#picture, 0, 0);
    drawDetections(context, detections, {x: 0, y: 0, width, height, scale: 1}, Math.max(1, width / SAVED_FOR));
    const blob = await canvas.convertToBlob({type: 'image/jpeg', quality: 0.92});
    this.#withdrawPicture();
    if (!this.#dialog.open) return;
    this.#save.href = URL.createObjectURL(blob);
    this.#save.download = fileName(`${this.#name}-detected`, new Date(captured));
    this.#save.hidden = false;
  }

  #withdrawPicture() {
    if (this.#save.hidden) return;
    const {href} = this.#save;
    setTimeout(() => URL.revokeObjectURL(href), 60000);  // the browser may read it some time after the click
    this.#save.removeAttribute('href');
    this.#save.hidden = true;
  }

  #clear() {
    this.#attempt = null;
    this.#setBusy(false);
    this.#say('', '');
    this.#screen.hidden = true;
    this.#overlay.show([], {width: 0, height: 0});
    this.#withdrawPicture();
    document.getElementById('detect-objects').replaceChildren();
    document.getElementById('detect-figures').hidden = true;
  }

  #say(status, problem) {
    document.getElementById('detect-status').textContent = status;
    document.getElementById('detect-error').textContent = problem;
  }

  #setBusy(busy) {
    for (const [attribute, on] of [['aria-busy', busy], ['aria-disabled', busy]]) {
      if (on) this.#again.setAttribute(attribute, 'true');
      else this.#again.removeAttribute(attribute);
    }
    this.#again.textContent = busy ? 'Detecting…' : 'Detect again';
  }
}

// Nothing found is said by one who has looked; what was found may be a detector's in front of the server.
function wordsFor({looked, detections}, objects) {
  const more = detections.some(({truncated}) => truncated) ? ', and more that were left out' : '';
  const found = `${figures.plural(objects.length, 'object')} found${more}`;
  if (looked) return objects.length === 0 ? 'Nothing found' : found;
  return `The filter did not look at this frame${objects.length === 0 ? '' : `; before it: ${found}`}`;
}

// {picture (a Blob), detections, looked, model, ms; age in seconds, took in ms, captured in ms of UNIX time}
async function ask(name, filter, attempt) {
  const timer = setTimeout(() => attempt.abort(new DOMException('too long', 'TimeoutError')), PATIENCE_MS);
  try {
    const response = await fetch(detectUrl(name, filter), {cache: 'no-store', signal: attempt.signal});
    if (!response.ok) throw await Refusal.from(response);
    const answer = await response.json();
    const {model, ms} = cleanDetections([answer])[0] ?? {model: '', ms: null};
    return {
      picture: new Blob([bytesOf(answer.image)], {type: 'image/jpeg'}),
      detections: cleanDetections(answer.detections),
      looked: answer.looked !== false,
      model,
      ms,
      age: answer.age_ms / 1000,
      took: answer.took_ms,
      captured: answer.timestamp * 1000,
    };
  } finally {
    clearTimeout(timer);
  }
}

const bytesOf = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

// The statuses of /detect_once, in words; behind them what the server says.
function problemOf(error) {
  const words = {
    404: 'The server cannot do that',
    422: 'The filter could not work on this picture',
    503: 'Not at the moment',
    504: 'The filter took too long',
  };
  return `${words[error.status] ?? 'Not detected'}: ${reason(error)}`;
}

function item({label, confidence, box, seconds}, size) {
  const element = document.createElement('li');
  const parts = {
    'found-label': label || 'object',
    'found-confidence': percent(confidence),
    'found-place': box ? placeOf(box, size) : momentOf(seconds),
  };
  for (const [name, text] of Object.entries(parts)) {
    const span = document.createElement('span');
    span.className = name;
    span.textContent = text;
    element.append(span, ' ');
  }
  return element;
}

// In words for those who cannot see the picture, and in pixels.
function placeOf([x, y, width, height], size) {
  const third = (middle, length) => Math.min(2, Math.max(0, Math.floor(middle / length * 3)));
  const across = ['left', 'centre', 'right'][third(x + width / 2, size.width)];
  const down = ['upper', 'middle', 'lower'][third(y + height / 2, size.height)];
  const pixels = [x, y, width, height].map((value) => Math.round(value));
  return `${down} ${across}, ${figures.size(pixels[2], pixels[3])} at ${pixels[0]}, ${pixels[1]}`;
}

const momentOf = (seconds) => (seconds ? `for ${(seconds[1] - seconds[0]).toFixed(1)} s` : '');
