// The addresses of pictures, from where the page is: it may stand below a path of another server. Wishes that are empty,
// 0 or null are left out: then they come as the camera sends them.

/** `names`: only these cameras; without it all of them, and those that are added later. */
export function wallUrl({names = [], ...wishes}) {
  return withQuery('wall', {cameras: names, ...wishes});
}

/**
 * For the grid: all cameras, without naming any, unless some are paused; so new ones come by themselves. There is one
 * width for all; a camera that has less sends what it has.
 */
export function gridUrl(cameras, {fps, step}) {
  const running = cameras.filter((camera) => !camera.paused);
  const names = running.length === cameras.length ? [] : running.map((camera) => camera.name);
  const widest = Math.max(0, ...running.map((camera) => camera.size?.width ?? 0));
  return wallUrl({names, fps, width: step < widest ? step : 0});
}

export function streamUrl(name, wishes) {
  return withQuery(`stream/${encodeURIComponent(name)}`, wishes);
}

/** The filter's own pictures: it draws what it found, as nobody else will. */
export function detectStreamUrl(name, wishes) {
  return withQuery(`detect_stream/${encodeURIComponent(name)}`, wishes);
}

/** What the filter finds in one picture of the camera. */
export const detectUrl = (name, filter) => withQuery(`detect_once/${encodeURIComponent(name)}`, throughFilter(filter));

/**
 * The wish for pictures that come through `filter`, null: none. The page draws boxes and the like by itself, in the size
 * that it is seen in; a garment it cannot draw.
 */
export const throughFilter = (filter) => (filter === null ? {} : {filter, overlay: 'garment'});

function withQuery(path, {cameras = [], fps, quality, width, filter, overlay}) {
  const query = [];
  if (cameras.length > 0) query.push(`cameras=${cameras.map(encodeURIComponent).join(',')}`);
  for (const [key, value] of Object.entries({fps, quality, width, filter, overlay})) {
    if (value) query.push(`${key}=${encodeURIComponent(value)}`);
  }
  return query.length > 0 ? `${path}?${query.join('&')}` : path;
}
