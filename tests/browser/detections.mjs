// Cameras with X-Detections for the tests, and what is to be seen of them.
import {execFileSync} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {colourOf} from '../../web/overlay.js';
import {temporaryFolder} from './support.mjs';

/** A bright square on a dark ground that jumps further from frame to frame than any line is wide. */
export const SQUARE = {label: 'lid', width: 640, height: 480, side: [120, 88], frames: 48};

const placeOf = (frame) => [frame * 38 % (SQUARE.width - SQUARE.side[0]), frame * 22 % (SQUARE.height - SQUARE.side[1])];

const PLAYER = fileURLToPath(new URL('play-frames.py', import.meta.url));

const FINDER = fileURLToPath(new URL('find-square.py', import.meta.url));

/** Options for a filter that finds what X-Square says; `words` as find-square.py takes them. */
export const finder = (name, ...words) => ['--filter', `${name}=exec python3 ${FINDER} ${words.join(' ')}`];

/** A command for exec:. `headersOf(frame, [x, y, w, h])` gives the header lines that go with the frame. */
export function movingSquare(t, fps, headersOf = detectionsOf) {
  const folder = temporaryFolder(t);
  const {width, height, side, frames} = SQUARE;
  execFileSync('ffmpeg', [
    '-v', 'error',
    '-f', 'lavfi', '-i', `color=0x202020:size=${width}x${height}:rate=1`,
    '-f', 'lavfi', '-i', `color=white:size=${side.join('x')}:rate=1`,
    '-filter_complex', `overlay=x='mod(t*38,${width - side[0]})':y='mod(t*22,${height - side[1]})'`,
    '-frames:v', String(frames), '-q:v', '3', '-start_number', '0', join(folder, '%03d.jpg'),
  ]);
  for (let frame = 0; frame < frames; frame += 1) {
    const lines = headersOf(frame, [...placeOf(frame), ...side]);
    writeFileSync(join(folder, `${String(frame).padStart(3, '0')}.txt`), lines.map((line) => `${line}\n`).join(''));
  }
  return `python3 ${PLAYER} ${folder} ${fps}`;
}

export function detectionsOf(frame, box) {
  const objects = [{label: SQUARE.label, confidence: 0.9, box}];
  return [`X-Detections: ${JSON.stringify({model: 'lids', ms: 12.5, objects})}`];
}

/** What the functions below look for, for the page they run in. */
export const COLOUR = colourOf(SQUARE.label).match(/\w\w/g).map((digits) => parseInt(digits, 16));

/** Puts window.measure() and window.measureCamera() into the page. */
export function addMeasures() {
  const boundsOf = (data, width, isPart) => {
    const bounds = {left: Infinity, top: Infinity, right: -1, bottom: -1, pixels: 0};
    for (let at = 0; at < data.length; at += 4) {
      if (!isPart(data[at], data[at + 1], data[at + 2])) continue;
      const [x, y] = [at / 4 % width, Math.floor(at / 4 / width)];
      bounds.left = Math.min(bounds.left, x);
      bounds.right = Math.max(bounds.right, x + 1);
      bounds.top = Math.min(bounds.top, y);
      bounds.bottom = Math.max(bounds.bottom, y + 1);
      bounds.pixels += 1;
    }
    return bounds;
  };

  // Where the bright square and where the lines of that colour are, in a picture of what is to be seen.
  window.measure = (image, [red, green, blue], reach = 50) => {
    const context = new OffscreenCanvas(image.width, image.height).getContext('2d', {willReadFrequently: true});
    context.drawImage(image, 0, 0);
    const {data} = context.getImageData(0, 0, image.width, image.height);
    return {
      width: image.width,
      square: boundsOf(data, image.width, (r, g, b) => Math.min(r, g, b) > 215),
      box: boundsOf(data, image.width,
                    (r, g, b) => Math.abs(r - red) + Math.abs(g - green) + Math.abs(b - blue) < reach),
    };
  };

  // Both canvases as they are put on top of each other now.
  window.measureCamera = (element, colour) => {
    const [picture, overlay] = ['.picture', '.overlay'].map((name) => element.querySelector(`canvas${name}`));
    const seen = new OffscreenCanvas(overlay.width, overlay.height);
    const context = seen.getContext('2d', {alpha: false, willReadFrequently: true});
    const scale = Math.min(seen.width / picture.width, seen.height / picture.height);
    const [width, height] = [picture.width * scale, picture.height * scale];
    context.drawImage(picture, (seen.width - width) / 2, (seen.height - height) / 2, width, height);
    context.drawImage(overlay, 0, 0);
    return {sequence: element.dataset.sequence, ...window.measure(seen, colour)};
  };
}

/**
 * How far the lines are from the edges of the square, in pixels: at left, right and bottom; the words are at the top.
 * Infinity: one of the two is not to be seen.
 */
export function distance({square, box}) {
  if (square.pixels === 0 || box.pixels === 0) return Infinity;
  return Math.max(...['left', 'right', 'bottom'].map((side) => Math.abs(square[side] - box[side])));
}
