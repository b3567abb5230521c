// Numbers for people: short, of steady width, and a dash for what is not known.

const UNKNOWN = '–';

export function size(width, height) {
  return width > 0 && height > 0 ? `${width}×${height}` : UNKNOWN;
}

export function fps(perSecond) {
  if (!Number.isFinite(perSecond)) return UNKNOWN;
  return `${perSecond.toFixed(1)} fps`;
}

/** Below a second in steps of 10 ms: more would only flicker. */
export function age(seconds) {
  if (!Number.isFinite(seconds)) return UNKNOWN;
  const positive = Math.max(0, seconds);
  if (positive < 0.995) return `${Math.round(positive * 100) * 10} ms`;
  if (positive < 9.95) return `${positive.toFixed(1)} s`;
  return duration(positive);
}

/** Of work that takes a moment: '23 ms', below ten with a decimal. */
export function milliseconds(ms) {
  if (!Number.isFinite(ms)) return UNKNOWN;
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

export function duration(seconds) {
  if (!Number.isFinite(seconds)) return UNKNOWN;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

export function count(number) {
  if (!Number.isFinite(number)) return UNKNOWN;
  if (number < 100000) return String(number);
  return number < 1e7 ? `${Math.floor(number / 1000)} k` : `${Math.floor(number / 1e6)} M`;
}

export function bitrate(bitsPerSecond) {
  if (!Number.isFinite(bitsPerSecond)) return UNKNOWN;
  if (bitsPerSecond < 1e6) return `${Math.round(bitsPerSecond / 1000)} kbit/s`;
  const mega = bitsPerSecond / 1e6;
  return `${mega < 100 ? mega.toFixed(1) : Math.round(mega)} Mbit/s`;
}

/** 20251121-041907, local time: for file names. */
export function stamp(date) {
  const two = (number) => String(number).padStart(2, '0');
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  return `${day}-${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
}

export function plural(number, noun) {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
