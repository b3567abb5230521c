// Pictures in pieces, as webrtc-ingest(1) has them: a data channel takes messages of 64 KiB at most everywhere.

export const HEADER_BYTES = 16;
export const MESSAGE_BYTES = 16384;  // with the header: small enough for every browser, and for others between them
const MOST_PIECES = 4096;

/** The largest picture that can be sent at all. */
export const MOST_BYTES = MOST_PIECES * (MESSAGE_BYTES - HEADER_BYTES);

/**
 * The messages that carry `picture`, an ArrayBuffer of 1 to MOST_BYTES bytes, one after the other. All numbers in network
 * order: the picture's `number` (32 bits), the piece's index from 0 (16), how many there are (16), `capturedMs` in
 * milliseconds of UNIX time (64, IEEE 754).
 */
export function* piecesOf(picture, number, capturedMs) {
  const room = MESSAGE_BYTES - HEADER_BYTES;
  const count = Math.ceil(picture.byteLength / room);
  for (let index = 0; index < count; index += 1) {
    const piece = new Uint8Array(picture, index * room, Math.min(room, picture.byteLength - index * room));
    const message = new Uint8Array(HEADER_BYTES + piece.length);
    const header = new DataView(message.buffer);
    header.setUint32(0, number);
    header.setUint16(4, index);
    header.setUint16(6, count);
    header.setFloat64(8, capturedMs);
    message.set(piece, HEADER_BYTES);
    yield message.buffer;
  }
}
