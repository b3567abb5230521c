// Which picture on the screen is the one that the server knows the time of.

const SHOWN_KEPT = 256;   // pictures: eight seconds at 30 fps, and figures come several times a second
const SENT_KEPT = 16;
const SAME_TICKS = 30;    // of 90000 in a second: how both ends round; pictures are far more apart

/** How far apart two RTP timestamps are, in ticks; they begin anew behind 2^32 - 1 (RFC 3550, 5.1). */
export const ticksBetween = (one, other) => Math.abs((one - other) | 0);

/**
 * The page learns of a picture when it is shown, with its RTP timestamp; the server tells of some pictures when they
 * were captured, by the same timestamp. Either may come first.
 */
export class PictureAges {
  #shown = [];  // {rtp, shownMs}, oldest first
  #sent = [];   // {rtp, capturedMs}

  /** A picture is on the screen since `shownMs`. Returns both times of it, or null. */
  show(rtp, shownMs) {
    return this.#meet({rtp, shownMs}, this.#shown, SHOWN_KEPT, this.#sent);
  }

  /** The server captured it at `capturedMs`, by its clock. Returns both times of it, or null. */
  tell(rtp, capturedMs) {
    return this.#meet({rtp, capturedMs}, this.#sent, SENT_KEPT, this.#shown);
  }

  /** Another session counts its timestamps from somewhere else. */
  clear() {
    this.#shown = [];
    this.#sent = [];
  }

  // A picture that is held is sent again with another timestamp and its old time, so nothing is met twice.
  #meet(one, kin, most, others) {
    const at = others.findIndex(({rtp}) => ticksBetween(rtp, one.rtp) <= SAME_TICKS);
    if (at >= 0) {
      const {shownMs, capturedMs} = {...others.splice(at, 1)[0], ...one};
      return {shownMs, capturedMs};
    }
    kin.push(one);
    if (kin.length > most) kin.shift();
    return null;
  }
}
