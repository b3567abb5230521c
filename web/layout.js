// The room on the page and what is made of it.

/**
 * How to arrange `count` cards so that the pictures are as large as they can be with all in sight. All lengths in px:
 * `width` and `height` of the room, `gap` between cards, `chrome` the height of a card without its picture, `ratio` of
 * the pictures (width / height), `narrowest` the width below which a card is no use: then the page scrolls instead.
 */
export function arrange({count, width, height, gap, chrome, ratio, narrowest}) {
  const columnWidth = (columns) => (width - gap * (columns - 1)) / columns;
  let best = {columns: 1, cardWidth: 0};
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const pictureHeight = (height - gap * (rows - 1)) / rows - chrome;
    const cardWidth = Math.floor(Math.min(columnWidth(columns), pictureHeight * ratio));
    if (cardWidth > best.cardWidth) best = {columns, cardWidth};
  }
  if (best.cardWidth >= narrowest) return best;

  const columns = Math.max(1, Math.min(count, Math.floor((width + gap) / (narrowest + gap))));
  const wholePicture = Math.max(narrowest, height * ratio);
  return {columns, cardWidth: Math.floor(Math.min(columnWidth(columns), wholePicture))};
}

/** Arranges the cards in `wall` (see .wall in style.css for the custom properties). */
export class Layout {
  columns = 1;
  pictureWidth = 0;  // CSS pixels; 0 while there are no cards
  #wall;
  #page = '';
  #count = 0;
  #ratio = 16 / 9;

  constructor(wall) {
    this.#wall = wall;
  }

  /** For the cameras that are to be seen, as in the server's figures. `page`: another one has another room. */
  fit(cameras, page) {
    const ratio = commonRatio(cameras);
    if (cameras.length === this.#count && ratio === this.#ratio && page === this.#page) return;
    this.#page = page;
    this.#count = cameras.length;
    this.#ratio = ratio;
    this.apply();
  }

  /** Again, when the room has changed. */
  apply() {
    const width = this.#wall.clientWidth;
    this.#applyTo(width);
    // The cards may have brought a scroll bar, or taken it away.
    if (this.#wall.clientWidth !== width) this.#applyTo(this.#wall.clientWidth);
  }

  #applyTo(width) {
    const root = document.documentElement;
    const style = getComputedStyle(this.#wall);
    const rem = parseFloat(getComputedStyle(root).fontSize);
    const length = (property) => parseFloat(style.getPropertyValue(property)) * rem;
    const {columns, cardWidth} = arrange({
      count: this.#count,
      width,
      height: root.clientHeight - this.#wall.offsetTop - length('--gap'),
      gap: length('--gap'),
      chrome: length('--chrome'),
      ratio: this.#ratio,
      narrowest: length('--narrowest'),
    });
    this.columns = columns;
    this.pictureWidth = this.#count > 0 ? cardWidth - 2 : 0;  // borders
    this.#wall.style.setProperty('--columns', columns);
    this.#wall.style.setProperty('--card', `${cardWidth}px`);
    this.#wall.style.setProperty('--ratio', this.#ratio);
  }
}

// The shape that most cameras have is the shape of all screens; pictures of another get bars.
function commonRatio(cameras) {
  const votes = new Map();
  for (const {width, height} of cameras) {
    if (width > 0 && height > 0) votes.set(width / height, (votes.get(width / height) ?? 0) + 1);
  }
  const [ratio] = [...votes].sort((a, b) => b[1] - a[1])[0] ?? [16 / 9];
  return ratio;
}
