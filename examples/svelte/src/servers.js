// Where the pictures come from; told at the build, or the server on the host that this page came from.

/** Relays a camera. */
export const RELAY = withoutSlash(import.meta.env.VITE_FRAMEPIPE ?? `http://${location.hostname}:8000`);

/** Has the cameras that can be added and removed. */
export const MANAGER = withoutSlash(import.meta.env.VITE_FRAMEPIPE_MANAGER ?? RELAY);

/** The JSON that a server answers. Throws an Error that says what the server said, or that there is none. */
export async function ask(method, url) {
  let response;
  try {
    response = await fetch(url, {method});
  } catch {
    throw new Error(`${new URL(url).origin} does not answer, or not to this page`);
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? `${response.status} ${response.statusText}`);
  return answer;
}

function withoutSlash(url) {
  return url.replace(/\/+$/, '');
}
