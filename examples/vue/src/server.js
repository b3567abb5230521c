/** Where the camera is; told at the build, or the server on the host that this page came from. */
export const BASE = (import.meta.env.VITE_FRAMEPIPE ?? `http://${location.hostname}:8000`).replace(/\/+$/, '');

/** The answer, if it is a good one. Throws an Error that says what the server said, or that there is none. */
export async function ask(method, path) {
  let response;
  try {
    response = await fetch(BASE + path, {method});
  } catch {
    throw new Error(`${BASE} does not answer, or not to this page`);
  }
  if (response.ok) return response;
  const {error} = await response.json().catch(() => ({}));
  throw new Error(error ?? `${response.status} ${response.statusText}`);
}
