// Whoever uses the keyboard must not be thrown back to the top of the page when something there changes.

/** Whether the focus is nowhere: on the page itself, or on what is not to be seen. */
export const isLost = (element) => !element || element === document.body || element.getClientRects().length === 0;

/**
 * Before cards are moved or removed. Returns what to do afterwards, with the cards that are then to be seen: a card
 * that was moved gets the focus back, one that is gone leaves it to the one in its place, the last one to `fallback`.
 */
export function holdFocus(cards, fallback) {
  const focused = document.activeElement;
  const hadFocus = !isLost(focused);
  const at = cards.findIndex(({element}) => element.contains(focused));
  return (shown) => {
    if (!hadFocus || (document.activeElement === focused && !isLost(focused))) return;
    const neighbour = shown[Math.max(0, Math.min(at, shown.length - 1))]?.element;
    const target = isLost(focused) ? neighbour ?? fallback : focused;
    target.focus({preventScroll: true});
  };
}
