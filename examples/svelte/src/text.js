// Figures and their units stay on one line.
export function bandwidth(bitsPerSecond) {
  if (!(bitsPerSecond > 0)) return '–';
  if (bitsPerSecond < 1e6) return `${Math.round(bitsPerSecond / 1e3)}\u00a0kbit/s`;
  return `${(bitsPerSecond / 1e6).toFixed(1)}\u00a0Mbit/s`;
}

export function milliseconds(value) {
  if (!(value >= 0)) return '–';
  return `${value < 10 ? value.toFixed(1) : Math.round(value)}\u00a0ms`;
}

export const count = (value) => (value ?? 0).toLocaleString('en');
