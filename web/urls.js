// The addresses of pictures. Wishes that are empty, 0 or null are left out: then they come as the camera sends them.

/** `names`: only these cameras; without it all of them, and those that are added later. */
export function wallUrl({names = [], ...wishes}) {
  return withQuery('/wall', {cameras: names, ...wishes});
}

export function streamUrl(name, wishes) {
  return withQuery(`/stream/${encodeURIComponent(name)}`, wishes);
}

function withQuery(path, {cameras = [], fps, quality, width}) {
  const query = [];
  if (cameras.length > 0) query.push(`cameras=${cameras.map(encodeURIComponent).join(',')}`);
  for (const [key, value] of Object.entries({fps, quality, width})) {
    if (value) query.push(`${key}=${encodeURIComponent(value)}`);
  }
  return query.length > 0 ? `${path}?${query.join('&')}` : path;
}
