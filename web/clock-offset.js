const WINDOW_MS = 60000;  // clocks drift, and a tablet's is set anew now and then

/** Milliseconds of UNIX time on this machine's own steady clock: about right at page load, and never set back. */
export const localMs = () => performance.timeOrigin + performance.now();

/**
 * How the server's clock differs from ours, by pings: its time in the answer lies somewhere between our question and the
 * arrival of the answer. The ping that was answered soonest says it best, and to half of its time.
 */
export class ClockOffset {
  #pings = [];  // {received, roundTrip, offset}, oldest first; those that no later one is better than
  #best = null;

  /** `sent` and `received` by our clock, `server` by the server's; all in milliseconds. */
  observe({sent, server, received}) {
    const roundTrip = received - sent;
    if (!(roundTrip >= 0) || !Number.isFinite(server)) return;
    const ping = {received, roundTrip, offset: server - (sent + received) / 2};
    this.#pings = this.#pings.filter((old) => received - old.received < WINDOW_MS && old.roundTrip < roundTrip);
    this.#pings.push(ping);
    this.#best = this.#pings[0];
  }

  /** Another connection, perhaps another server: the old guess holds until a ping is answered. */
  restart() {
    this.#pings = [];
  }

  /** What to add to our time to get the server's, in milliseconds; null: not known yet. */
  get offset() {
    return this.#best?.offset ?? null;
  }

  /** How far off that may be, in milliseconds; null: not known yet. */
  get error() {
    return this.#best === null ? null : this.#best.roundTrip / 2;
  }

  get roundTrip() {
    return this.#best?.roundTrip ?? null;
  }
}
