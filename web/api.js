// What changes the server for everybody. Each throws what reason() can word.
import {Refusal} from './refusal.js';

const PATIENCE_MS = 15000;  // the server gives a camera ten seconds to start

export const startCamera = (name) => ask('POST', `api/camera/start?camera=${encodeURIComponent(name)}`);

export const stopCamera = (name) => ask('POST', `api/camera/stop?camera=${encodeURIComponent(name)}`);

/** `source`: a number, meaning /dev/videoN, or a URL. Takes the place of a camera of the same name. */
export const addCamera = (name, source, signal) =>
  ask('POST', `api/camera/cameras/${encodeURIComponent(name)}?source=${encodeURIComponent(source)}`, signal);

export const removeCamera = (name) => ask('DELETE', `api/camera/cameras/${encodeURIComponent(name)}`);

async function ask(method, url, signal) {
  const attempt = new AbortController();
  const timer = setTimeout(() => attempt.abort(new DOMException('too long', 'TimeoutError')), PATIENCE_MS);
  signal?.addEventListener('abort', () => attempt.abort(signal.reason), {once: true});
  try {
    const response = await fetch(url, {method, cache: 'no-store', signal: attempt.signal});
    if (!response.ok) throw await Refusal.from(response);
  } finally {
    clearTimeout(timer);
  }
}
