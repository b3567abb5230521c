// What somebody chose for a camera, kept in this browser. '' means: as it comes.

export const VALUES = {
  quality: ['', 'auto', '90', '80', '70', '60', '50', '40', '30'],
  fps: ['', '60', '30', '15', '10', '5'],
  scale: ['', '0.75', '0.5', '0.25'],  // of the camera's own width
  boxes: ['', 'off'],                  // round what was found, drawn by the page
  transport: ['', 'webrtc'],           // how pictures come, on the camera's own page
};

const kept = new Map();  // by camera; holds also what the storage does not take

/** An object with a key for each of VALUES. */
export function choicesOf(name) {
  if (!kept.has(name)) kept.set(name, cleaned(stored(name)));
  return kept.get(name);
}

export function choose(name, changes) {
  const choices = cleaned({...choicesOf(name), ...changes});
  kept.set(name, choices);
  try {
    localStorage.setItem(keyOf(name), JSON.stringify(choices));
  } catch {
    // Full, or not allowed: the choice holds until the page is closed.
  }
}

/** The same as wishes for urls.js. `ownWidth` is the camera's in pixels; no width is asked for until it is known. */
export function wishesOf(name, ownWidth) {
  const {quality, fps, scale} = choicesOf(name);
  return {quality, fps, width: scale && ownWidth > 0 ? scaled(ownWidth, scale) : 0};
}

/** Even, as subsampled colours like it. */
export const scaled = (length, scale) => Math.max(2, Math.round(length * Number(scale || 1) / 2) * 2);

const keyOf = (name) => `framepipe.camera.${name}`;

function stored(name) {
  try {
    return JSON.parse(localStorage.getItem(keyOf(name)));
  } catch {
    return null;
  }
}

function cleaned(choices) {
  return Object.fromEntries(Object.entries(VALUES).map(([key, values]) =>
    [key, values.includes(choices?.[key]) ? choices[key] : '']));
}
