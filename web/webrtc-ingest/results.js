// What comes back about the pictures, for people: the newest word large, the ones before it in a list.
import {cleanDetections, percent} from '../detections.js';

const LISTED = 12;
const LONGEST = 200;

/**
 * {word, detail} of a line of JSON that a program wrote; null when it has found nothing. Lines of frame-detect, and of
 * others that call what they found label, word, text, result or class.
 */
export function wordOf(line) {
  if (typeof line !== 'object' || line === null) return line === null ? null : {word: short(String(line)), detail: ''};
  const [detections] = Array.isArray(line.objects) ? cleanDetections([line]) : [];
  if (detections) return ofDetections(detections);
  for (const key of ['label', 'word', 'text', 'result', 'class']) {
    if (typeof line[key] === 'string' || typeof line[key] === 'number') {
      return {word: short(String(line[key])), detail: percent(Number.isFinite(line.confidence) ? line.confidence : null)};
    }
  }
  if (typeof line.error === 'string') return {word: short(line.error), detail: 'error'};
  return {word: short(JSON.stringify(line)), detail: ''};
}

function ofDetections({objects, error}) {
  if (error) return {word: error, detail: 'error'};
  if (objects.length === 0) return null;
  const surest = objects.reduce((best, object) => ((object.confidence ?? 0) > (best.confidence ?? 0) ? object : best));
  const others = objects.length > 1 ? `and ${objects.length - 1} more` : '';
  return {word: surest.label || 'something', detail: [percent(surest.confidence), others].filter(Boolean).join(' ')};
}

const short = (text) => ([...text].length > LONGEST ? `${[...text].slice(0, LONGEST - 1).join('')}…` : text);

/** Shows them in `newest` and `list`. The same word again and again is one entry that is counted. */
export class Results {
  #newest;
  #list;
  #word = null;
  #times = 0;

  constructor(newest, list) {
    this.#newest = newest;
    this.#list = list;
  }

  add(line, time = new Date()) {
    const found = wordOf(line);
    if (found === null) return;
    if (found.word === this.#word) {
      this.#times += 1;
      this.#write(this.#list.firstElementChild, found, time);
    } else {
      this.#word = found.word;
      this.#times = 1;
      this.#newest.textContent = found.word;
      const entry = document.createElement('li');
      entry.append(...['time', 'word', 'detail'].map((part) => {
        return Object.assign(document.createElement('span'), {className: part});
      }));
      this.#write(entry, found, time);
      this.#list.prepend(entry);
      while (this.#list.children.length > LISTED) this.#list.lastElementChild.remove();
    }
  }

  clear() {
    this.#word = null;
    this.#newest.textContent = '';
    this.#list.replaceChildren();
  }

  #write(entry, {word, detail}, time) {
    entry.querySelector('.time').textContent = time.toLocaleTimeString();
    entry.querySelector('.word').textContent = word;
    entry.querySelector('.detail').textContent = this.#times > 1 ? `${detail} ×${this.#times}` : detail;
  }
}
