// The keyboard. Tab and Escape do what the browser does with them.
import {leaveFilledPage} from './fullscreen.js';

/** `cameras()` gives the cards in the order of the page, `columns()` how many of them stand in a row. */
export function listenForShortcuts({cameras, columns, showHelp}) {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    if (act(event, cameras(), columns(), showHelp)) event.preventDefault();
  });
}

// Returns whether the key meant something.
function act(event, cameras, columns, showHelp) {
  const camera = currentCamera(cameras);
  switch (event.key) {
    case 'ArrowLeft': return move(cameras, camera, -1);
    case 'ArrowRight': return move(cameras, camera, +1);
    case 'ArrowUp': return move(cameras, camera, -columns);
    case 'ArrowDown': return move(cameras, camera, +columns);
    case 'Escape': return leaveFilledPage();
    case '?': showHelp(); return true;
  }
  if (!camera || event.repeat) return false;
  switch (event.key) {
    case ' ': return !event.target.closest('button, a') && click(camera, '.toggle');
    case 'f': case 'F': camera.fullScreen(); return true;
    case 's': case 'S': camera.snapshot(); return true;
    default: return false;
  }
}

// The camera with the focus, or the only one there is.
function currentCamera(cameras) {
  const focused = cameras.find((camera) => camera.element.contains(document.activeElement));
  return focused ?? (cameras.length === 1 ? cameras[0] : null);
}

function move(cameras, from, distance) {
  const target = from ? cameras.indexOf(from) + distance : 0;
  if (!cameras[target] || cameras[target].element === document.activeElement) return false;
  cameras[target].element.focus();
  return true;
}

function click(camera, selector) {
  camera.element.querySelector(selector).click();
  return true;
}
