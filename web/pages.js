// Turns the pages: which cards are to be seen, the way from here to the others, and where the focus goes.
import {isLost} from './focus.js';
import {filling, leaveFilledPage} from './fullscreen.js';
import {GRID, hrefOf, routedCamera} from './route.js';

const TITLE = document.title;

export class Pages {
  /** The camera whose page this is; null: the grid. It may not exist. */
  name = routedCamera(location.hash);
  #cameras = [];
  #gridScroll = 0;

  /** `onTurn()` is called when another page is to be seen, `announce(text)` for those who cannot see it. */
  constructor({onTurn, announce}) {
    addEventListener('hashchange', () => this.#turn(onTurn, announce));
    this.place([]);
  }

  /** The card that has the page for itself, or null. */
  get alone() {
    return this.#cameras.find(({name}) => name === this.name) ?? null;
  }

  /** The cards that are to be seen. */
  get shown() {
    return this.name === null ? this.#cameras : this.#cameras.filter(({name}) => name === this.name);
  }

  /** The cameras there are, in their order. */
  place(cameras) {
    this.#cameras = cameras;
    const shown = this.shown;
    for (const camera of cameras) {
      camera.setAlone(this.name !== null && shown.includes(camera));
      camera.element.hidden = !shown.includes(camera);
    }
    document.documentElement.dataset.page = this.name === null ? 'grid' : 'camera';
    document.title = this.name === null ? TITLE : `${this.name} – ${TITLE}`;
    document.getElementById('path').hidden = this.name === null;
    this.#link('to-previous', 'Previous', -1);
    this.#link('to-next', 'Next', +1);
  }

  open({name}) {
    if (this.name === name || filling()) return false;
    location.hash = hrefOf(name);
    return true;
  }

  leave() {
    location.hash = GRID;
  }

  /** To the page of a neighbour; the last is the first one's. Returns whether there is one. */
  step(distance) {
    const neighbour = this.#neighbour(distance);
    if (neighbour) location.hash = hrefOf(neighbour.name);
    return Boolean(neighbour);
  }

  #turn(onTurn, announce) {
    const before = this.#cameras.find(({name}) => name === this.name);
    if (this.name === null) this.#gridScroll = scrollY;
    this.name = routedCamera(location.hash);
    if (!leaveFilledPage() && document.fullscreenElement) document.exitFullscreen();
    this.place(this.#cameras);
    onTurn();
    scrollTo(0, this.name === null ? this.#gridScroll : 0);
    if (isLost(document.activeElement)) this.#focus(before);
    else announce(this.name === null ? 'All cameras' : `Camera ${this.name}`);
  }

  // The card of this page, in the grid the one we come from.
  #focus(before) {
    const target = this.shown.includes(before) ? before : this.shown[0];
    (target?.element ?? document.getElementById('to-grid')).focus({preventScroll: this.name !== null});
  }

  #neighbour(distance) {
    const count = this.#cameras.length;
    const at = this.#cameras.findIndex(({name}) => name === this.name);
    return at < 0 || count < 2 ? null : this.#cameras[(at + distance + count) % count];
  }

  #link(id, words, distance) {
    const link = document.getElementById(id);
    const neighbour = this.#neighbour(distance);
    link.hidden = !neighbour;
    if (!neighbour) return;
    link.href = hrefOf(neighbour.name);
    link.title = neighbour.name;
    link.setAttribute('aria-label', `${words} camera: ${neighbour.name}`);
  }
}
