// Full screen where there is such a thing; on iPhones, which have none, the element fills the page instead.

const FILLS_PAGE = 'fills-page';

export function toggleFullScreen(element) {
  if (leaveFilledPage()) return;
  if (document.fullscreenElement) document.exitFullscreen();
  else if (element.requestFullscreen) element.requestFullscreen().catch(() => element.classList.add(FILLS_PAGE));
  else element.classList.add(FILLS_PAGE);
}

/** Escape leaves real full screen by itself, but not our imitation. Returns whether there was one. */
export function leaveFilledPage() {
  const filling = document.querySelector(`.${FILLS_PAGE}`);
  filling?.classList.remove(FILLS_PAGE);
  return Boolean(filling);
}
