export function bandwidth(bitsPerSecond) {
  if (!(bitsPerSecond > 0)) return '–';
  return bitsPerSecond < 1e6 ? `${Math.round(bitsPerSecond / 1e3)} kbit/s` : `${(bitsPerSecond / 1e6).toFixed(1)} Mbit/s`;
}

export function milliseconds(value) {
  if (!(value >= 0)) return '–';
  return value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
}

export const count = (value) => (value ?? 0).toLocaleString('en');
