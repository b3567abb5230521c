// The modules of the WebRTC pages that need no page.
import assert from 'node:assert/strict';
import {afterEach, beforeEach, mock, test} from 'node:test';
import {ClockOffset} from '../../web/clock-offset.js';
import {LastingSocket} from '../../web/lasting-socket.js';
import {socketUrl} from '../../web/peer-session.js';
import {PictureAges, ticksBetween} from '../../web/picture-ages.js';
import {figuresBetween, readStats} from '../../web/webrtc-figures.js';
import {constraintsOf, wordsFor} from '../../web/webrtc-ingest/camera.js';
import {HEADER_BYTES, MESSAGE_BYTES, MOST_BYTES, piecesOf} from '../../web/webrtc-ingest/chunks.js';
import {Pace} from '../../web/webrtc-ingest/pace.js';
import {wordOf} from '../../web/webrtc-ingest/results.js';
import {mayAdd} from '../../web/webrtc-ingest/sender.js';
import {Latencies, latenciesOf} from '../../web/webrtc-ingest/times.js';

// --- pictures in pieces ---

test('a piece has its header in network order, as the manual says byte by byte', () => {
  const [piece, ...others] = [...piecesOf(new Uint8Array([0xff, 0xd8, 0xd9]).buffer, 0x01020304, 1763688000123.5)];
  assert.equal(others.length, 0);
  assert.deepEqual([...new Uint8Array(piece)], [
    1, 2, 3, 4,                                      // number
    0, 0, 0, 1,                                      // index, count
    0x42, 0x79, 0xaa, 0x3f, 0xf2, 0xa7, 0xb8, 0x00,  // 1763688000123.5
    0xff, 0xd8, 0xd9,
  ]);
});

test('the pieces of a picture are the picture again, and none is larger than a message may be', () => {
  const room = MESSAGE_BYTES - HEADER_BYTES;
  for (const length of [1, room - 1, room, room + 1, 3 * room, 200000]) {
    const picture = Uint8Array.from({length}, (_, at) => at * 7);
    const pieces = [...piecesOf(picture.buffer, 5, 0)];
    assert.equal(pieces.length, Math.ceil(length / room));
    assert.ok(pieces.every((piece) => piece.byteLength <= MESSAGE_BYTES && piece.byteLength > HEADER_BYTES));
    const heads = pieces.map((piece) => new DataView(piece));
    assert.deepEqual(heads.map((head) => head.getUint16(4)), pieces.map((_, index) => index));
    assert.ok(heads.every((head) => head.getUint16(6) === pieces.length && head.getUint32(0) === 5));
    assert.deepEqual(Buffer.concat(pieces.map((piece) => Buffer.from(piece, HEADER_BYTES))), Buffer.from(picture));
  }
});

test('the largest picture has as many pieces as the server takes', () => {
  assert.equal(Math.ceil(MOST_BYTES / (MESSAGE_BYTES - HEADER_BYTES)), 4096);
});

test('a picture is skipped while more than 500 KB wait in the channel, and while there is none', () => {
  const channel = (bufferedAmount, readyState = 'open') => ({bufferedAmount, readyState});
  assert.deepEqual([channel(0), channel(500000), channel(500001), channel(0, 'closing'), null].map(mayAdd),
                   [true, true, false, false, false]);
});

test('a pace takes as many as it is told to, evenly, and does not catch up after a pause', () => {
  const taken = (fps, times) => {
    const pace = new Pace(fps);
    return times.filter((time) => pace.takes(time));
  };
  const camera = (fps, seconds) => Array.from({length: fps * seconds}, (_, at) => at * 1000 / fps + (at % 3 - 1) * 4);
  for (const [fps, pictures] of [[10, 100], [15, 150], [20, 200], [30, 300], [60, 300]]) {
    const count = taken(fps, camera(30, 10)).length;
    assert.ok(Math.abs(count - pictures) <= 2, `${count} of 300 pictures, for ${fps} fps`);
  }
  assert.equal(taken(10, [0, 5000, 5001, 5033, 5060, 5101]).length, 3);
});

// --- clocks ---

test('the ping that was answered soonest says how the clocks differ, to half of its time', () => {
  const clock = new ClockOffset();
  assert.deepEqual([clock.offset, clock.error], [null, null]);
  clock.observe({sent: 1000, server: 6080, received: 1100});
  assert.deepEqual([clock.offset, clock.error], [5030, 50]);
  clock.observe({sent: 2000, server: 7001, received: 2004});
  assert.deepEqual([clock.offset, clock.error], [4999, 2]);
  clock.observe({sent: 3000, server: 8300, received: 3400});
  assert.deepEqual([clock.offset, clock.error], [4999, 2]);
});

test('an old ping is forgotten, as clocks drift', () => {
  const clock = new ClockOffset();
  clock.observe({sent: 0, server: 100, received: 2});
  clock.observe({sent: 30000, server: 30210, received: 30020});
  clock.observe({sent: 70000, server: 70330, received: 70060});
  assert.deepEqual([clock.offset, clock.error], [200, 10]);
});

test('after another connection the old guess holds until a ping is answered, and no longer', () => {
  const clock = new ClockOffset();
  clock.observe({sent: 0, server: 100, received: 2});
  clock.restart();
  assert.equal(clock.offset, 99);
  clock.observe({sent: 1000, server: 9050, received: 1100});
  assert.equal(clock.offset, 8000);
});

test('answers that make no sense change nothing', () => {
  const clock = new ClockOffset();
  clock.observe({sent: 10, server: 100, received: 2});
  clock.observe({sent: undefined, server: 100, received: 2});
  clock.observe({sent: 1, server: null, received: 2});
  assert.equal(clock.offset, null);
});

// --- pictures and their times ---

test('a picture on the screen is found by its RTP timestamp, whichever is told first', () => {
  const ages = new PictureAges();
  assert.equal(ages.show(3000, 10), null);
  assert.equal(ages.show(6000, 43), null);
  assert.deepEqual(ages.tell(6000, 7), {shownMs: 43, capturedMs: 7});
  assert.equal(ages.tell(6000, 7), null);
  assert.equal(ages.tell(9000, 40), null);
  assert.deepEqual(ages.show(9001, 76), {shownMs: 76, capturedMs: 40});
  assert.equal(ages.tell(3300, 1), null);
});

test('timestamps that begin anew behind 2^32 - 1 are as near as others', () => {
  assert.equal(ticksBetween(0xfffffff0, 10), 26);
  assert.equal(ticksBetween(10, 0xfffffff0), 26);
  assert.equal(ticksBetween(0, 0x7fffffff), 0x7fffffff);
  const ages = new PictureAges();
  ages.show(0xffffffff, 5);
  assert.deepEqual(ages.tell(0, 1), {shownMs: 5, capturedMs: 1});
});

test('what is never matched is forgotten', () => {
  const ages = new PictureAges();
  for (let number = 0; number < 1000; number += 1) ages.show(number * 3000, number);
  assert.equal(ages.tell(0, 1), null);
  assert.deepEqual(ages.tell(999 * 3000, 1), {shownMs: 999, capturedMs: 1});
});

// --- statistics ---

const report = (frames, at) => new Map(Object.entries({
  v: {type: 'inbound-rtp', kind: 'video', timestamp: at, framesDecoded: frames, framesDropped: 2, packetsLost: 3, codecId: 'c',
      bytesReceived: frames * 5000, headerBytesReceived: 0, jitter: 0.004, jitterBufferDelay: frames * 0.03,
      jitterBufferEmittedCount: frames, totalDecodeTime: frames * 0.002, frameWidth: 640, frameHeight: 480},
  a: {type: 'inbound-rtp', kind: 'audio'},
  c: {type: 'codec', mimeType: 'video/H264'},
  p: {type: 'candidate-pair', nominated: true, state: 'succeeded', currentRoundTripTime: 0.012},
}));

test('figures are of the time between two reports', () => {
  const now = figuresBetween(readStats(report(300, 10000)), readStats(report(330, 11000)));
  assert.deepEqual([now.fps, now.bitsPerSecond, now.codec, now.width, now.lost], [30, 1200000, 'H264', 640, 3]);
  for (const [figure, value] of [['bufferMs', 30], ['decodeMs', 2], ['jitterMs', 4], ['roundTripMs', 12]]) {
    assert.ok(Math.abs(now[figure] - value) < 1e-6, `${figure} is ${now[figure]}`);
  }
});

test('of the first report there is no rate, and of one without video there is nothing', () => {
  const first = figuresBetween(null, readStats(report(30, 1000)));
  assert.deepEqual([first.fps, first.bitsPerSecond, first.frames], [null, null, 30]);
  assert.equal(readStats(new Map()), null);
});

// --- times and words of results ---

test('transfer is the total without the processing, and needs no common clock', () => {
  const took = latenciesOf({tStart: 1000, tReceive: 91012, tInference: 91030, tEnd: 1050, offset: 90000});
  assert.deepEqual(took, {total: 50, processing: 18, transfer: 32, upload: 12});
});

test('of a picture that nobody works on the upload alone is known, and nothing without the clocks', () => {
  const arrived = {tStart: 1000, tReceive: 91012, tInference: null, tEnd: 1050, offset: 90000};
  assert.deepEqual(latenciesOf(arrived), {total: null, processing: null, transfer: null, upload: 12});
  assert.equal(latenciesOf({...arrived, offset: null}).upload, null);
  assert.equal(latenciesOf({...arrived, tStart: null}).upload, null);
});

test('the middle one of the last latencies counts', () => {
  const latencies = new Latencies();
  assert.equal(latencies.median('total'), null);
  for (const total of [900, 10, 12, null, 11]) latencies.add({total});
  assert.equal(latencies.median('total'), 11.5);
});

test('a line of frame-detect is its surest word, and one without objects none', () => {
  const objects = [{label: 'no', confidence: 0.2}, {label: 'hello', confidence: 0.91}];
  const line = {sequence: 3, model: 'signs', ms: 4, objects};
  assert.deepEqual(wordOf(line), {word: 'hello', detail: '91% and 1 more'});
  assert.equal(wordOf({objects: []}), null);
  assert.deepEqual(wordOf({objects: [], error: 'too dark'}), {word: 'too dark', detail: 'error'});
});

test('lines of other programs have a word, too', () => {
  assert.deepEqual(wordOf({word: 'cat', confidence: 0.5}), {word: 'cat', detail: '50%'});
  assert.deepEqual(wordOf({result: 7}), {word: '7', detail: ''});
  assert.deepEqual(wordOf('plain'), {word: 'plain', detail: ''});
  assert.deepEqual(wordOf({n: [1]}), {word: '{"n":[1]}', detail: ''});
  assert.equal(wordOf(null), null);
  assert.equal([...wordOf({text: 'x'.repeat(5000)}).word].length, 200);
});

test('each refusal of a camera is worded with what mends it', () => {
  for (const [name, words] of [['NotAllowedError', /Allow it/], ['NotFoundError', /Plug one in/],
                               ['NotReadableError', /another program/], ['OverconstrainedError', /another one/]]) {
    assert.match(wordsFor({name}, 'http://tablet'), words);
  }
  assert.match(wordsFor(null, 'http://pi:8443'), /http:\/\/pi:8443.*--tls-cert/);
});

test('a camera is asked for by the side it looks to, or by itself', () => {
  const wish = {size: '640x480', fps: 15};
  assert.deepEqual(constraintsOf({...wish, camera: 'back'}).video,
                   {facingMode: {ideal: 'environment'}, width: {ideal: 640}, height: {ideal: 480}, frameRate: {ideal: 15}});
  assert.deepEqual(constraintsOf({...wish, camera: 'id:abc'}).video.deviceId, {exact: 'abc'});
});

// --- the socket ---

/** WebSockets whose other end is the test. */
class FakeSocket extends EventTarget {
  static OPEN = 1;
  static all = [];
  readyState = 0;
  sent = [];

  constructor(url) {
    super();
    this.url = url;
    FakeSocket.all.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  accept() {
    this.readyState = 1;
    this.dispatchEvent(new Event('open'));
  }

  say(message) {
    this.dispatchEvent(Object.assign(new Event('message'), {data: JSON.stringify(message)}));
  }

  lose(code = 1006) {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event('close'), {code, reason: ''}));
  }
}

beforeEach(() => {
  globalThis.WebSocket = FakeSocket;
  FakeSocket.all = [];
  mock.timers.enable({apis: ['setTimeout']});
});

afterEach(() => {
  mock.timers.reset();
  delete globalThis.WebSocket;
});

function lastingSocket() {
  const seen = {opened: 0, messages: [], problems: []};
  const socket = new LastingSocket({
    url: 'ws://server/ws',
    onOpen: () => { seen.opened += 1; },
    onMessage: (message) => seen.messages.push(message),
    onLost: (problem) => seen.problems.push(problem.message),
  });
  socket.open();
  return {socket, seen};
}

test('a socket that is lost is opened again after a pause that grows until it is of use', () => {
  const {socket, seen} = lastingSocket();
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    assert.equal(FakeSocket.all.length, attempt);
    FakeSocket.all.at(-1).lose();
    assert.equal(seen.problems.length, attempt);
    mock.timers.tick(0.59 * 250 * 2 ** (attempt - 1));
    assert.equal(FakeSocket.all.length, attempt);
    mock.timers.tick(0.41 * 250 * 2 ** (attempt - 1) + 1);
  }
  FakeSocket.all.at(-1).accept();
  socket.settle();
  FakeSocket.all.at(-1).lose();
  mock.timers.tick(251);
  assert.deepEqual([FakeSocket.all.length, seen.opened], [5, 1]);
  socket.close();
  mock.timers.tick(60000);
  assert.equal(FakeSocket.all.length, 5);
});

test('a socket asks for the server\'s clock by itself and keeps the answers back', () => {
  const {socket, seen} = lastingSocket();
  const [server] = FakeSocket.all;
  server.accept();
  const [ping] = server.sent;
  assert.equal(ping.type, 'ping');
  server.say({type: 'pong', t: ping.t, server: ping.t + 5000});
  server.say({type: 'answer', sdp: ''});
  assert.ok(Math.abs(socket.clock.offset - 5000) < 1000);
  assert.deepEqual(seen.messages, [{type: 'answer', sdp: ''}]);
  socket.close();
});

test('a server that says nothing more is lost, and one that answers pings is not', () => {
  const {socket, seen} = lastingSocket();
  const [server] = FakeSocket.all;
  server.accept();
  for (let second = 0; second < 30; second += 1) {
    mock.timers.tick(1000);
    server.say({type: 'pong', t: 0, server: 0});
  }
  assert.deepEqual(seen.problems, []);
  mock.timers.tick(8001);
  assert.deepEqual(seen.problems, ['the server does not answer']);
  socket.close();
});

test('messages that are no JSON, or no objects, are passed over', () => {
  const {socket, seen} = lastingSocket();
  const [server] = FakeSocket.all;
  server.accept();
  for (const data of ['{', 'null', '7', '"text"', '']) server.dispatchEvent(Object.assign(new Event('message'), {data}));
  assert.deepEqual([seen.messages, seen.problems], [[], []]);
  socket.close();
});

test('the WebSocket stands beside the page, below whatever path a proxy gives it', () => {
  assert.equal(socketUrl('api/webrtc/ws', 'http://127.0.0.1:8889/'), 'ws://127.0.0.1:8889/api/webrtc/ws');
  assert.equal(socketUrl('ws', 'https://host/door/'), 'wss://host/door/ws');
});
