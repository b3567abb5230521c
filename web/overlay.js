// Draws what was found over a picture.
import {wordsOf} from './detections.js';

const LEAST_SURE = 0.3;  // of a keypoint that is drawn

// After Okabe and Ito: apart for the colour-blind, too.
const COLOURS = ['#e69f00', '#56b4e9', '#00c08b', '#f0e442', '#ff7a33', '#e58cc0', '#9db8ff', '#ffffff'];
const DARK = '#101214';  // around lines and under words, so that they show on any picture

// Pairs of keypoints, by how many there are: the 17 of COCO's bodies, the 21 of MediaPipe's hands.
const SKELETONS = new Map([
  [17, [[0, 1], [0, 2], [1, 3], [2, 4], [5, 6], [5, 7], [7, 9], [6, 8], [8, 10], [5, 11], [6, 12], [11, 12], [11, 13],
    [13, 15], [12, 14], [14, 16]]],
  [21, [[0, 1], [1, 2], [2, 3], [3, 4], [0, 5], [5, 6], [6, 7], [7, 8], [5, 9], [9, 10], [10, 11], [11, 12], [9, 13],
    [13, 14], [14, 15], [15, 16], [13, 17], [17, 18], [18, 19], [19, 20], [0, 17]]],
]);

/** The same one for a label each time and everywhere. */
export function colourOf(label) {
  let hash = 2166136261;  // FNV-1a
  for (const character of label) hash = Math.imul(hash ^ character.codePointAt(0), 16777619);
  return COLOURS[(hash >>> 8) % COLOURS.length];
}

/** Where a picture lies in a room of `width` x `height` that it is fitted into whole, as by object-fit: contain. */
export function placeIn(width, height, picture) {
  const scale = Math.min(width / picture.width, height / picture.height);
  const [w, h] = [picture.width * scale, picture.height * scale];
  return {x: (width - w) / 2, y: (height - h) / 2, width: w, height: h, scale};
}

/**
 * `detections` as of detections.js, in pixels of the picture, which lies at `place` (placeIn()) on the canvas of
 * `context`. `unit`: how many pixels of the canvas make one that people see.
 */
export function drawDetections(context, detections, place, unit) {
  const size = Math.min(20, Math.max(11, place.width / unit / 56)) * unit;
  const pen = {context, place, unit, size, line: Math.max(1.5 * unit, size / 7), badges: 0};
  context.save();
  context.beginPath();
  context.rect(place.x, place.y, place.width, place.height);
  context.clip();
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.textBaseline = 'middle';
  context.lineJoin = 'round';
  context.lineCap = 'round';
  const objects = detections.flatMap((one) => one.objects);
  for (const object of objects) drawPoints(pen, object);
  for (const object of objects) drawBox(pen, object);
  for (const object of objects) drawWords(pen, object);  // above all lines
  context.restore();
}

/** A canvas above a picture, that follows the size of its element and the pixels of the display. */
export class Overlay {
  #canvas;
  #context;
  #shown = null;   // {detections, width, height}
  #visible = true;
  #room = null;    // of the element, CSS pixels

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d');
    // Told between layout and painting: a new size and the boxes in it are seen together.
    new ResizeObserver(([{contentRect}]) => {
      this.#room = contentRect;
      this.#draw();
    }).observe(canvas);
  }

  /** To be called in the task that draws the picture of `width` x `height` pixels: both are painted together then. */
  show(detections, {width, height}) {
    const wasEmpty = this.#isEmpty;
    this.#shown = {detections, width, height};
    if (!wasEmpty || !this.#isEmpty) this.#draw();
  }

  setVisible(visible) {
    if (visible === this.#visible) return;
    this.#visible = visible;
    this.#draw();
  }

  get #isEmpty() {
    return !this.#visible || !this.#shown?.detections.some(({objects}) => objects.length > 0);
  }

  #draw() {
    const unit = devicePixelRatio;
    const [width, height] = [this.#room?.width ?? 0, this.#room?.height ?? 0].map((side) => Math.round(side * unit));
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    this.#context.clearRect(0, 0, width, height);
    if (this.#isEmpty || width === 0 || height === 0) return;
    drawDetections(this.#context, this.#shown.detections, placeIn(width, height, this.#shown), unit);
  }
}

// A line with a dark edge.
function stroke({context, line, unit}, colour) {
  context.lineWidth = line + 2 * unit;
  context.strokeStyle = DARK;
  context.globalAlpha = 0.55;
  context.stroke();
  context.globalAlpha = 1;
  context.lineWidth = line;
  context.strokeStyle = colour;
  context.stroke();
}

// Numbers may be as far off as there are: what lies outside is cut just beyond the edge.
function toCanvas({place, line}, x, y) {
  const cut = (value, length) => Math.min(length + 4 * line, Math.max(-4 * line, value));
  return [place.x + cut(x * place.scale, place.width), place.y + cut(y * place.scale, place.height)];
}

function corners(pen, [x, y, width, height]) {
  const [left, top] = toCanvas(pen, x, y);
  const [right, bottom] = toCanvas(pen, x + width, y + height);
  return {left, top, right, bottom};
}

function drawBox(pen, {label, box}) {
  if (!box) return;
  const {left, top, right, bottom} = corners(pen, box);
  pen.context.beginPath();
  pen.context.rect(left, top, right - left, bottom - top);
  stroke(pen, colourOf(label));
}

function drawPoints(pen, {label, keypoints}) {
  const {context, line} = pen;
  const sure = (point) => point && point[2] >= LEAST_SURE;
  context.beginPath();
  for (const pair of SKELETONS.get(keypoints.length) ?? []) {
    const [a, b] = pair.map((at) => keypoints[at]);
    if (!sure(a) || !sure(b)) continue;
    context.moveTo(...toCanvas(pen, a[0], a[1]));
    context.lineTo(...toCanvas(pen, b[0], b[1]));
  }
  stroke(pen, colourOf(label));
  context.fillStyle = colourOf(label);
  for (const point of keypoints.filter(sure)) {
    const [x, y] = toCanvas(pen, point[0], point[1]);
    context.beginPath();
    context.arc(x, y, line * 1.4, 0, 2 * Math.PI);
    context.lineWidth = pen.unit;
    context.strokeStyle = DARK;
    context.stroke();
    context.fill();
  }
}

// Above the box, or inside it where the picture ends. What has no place, as a gesture, stands in the picture's corner.
function drawWords(pen, object) {
  const {context, place, size, line} = pen;
  const words = wordsOf(object);
  const height = Math.round(size * 1.45);
  const width = Math.min(place.width, context.measureText(words).width + size * 0.8);
  let x = place.x;
  let y = place.y + pen.badges * height;
  if (object.box) {
    const {left, top} = corners(pen, object.box);
    x = Math.min(left - line / 2, place.x + place.width - width);
    y = top - line / 2 - height;
    if (y < place.y) y = Math.min(top - line / 2, place.y + place.height - height);
  } else {
    pen.badges += 1;
  }
  x = Math.max(place.x, x);
  y = Math.max(place.y, y);
  context.fillStyle = colourOf(object.label);
  context.fillRect(x, y, width, height);
  context.fillStyle = DARK;
  context.fillText(words, x + size * 0.4, y + height * 0.53, width - size * 0.8);
}
