// What X-Detections says about a picture, made safe to use: numbers are numbers, labels are short lines of text.

const MOST_OBJECTS = 500;      // a header has 16 KiB; people see far fewer
const LONGEST_LABEL = 48;      // characters
const LONGEST_MODEL = 64;

// What would hide text, or turn it round: control characters, and those for writing from right to left.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;

/**
 * One for each header of `texts` that can be read: {model, ms, error, truncated, objects: [{label, confidence, box,
 * keypoints, seconds}]}. `model`, `error` and `label` are '' when they are missing; `ms`, `confidence` (0 to 1), `box`
 * ([x, y, w, h] in pixels of the frame) and `seconds` ([from, to] of a gesture) null; `keypoints` ([[x, y, c], ...]) [].
 */
export function readDetections(texts) {
  return cleanDetections(texts.map(parsed));
}

/** The same from what was read as JSON already. */
export function cleanDetections(list) {
  return Array.isArray(list) ? list.map(clean).filter((detections) => detections !== null) : [];
}

/** 'person 91%', as it stands in the picture. */
export const wordsOf = ({label, confidence}) => [label || 'object', percent(confidence)].filter(Boolean).join(' ');

/** '91%', or '' for null. */
export const percent = (confidence) => (confidence === null ? '' : `${Math.round(confidence * 100)}%`);

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function clean(json) {
  if (!isObject(json) || !Array.isArray(json.objects)) return null;
  return {
    model: line(json.model, LONGEST_MODEL),
    ms: number(json.ms),
    error: line(json.error, 200),
    truncated: json.truncated === true || json.objects.length > MOST_OBJECTS,
    objects: json.objects.slice(0, MOST_OBJECTS).filter(isObject).map(cleanObject),
  };
}

function cleanObject({label, confidence, box, keypoints, t_start: from, t_end: to}) {
  return {
    label: line(label, LONGEST_LABEL),
    confidence: number(confidence) === null ? null : Math.min(1, Math.max(0, confidence)),
    box: isBox(box) ? box.slice(0, 4) : null,
    keypoints: Array.isArray(keypoints) ? keypoints.map(cleanPoint) : [],
    seconds: number(from) === null || number(to) === null ? null : [from, to],
  };
}

// A point that cannot be read stays, as one nobody is sure of: its place in the list says what it is.
function cleanPoint(point) {
  if (!Array.isArray(point) || number(point[0]) === null || number(point[1]) === null) return [0, 0, 0];
  return [point[0], point[1], point.length < 3 ? 1 : number(point[2]) ?? 0];
}

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

const isBox = (box) =>
  Array.isArray(box) && box.length >= 4 && box.slice(0, 4).every(Number.isFinite) && box[2] > 0 && box[3] > 0;

const number = (value) => (Number.isFinite(value) ? value : null);

function line(value, longest) {
  if (typeof value !== 'string') return '';
  const characters = [...value.replace(UNSEEN, ' ').trim()];
  return characters.length > longest ? `${characters.slice(0, longest - 1).join('')}…` : characters.join('');
}
