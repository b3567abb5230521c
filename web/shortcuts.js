// The keyboard. Tab, and Escape in dialogs and in full screen, do what the browser does with them.
import {filling, leaveFilledPage} from './fullscreen.js';

/**
 * `page` knows: cameras, the cards in their order; columns, how many of them stand in a row; alone, the card that has
 * the page for itself, or null. And it can: open(camera), leave() to the grid, step(distance) to another camera's page,
 * showHelp(), switchBoxes(camera).
 */
export function listenForShortcuts(page) {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    if (event.target.closest('input, select')) return;
    if (act(event, page)) event.preventDefault();
  });
}

// Returns whether the key meant something.
function act(event, page) {
  const camera = currentCamera(page);
  switch (event.key) {
    case 'ArrowLeft': return move(page, camera, -1);
    case 'ArrowRight': return move(page, camera, +1);
    case 'ArrowUp': return !page.alone && move(page, camera, -page.columns);
    case 'ArrowDown': return !page.alone && move(page, camera, +page.columns);
    case 'Escape': return leaveFilledPage() || leave(page);
    case '?': page.showHelp(); return true;
  }
  if (!camera || event.repeat) return false;
  switch (event.key) {
    case ' ': return !event.target.closest('button, a') && click(camera, '.toggle');
    case 'Enter': return event.target === camera.element && page.open(camera);
    case 'f': case 'F': camera.fullScreen(); return true;
    case 's': case 'S': camera.snapshot(); return true;
    case 'd': case 'D': return click(camera, '.detect');
    case 'b': case 'B': page.switchBoxes(camera); return true;
    default: return false;
  }
}

// The one that has the page or the focus, or the only one there is.
function currentCamera({cameras, alone}) {
  const focused = cameras.find((camera) => camera.element.contains(document.activeElement));
  return alone ?? focused ?? (cameras.length === 1 ? cameras[0] : null);
}

function move(page, from, distance) {
  if (filling()) return false;
  if (page.alone) return page.step(distance);
  const target = page.cameras[from ? page.cameras.indexOf(from) + distance : 0];
  if (!target || target.element === document.activeElement) return false;
  target.element.focus();
  return true;
}

function leave(page) {
  if (!page.onCameraPage || filling()) return false;
  page.leave();
  return true;
}

function click(camera, selector) {
  const button = camera.element.querySelector(selector);
  if (button.hidden) return false;
  button.click();
  return true;
}
