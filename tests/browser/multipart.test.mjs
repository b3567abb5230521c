// Run with: node --test tests/browser/
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {MAX_BODY_BYTES, MAX_HEADER_BYTES, MultipartError, MultipartParser, boundaryOf} from '../../web/multipart.js';

const bytes = (text) => new TextEncoder().encode(text);
const join = (...pieces) =>
    new Uint8Array(pieces.flatMap((piece) => [...(typeof piece === 'string' ? bytes(piece) : piece)]));

// A body may look like a stream.
const JPEG = join([0xff, 0xd8], '\r\n--frame\r\nContent-Length: 7\r\n\r\n', [0, 0xff, 0xd9]);
const FIGURES = bytes('{"cameras":[]}');
const STREAM = join(
    '--frame\r\nContent-Type: application/json\r\n', `Content-Length: ${FIGURES.length}\r\n\r\n`, FIGURES, '\r\n',
    '--frame\r\nContent-Type: image/jpeg\r\n', `Content-Length: ${JPEG.length}\r\n`,
    'X-Timestamp: 1763688000.123456\r\nX-Sequence: 42\r\nX-Camera: front\r\n\r\n', JPEG, '\r\n',
    '--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 0\r\n\r\n\r\n');

function parse(chunks) {
  const parts = [];
  const parser = new MultipartParser('frame', (part) => parts.push(part));
  for (const chunk of chunks) parser.push(chunk);
  return parts;
}

function checkStream(parts) {
  assert.equal(parts.length, 3);
  assert.equal(parts[0].headers.get('content-type'), 'application/json');
  assert.deepEqual(parts[0].body, FIGURES);
  assert.equal(parts[1].headers.get('x-camera'), 'front');
  assert.equal(parts[1].headers.get('x-sequence'), '42');
  assert.equal(parts[1].headers.get('x-timestamp'), '1763688000.123456');
  assert.deepEqual(parts[1].body, JPEG);
  assert.equal(parts[2].body.length, 0);
}

test('parts come out whole from one chunk', () => checkStream(parse([STREAM])));

test('parts come out the same wherever the stream is cut in two', () => {
  for (let cut = 0; cut <= STREAM.length; cut += 1) checkStream(parse([STREAM.subarray(0, cut), STREAM.subarray(cut)]));
});

test('parts come out the same from chunks of any size, one byte included', () => {
  for (let size = 1; size <= 64; size += 1) {
    const chunks = [];
    for (let at = 0; at < STREAM.length; at += size) chunks.push(STREAM.subarray(at, at + size));
    checkStream(parse(chunks));
  }
});

test('a part is handed on with its last byte, without waiting for the next boundary', () => {
  const parts = parse([bytes('--frame\r\nContent-Length: 2\r\n\r\nab')]);
  assert.deepEqual(parts[0].body, bytes('ab'));
});

test('a body is its own copy: the chunk may be reused', () => {
  const chunk = bytes('--frame\r\nContent-Length: 2\r\n\r\nab');
  const [part] = parse([chunk]);
  chunk.fill(0);
  assert.deepEqual(part.body, bytes('ab'));
});

test('header names lose their case, values their padding; lines may end with LF alone', () => {
  const [part] = parse([bytes('--frame\nCONTENT-length:   2  \nx-Camera:\tfront \n\nab\n')]);
  assert.equal(part.headers.get('content-length'), '2');
  assert.equal(part.headers.get('x-camera'), 'front');
});

test('nothing is read after the closing delimiter', () => {
  const parts = parse([bytes('--frame\r\nContent-Length: 1\r\n\r\na\r\n--frame--\r\nwhatever'), bytes('\r\nmore')]);
  assert.equal(parts.length, 1);
});

test('what the receiver of a part throws comes through', () => {
  const parser = new MultipartParser('frame', () => { throw new RangeError('mine'); });
  assert.throws(() => parser.push(STREAM), RangeError);
});

test('a part without a usable Content-Length is refused', () => {
  assert.throws(() => parse([bytes('--frame\r\nX-Camera: a\r\n\r\n')]), MultipartError);
  for (const length of ['', '-1', '1e3', '12x']) {
    assert.throws(() => parse([bytes(`--frame\r\nContent-Length: ${length}\r\n\r\n`)]), MultipartError, length);
  }
});

test('a part of over 32 MiB is refused before its body comes', () => {
  const head = (length) => [bytes(`--frame\r\nContent-Length: ${length}\r\n\r\n`)];
  assert.throws(() => parse(head(MAX_BODY_BYTES + 1)), MultipartError);
  assert.throws(() => parse(head('9'.repeat(400))), MultipartError);
  assert.deepEqual(parse(head(MAX_BODY_BYTES)), []);
});

test('a header block of over 64 KiB is refused, in one line or in many', () => {
  assert.throws(() => parse([bytes(`--frame\r\nX-Long: ${'x'.repeat(MAX_HEADER_BYTES)}`)]), MultipartError);
  assert.throws(() => parse([bytes(`--frame\r\n${'X-A: b\r\n'.repeat(MAX_HEADER_BYTES / 8 + 1)}`)]), MultipartError);
  assert.throws(() => parse(Array(MAX_HEADER_BYTES + 1).fill(bytes('\n'))), MultipartError);
});

test('a header that is there several times is kept several times, in its order', () => {
  const [part] = parse([bytes('--frame\r\nX-Detections: 1\r\nContent-Length: 0\r\nx-detections: 2\r\n\r\n\r\n')]);
  assert.deepEqual(part.headers.all('x-detections'), ['1', '2']);
  assert.equal(part.headers.get('x-detections'), '2');
  assert.deepEqual(part.headers.all('x-other'), []);
  assert.equal(part.headers.get('x-other'), undefined);
});

test('the limit on headers counts each part for itself', () => {
  const part = bytes(`--frame\r\nX-Long: ${'x'.repeat(MAX_HEADER_BYTES - 100)}\r\nContent-Length: 0\r\n\r\n\r\n`);
  assert.equal(parse([part, part, part]).length, 3);
});

test('a body longer than its Content-Length is an error, not a search', () => {
  assert.throws(() => parse([bytes('--frame\r\nContent-Length: 1\r\n\r\nabc\r\n')]), MultipartError);
});

test('a body of 32 MiB in small chunks takes time in proportion', {timeout: 10000}, () => {
  const chunk = new Uint8Array(4096);
  const chunks = Array(MAX_BODY_BYTES / chunk.length).fill(chunk);
  const [part] = parse([bytes(`--frame\r\nContent-Length: ${MAX_BODY_BYTES}\r\n\r\n`), ...chunks]);
  assert.equal(part.body.length, MAX_BODY_BYTES);
});

test('the boundary is found in Content-Type, quoted or not', () => {
  assert.equal(boundaryOf('multipart/mixed; boundary=frame'), 'frame');
  assert.equal(boundaryOf('multipart/mixed;boundary="a b"'), 'a b');
  assert.equal(boundaryOf('Multipart/Mixed; charset=x; Boundary=frame; more=1'), 'frame');
  assert.equal(boundaryOf('multipart/mixed'), null);
  assert.equal(boundaryOf('text/html; boundary=frame'), null);
  assert.equal(boundaryOf(null), null);
});
