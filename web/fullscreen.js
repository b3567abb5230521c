// Full screen where there is such a thing; on iPhones, which have none, the element fills the page instead.

const FILLS_PAGE = 'fills-page';

/** Of the document, whenever filling() may be another. */
export const FILL_EVENTS = ['fullscreenchange', 'fillspagechange'];

/** The element that fills the screen or the page, or null. */
export function filling() {
  return document.fullscreenElement ?? document.querySelector(`.${FILLS_PAGE}`);
}

export function toggleFullScreen(element) {
  if (leaveFilledPage()) return;
  if (document.fullscreenElement) document.exitFullscreen();
  else if (element.requestFullscreen) element.requestFullscreen().catch(() => fillPage(element));
  else fillPage(element);
}

/** Escape leaves real full screen by itself, but not our imitation. Returns whether there was one. */
export function leaveFilledPage() {
  const element = document.querySelector(`.${FILLS_PAGE}`);
  if (!element) return false;
  element.classList.remove(FILLS_PAGE);
  document.dispatchEvent(new Event('fillspagechange'));
  return true;
}

function fillPage(element) {
  element.classList.add(FILLS_PAGE);
  document.dispatchEvent(new Event('fillspagechange'));
}
