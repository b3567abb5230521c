/** Keeps the screen on, where the browser can: a tablet that sleeps sends nothing. */
export class WakeLock {
  #wanted = false;
  #lock = null;

  constructor() {
    // The browser takes it away from a page that is out of sight.
    document.addEventListener('visibilitychange', () => this.#follow());
  }

  hold() {
    this.#wanted = true;
    this.#follow();
  }

  release() {
    this.#wanted = false;
    this.#lock?.release().catch(() => {});
    this.#lock = null;
  }

  async #follow() {
    if (!this.#wanted || document.visibilityState !== 'visible' || !navigator.wakeLock) return;
    const lock = await navigator.wakeLock.request('screen').catch(() => null);  // a battery that is low
    if (!this.#wanted) lock?.release().catch(() => {});
    else this.#lock = lock ?? this.#lock;
  }
}
