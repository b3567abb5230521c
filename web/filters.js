// The programs that the server can send pictures through, and what was chosen of them on this page. What runs for
// somebody costs the server work, so none of it outlives the page.

export class Filters {
  #all = [];            // the server's figures
  #chosen = new Map();  // by camera: the name of a filter, which may have gone
  #live = new Set();    // cameras

  /** The server's figures of them; undefined: it knows none. */
  describe(filters = []) {
    this.#all = filters;
  }

  get names() {
    return this.#all.map(({name}) => name);
  }

  /** The one for this camera; null: there is none. */
  chosenFor(camera) {
    const chosen = this.#chosen.get(camera);
    return this.names.includes(chosen) ? chosen : this.names[0] ?? null;
  }

  choose(camera, filter) {
    this.#chosen.set(camera, filter);
  }

  /** The one that this camera's pictures come through; null: none. */
  liveOf(camera) {
    return this.#live.has(camera) ? this.chosenFor(camera) : null;
  }

  setLive(camera, live) {
    if (live) this.#live.add(camera);
    else this.#live.delete(camera);
  }

  /** Why the camera's pictures do not come through it, in words; '' if they do, or need not. */
  problemOf({name: camera, isSilent}) {
    const live = this.liveOf(camera);
    if (live === null) return '';
    const {name, status, trouble} = this.#all.find(({name}) => name === live);
    if (status === 'restarting') return `The filter ${name} is being started again${trouble ? `: ${trouble}` : ''}`;
    if (!isSilent) return '';
    return `The filter ${name} ${status === 'starting' ? 'is starting' : 'does not answer'}`;
  }
}

/** Offers `names` in `select`, `chosen` of them chosen. */
export function offer(select, names, chosen) {
  const offered = [...select.options].map(({value}) => value);
  if (offered.length !== names.length || names.some((name, at) => name !== offered[at])) {
    select.replaceChildren(...names.map((name) => new Option(name, name)));
  }
  if (chosen !== null && select.value !== chosen) select.value = chosen;
}
