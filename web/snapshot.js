import {stamp} from './figures.js';
import {Refusal} from './refusal.js';

const PATIENCE_MS = 15000;  // a camera on demand has to be opened first

/** Fetches one picture of the camera and hands it to the browser as a download; throws what reason() can word. */
export async function saveSnapshot(name) {
  const response = await fetch(`snapshot/${encodeURIComponent(name)}`, {
    cache: 'no-store',
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (!response.ok) throw await Refusal.from(response);
  download(await response.blob(), fileName(name, new Date()));
}

/** The very frame that was shown, under the time at which it was taken. */
export function saveFrame(name, {jpeg, captured}) {
  const taken = Number.isFinite(captured) ? new Date(captured * 1000) : new Date();
  download(new Blob([jpeg], {type: 'image/jpeg'}), fileName(name, taken));
}

/** Of a picture that was taken at `date`. */
export const fileName = (name, date) => `${name}-${stamp(date)}.jpg`;

function download(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);  // the browser may read it some time after the click
}
