// Which page the address means: '#/' is the grid, '#/camera/NAME' one camera. A link to either works from outside.

const CAMERA = /^#\/camera\/([^/]+)$/;

export const GRID = '#/';

export const hrefOf = (name) => `#/camera/${encodeURIComponent(name)}`;

/** The camera that the address names, or null: the grid. */
export function routedCamera(hash) {
  const [, name] = CAMERA.exec(hash) ?? [];
  if (!name) return null;
  try {
    return decodeURIComponent(name);
  } catch {
    return null;  // a stray '%'
  }
}
