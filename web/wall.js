// The one long connection of the page: keeps GET /wall open and hands on its parts.
import {BackOff} from './back-off.js';
import {MultipartParser, boundaryOf} from './multipart.js';
import {Refusal} from './refusal.js';

const SILENCE_MS = 5000;  // the server sends figures every second, so this much silence is a dead connection

/**
 * Reads `url` until closed and opens it again whenever it is lost.
 *
 * onPart(part): one part of the multipart stream; what it throws counts as a broken connection.
 * onState(state, problem): 'connecting', 'connected' (at the first part), 'reconnecting' (`problem`, an Error, says
 * why), 'paused' (closed).
 */
export class Wall {
  /** What the next attempt asks for; open() sets it. */
  url = 'wall';
  #onPart;
  #onState;
  #current = new AbortController();

  constructor({onPart, onState}) {
    this.#onPart = onPart;
    this.#onState = onState;
  }

  /** Drops the connection there may be and opens `url` at once. */
  open(url) {
    this.#current.abort();
    this.#current = new AbortController();
    this.url = url;
    this.#onState('connecting', null);
    this.#keepOpen(this.#current.signal);
  }

  close() {
    this.#current.abort();
    this.#onState('paused', null);
  }

  async #keepOpen(closed) {
    const backOff = new BackOff();
    while (!closed.aborted) {
      const problem = await this.#readOnce(closed, backOff).catch((error) => error);
      if (closed.aborted) return;
      this.#onState('reconnecting', problem);
      await backOff.wait(closed);
    }
  }

  // Returns or throws the Error that ended the connection.
  async #readOnce(closed, backOff) {
    const attempt = new AbortController();
    const abort = () => attempt.abort(new Error('the connection was closed'));
    closed.addEventListener('abort', abort, {once: true});

    let lastByte = performance.now();
    const watchdog = setInterval(() => {
      if (performance.now() - lastByte > SILENCE_MS) attempt.abort(new Error('the server has gone silent'));
    }, 500);

    try {
      const response = await fetch(this.url, {cache: 'no-store', signal: attempt.signal});
      if (!response.ok) throw await Refusal.from(response);
      const boundary = boundaryOf(response.headers.get('Content-Type'));
      if (!boundary) throw new Error('the server answered with something else than pictures');

      let connected = false;
      const parser = new MultipartParser(boundary, (part) => {
        if (closed.aborted) return;  // the part before this one closed us
        this.#onPart(part);
        if (connected || closed.aborted) return;
        connected = true;
        backOff.reset();
        this.#onState('connected', null);
      });
      for (const reader = response.body.getReader(); ;) {
        const {done, value} = await reader.read();
        if (closed.aborted || done) return new Error('the server closed the connection');
        lastByte = performance.now();
        parser.push(value);
      }
    } finally {
      clearInterval(watchdog);
      closed.removeEventListener('abort', abort);
      attempt.abort();  // whatever made us leave, the server must not go on sending
    }
  }
}
