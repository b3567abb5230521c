// Takes a multipart stream apart, chunk by chunk as it comes from the network.

export const MAX_BODY_BYTES = 32 * 1024 * 1024;  // as the server's limit: eight times the largest frame of a 4K camera
export const MAX_HEADER_BYTES = 64 * 1024;

const LF = 10;
const CR = 13;

/** The stream is not what it says to be; there is no way to find the next part. */
export class MultipartError extends Error {}

/** The header fields of a part, by their names in lower case. */
export class PartHeaders {
  #values = new Map();

  add(name, value) {
    const values = this.#values.get(name);
    if (values) values.push(value);
    else this.#values.set(name, [value]);
  }

  /** The last of that name; undefined: there is none. */
  get(name) {
    return this.all(name).at(-1);
  }

  /** In their order: X-Detections may be there several times. */
  all(name) {
    return this.#values.get(name) ?? [];
  }
}

/** The boundary that a Content-Type header names, or null: 'multipart/mixed; boundary=frame' -> 'frame'. */
export function boundaryOf(contentType) {
  const match = /^multipart\/[^;]+;(?:.*;)?\s*boundary=(?:"([^"]+)"|([^\s;"]+))/i.exec(contentType ?? '');
  return match ? match[1] ?? match[2] : null;
}

/**
 * Calls `onPart({headers, body})` for each whole part: `headers` are PartHeaders, `body` a Uint8Array of
 * its own. Every part must carry Content-Length, so a body is never searched: each byte of it is copied
 * once, however the network cuts the stream. Memory: one body and one header block, within the limits above.
 */
export class MultipartParser {
  #delimiter;
  #onPart;
  #pieces = [];         // of the line that is not yet complete
  #pieceBytes = 0;
  #blockBytes = 0;      // of all lines since the last body
  #headers = null;      // null: between two parts
  #body = null;         // null: not in a body
  #bodyFilled = 0;
  #ended = false;       // the closing delimiter came

  constructor(boundary, onPart) {
    this.#delimiter = `--${boundary}`;
    this.#onPart = onPart;
  }

  /** Throws MultipartError, after which the parser is of no further use; what `onPart` throws comes through. */
  push(chunk) {
    let at = 0;
    while (at < chunk.length && !this.#ended) {
      at = this.#body ? this.#takeBody(chunk, at) : this.#takeLine(chunk, at);
    }
  }

  #takeBody(chunk, at) {
    const end = Math.min(chunk.length, at + this.#body.length - this.#bodyFilled);
    this.#body.set(chunk.subarray(at, end), this.#bodyFilled);
    this.#bodyFilled += end - at;
    if (this.#bodyFilled === this.#body.length) this.#finishPart();
    return end;
  }

  #takeLine(chunk, at) {
    const lineFeed = chunk.indexOf(LF, at);
    const end = lineFeed < 0 ? chunk.length : lineFeed + 1;
    this.#blockBytes += end - at;
    if (this.#blockBytes > MAX_HEADER_BYTES) throw new MultipartError('a header block of over 64 KiB');

    this.#pieces.push(chunk.slice(at, end));
    this.#pieceBytes += end - at;
    if (lineFeed >= 0) this.#line(this.#joinPieces());
    return end;
  }

  #joinPieces() {
    const bytes = new Uint8Array(this.#pieceBytes);
    let filled = 0;
    for (const piece of this.#pieces) {
      bytes.set(piece, filled);
      filled += piece.length;
    }
    this.#pieces = [];
    this.#pieceBytes = 0;
    const end = bytes.at(-2) === CR ? -2 : -1;
    return new TextDecoder().decode(bytes.subarray(0, end));
  }

  #line(line) {
    if (!this.#headers) this.#lineBetweenParts(line.trimEnd());
    else if (line === '') this.#beginBody();
    else this.#header(line);
  }

  #lineBetweenParts(line) {
    if (line === this.#delimiter) this.#headers = new PartHeaders();
    else if (line === `${this.#delimiter}--`) this.#ended = true;
    else if (line !== '') throw new MultipartError('a part does not end where its Content-Length says');
  }

  #header(line) {
    const colon = line.indexOf(':');
    if (colon < 1) throw new MultipartError('a header line without a name');
    this.#headers.add(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }

  #beginBody() {
    const length = this.#headers.get('content-length') ?? '';
    if (!/^\d+$/.test(length)) throw new MultipartError('a part without Content-Length');
    if (Number(length) > MAX_BODY_BYTES) throw new MultipartError('a part of over 32 MiB');
    this.#body = new Uint8Array(Number(length));
    this.#bodyFilled = 0;
    if (this.#body.length === 0) this.#finishPart();
  }

  #finishPart() {
    const part = {headers: this.#headers, body: this.#body};
    this.#headers = null;
    this.#body = null;
    this.#blockBytes = 0;
    this.#onPart(part);
  }
}
