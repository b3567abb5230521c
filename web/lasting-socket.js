// A WebSocket of JSON messages that comes back.
import {BackOff} from './back-off.js';
import {ClockOffset, localMs} from './clock-offset.js';

const CONNECT_MS = 10000;
const PING_MS = 2000;
const FIRST_PINGS = 6;         // in quick succession: the clocks are wanted soon
const FIRST_PING_MS = 150;
const SILENCE_MS = 8000;       // four pings without an answer: the connection is dead
const SILENCE_WOKEN_MS = 3000; // after sleep, or in another network

/**
 * Opens `url` and opens it again whenever it is lost: after a pause that grows, or at once when the page is seen again or
 * the network is back. Measures the server's clock by {"type":"ping","t"} on the way.
 *
 * onOpen(): a connection has come about. onMessage(message): an object of the server's; pongs are kept back.
 * onLost(problem): the connection is gone or did not come about, an Error says why; once for each attempt.
 */
export class LastingSocket {
  clock = new ClockOffset();
  #url;
  #on;
  #socket = null;        // null: closed, or between two attempts
  #wanted = false;
  #backOff = new BackOff();
  #retryTimer = 0;
  #pingTimer = 0;
  #silenceTimer = 0;
  #pings = 0;
  #awake = () => this.#check();

  constructor({url, onOpen, onMessage, onLost}) {
    this.#url = url;
    this.#on = {open: onOpen, message: onMessage, lost: onLost};
  }

  open() {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#backOff.reset();
    for (const [target, event] of wakeUps()) target.addEventListener(event, this.#awake);
    this.#connect();
  }

  /** For good, or until open(). `farewell`: a last message. */
  close(farewell = null) {
    this.#wanted = false;
    for (const [target, event] of wakeUps()) target.removeEventListener(event, this.#awake);
    if (farewell) this.send(farewell);
    this.#drop();
  }

  /** Returns whether it is on its way. */
  send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** What the connection is for does not work: as if it were lost. */
  fail(problem) {
    this.#lose(problem);
  }

  /** What the connection is for works: the next time the pause is short again. */
  settle() {
    this.#backOff.reset();
  }

  #connect() {
    this.#drop();
    let socket;
    try {
      socket = new WebSocket(this.#url);
    } catch (error) {
      this.#lose(error);  // an https page, and an address of ws://
      return;
    }
    const is = (handler) => (event) => { if (this.#socket === socket) handler(event); };
    this.#socket = socket;
    let opened = false;
    socket.addEventListener('open', is(() => { opened = true; this.#opened(); }));
    socket.addEventListener('message', is(({data}) => this.#receive(data)));
    socket.addEventListener('close', is(({code, reason}) => this.#lose(new SocketClosed(code, reason, opened))));
    this.#expect(CONNECT_MS);
  }

  #opened() {
    this.#pings = 0;
    this.clock.restart();
    this.#expect(SILENCE_MS);
    this.#on.open();
    this.#ping();
  }

  #receive(text) {
    const received = localMs();
    this.#expect(SILENCE_MS);
    const message = parsed(text);
    if (message === null) return;
    if (message.type === 'pong') this.clock.observe({sent: message.t, server: message.server, received});
    else this.#on.message(message);
  }

  #ping() {
    clearTimeout(this.#pingTimer);
    if (!this.send({type: 'ping', t: localMs()})) return;
    this.#pings += 1;
    this.#pingTimer = setTimeout(() => this.#ping(), this.#pings < FIRST_PINGS ? FIRST_PING_MS : PING_MS);
  }

  #expect(milliseconds) {
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = setTimeout(() => this.#lose(new Error('the server does not answer')), milliseconds);
  }

  // The page was asleep, or out of sight, or without a network.
  #check() {
    if (globalThis.document?.visibilityState === 'hidden') return;
    if (this.#socket === null) {
      clearTimeout(this.#retryTimer);
      this.#connect();
    } else if (this.#socket.readyState === WebSocket.OPEN) {
      this.#expect(SILENCE_WOKEN_MS);
      this.#ping();
    }
  }

  #lose(problem) {
    this.#drop();
    if (!this.#wanted) return;
    this.#retryTimer = setTimeout(() => this.#connect(), this.#backOff.next());
    this.#on.lost(problem);
  }

  #drop() {
    for (const timer of [this.#retryTimer, this.#pingTimer, this.#silenceTimer]) clearTimeout(timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }
}

/** The browser says little: `code` is 1006 for whatever went wrong, also before the connection stood. */
export class SocketClosed extends Error {
  constructor(code, reason, opened) {
    super(reason || (!opened ? 'the server does not answer, or does not let this page in'
        : code === 1006 ? 'the connection was lost' : 'the server closed the connection'));
    this.code = code;
  }
}

const wakeUps = () => [[globalThis.document, 'visibilitychange'], [globalThis.window, 'online'],
                       [globalThis.window, 'pageshow']].filter(([target]) => target);

function parsed(text) {
  try {
    const message = JSON.parse(text);
    return typeof message === 'object' && message !== null ? message : null;
  } catch {
    return null;
  }
}
