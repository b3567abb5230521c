// Plays what a webrtc-serve sends.
import {SocketClosed} from './lasting-socket.js';
import {PeerSession, socketUrl} from './peer-session.js';
import {PictureAges} from './picture-ages.js';
import {figuresBetween, readStats} from './webrtc-figures.js';

const FIGURES_MS = 1000;
const AGES_MS = 250;       // how often the server is asked for the time of a picture
const STILL_SECONDS = 3;   // without a new picture

/**
 * Shows one server's pictures in `video`, from start() until stop(), whatever happens to the connection meanwhile.
 *
 * `url`: where the server's page is, http(s)://HOST:PORT/PATH/. `iceServers`: as for RTCPeerConnection.
 *
 * onState(state, problem): 'connecting'; 'playing'; 'still' (connected, and the server has no new pictures: it sends none, or the
 * last one or a card again and again); 'blocked' (the browser plays nothing before the user has asked for it: call play()
 * in the handler of a click); 'reconnecting' (`problem`, an Error, says why); 'stopped'.
 *
 * onFigures(figures): each second while there is a connection. Those of webrtc-figures.js; `ageMs`, the median time from
 * the taking of a picture until it was on the screen, and `ageErrorMs`, how far off that may be, null where the browser
 * does not tell which picture it shows; `server`, the server's last message of figures, or null.
 */
export class WebRtcPlayer {
  state = 'stopped';
  #base;
  #video;
  #onState;
  #onFigures;
  #session;
  #figuresTimer = 0;
  #frameCallback = 0;
  #ages = new PictureAges();
  #recentAges = [];       // of the last second, in milliseconds
  #before = null;         // readStats() of a second ago
  #stillSeconds = 0;
  #serverFigures = null;
  #newest = null;         // which picture the server sent last
  #newestMs = 0;          // when that was told first, of performance.now()
  #reason = null;         // why the last attempt failed, where the browser did not say

  constructor({url, video, iceServers = [], onState = () => {}, onFigures = () => {}}) {
    this.#base = new URL(url);
    this.#video = video;
    this.#onState = onState;
    this.#onFigures = onFigures;
    this.#session = new PeerSession({
      url: socketUrl('api/webrtc/ws', url),
      iceServers,
      tool: 'webrtc-serve',
      onPeer: (peer) => this.#prepare(peer),
      onConnected: (peer) => this.#connected(peer),
      onMessage: (message) => { if (message.type === 'figures') this.#takeFigures(message); },
      onLost: (problem) => this.#lost(problem),
    });
  }

  start() {
    if (this.state !== 'stopped') return;
    this.#become('connecting');
    this.#session.open();
  }

  stop() {
    if (this.state === 'stopped') return;
    this.#session.close();
    this.#forget();
    this.#video.srcObject = null;
    this.#become('stopped');
  }

  /** Again, now that the user has asked for it. */
  async play() {
    const {peer} = this.#session;
    try {
      await this.#video.play();
      if (this.state === 'blocked') this.#become('playing');
    } catch (error) {
      // Else another stream has taken the place of this one, whose own attempt says how it went.
      if (error.name === 'NotAllowedError' && peer !== null && peer === this.#session.peer) this.#become('blocked');
    }
  }

  // --- the session ---

  #prepare(peer) {
    this.#forget();
    hurry(peer.addTransceiver('video', {direction: 'recvonly'}).receiver);
    peer.addEventListener('track', ({track, receiver, streams}) => {
      if (peer !== this.#session.peer || track.kind !== 'video') return;
      hurry(receiver);
      this.#video.srcObject = streams[0] ?? new MediaStream([track]);
      this.#awaitFrame();
      this.play();
    });
  }

  #connected(peer) {
    this.#reason = null;
    if (this.#figuresTimer !== 0) return;
    this.#session.send({type: 'figures', every_ms: AGES_MS});
    this.#figuresTimer = setInterval(() => this.#measure(peer), FIGURES_MS);
  }

  async #lost(problem) {
    this.#forget();
    const untold = problem.name === 'SecurityError' || (problem instanceof SocketClosed && problem.code === 1006);
    this.#become('reconnecting', untold ? this.#reason ?? problem : problem);
    if (!untold) return;
    const reason = await whyNot(this.#base);
    this.#reason = reason === null ? null : new Error(reason);
    if (this.#reason && this.state === 'reconnecting') this.#become('reconnecting', this.#reason);
  }

  #forget() {
    clearInterval(this.#figuresTimer);
    this.#figuresTimer = 0;
    this.#video.cancelVideoFrameCallback?.(this.#frameCallback);
    this.#ages.clear();
    this.#recentAges = [];
    this.#before = null;
    this.#stillSeconds = 0;
    this.#serverFigures = null;
    this.#newest = null;
  }

  // --- the picture ---

  #awaitFrame() {
    this.#video.cancelVideoFrameCallback?.(this.#frameCallback);
    this.#frameCallback = this.#video.requestVideoFrameCallback?.((_, metadata) => this.#frameShown(metadata));
  }

  #frameShown({rtpTimestamp, expectedDisplayTime}) {
    this.#awaitFrame();
    this.#pictureCame();
    if (rtpTimestamp === undefined) return;
    this.#noteAge(this.#ages.show(rtpTimestamp, performance.timeOrigin + expectedDisplayTime));
  }

  #pictureCame() {
    this.#stillSeconds = 0;
    if (!['connecting', 'reconnecting', 'still'].includes(this.state) || this.#session.peer === null) return;
    this.#session.settle();
    if (this.#isOld) return;
    this.#become(this.#video.paused ? 'blocked' : 'playing');
  }

  #noPictureCame() {
    this.#stillSeconds += 1;
    if (this.#stillSeconds >= STILL_SECONDS) this.#becomeStill();
  }

  #becomeStill() {
    if (['playing', 'connecting', 'reconnecting'].includes(this.state)) this.#become('still');
  }

  // Whether what the server sends is a picture that it has sent before.
  get #isOld() {
    return this.#newest !== null && performance.now() - this.#newestMs > 1000 * STILL_SECONDS;
  }

  // --- the figures ---

  #takeFigures(message) {
    this.#serverFigures = message;
    const {rtp, captured_ms: capturedMs} = message;
    if (Number.isFinite(capturedMs) && capturedMs !== this.#newest) {
      this.#newest = capturedMs;
      this.#newestMs = performance.now();
    }
    if (Number.isFinite(rtp) && Number.isFinite(capturedMs)) this.#noteAge(this.#ages.tell(rtp, capturedMs));
  }

  #noteAge(times) {
    const {offset} = this.#session.clock;
    if (times !== null && offset !== null) this.#recentAges.push(times.shownMs + offset - times.capturedMs);
  }

  async #measure(peer) {
    const stats = readStats(await peer.getStats());
    if (peer !== this.#session.peer) return;
    const figures = stats === null ? {} : figuresBetween(this.#before, stats);
    // Pages out of sight, and browsers without such callbacks, are not told of each picture.
    if (stats !== null && stats.frames > (this.#before?.frames ?? 0)) this.#pictureCame();
    else this.#noPictureCame();
    if (this.#isOld) this.#becomeStill();
    this.#before = stats;
    const ageMs = median(this.#recentAges.splice(0));
    const ageErrorMs = ageMs === null ? null : this.#session.clock.error;
    this.#onFigures({...figures, ageMs, ageErrorMs, server: this.#serverFigures});
  }

  #become(state, problem = null) {
    this.state = state;
    this.#onState(state, problem);
  }
}

// The newest picture at once rather than an even flow: a buffer against jitter is what makes pictures old.
function hurry(receiver) {
  if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0;
  if ('playoutDelayHint' in receiver) receiver.playoutDelayHint = 0;
}

// Of a WebSocket that was not let in a browser tells nothing. Null: there is no better word for it.
async function whyNot(base) {
  try {
    await fetch(new URL('healthz', base), {mode: 'no-cors', cache: 'no-store', signal: AbortSignal.timeout(5000)});
  } catch {
    if (location.protocol !== 'https:' || base.protocol === 'https:') return `no server answers at ${base.origin}`;
    return `a page of https:// may not fetch from ${base.origin}: start webrtc-serve with --tls-cert and --tls-key, and `
        + 'name it by https://';
  }
  if (location.origin === base.origin) return null;
  return `${base.origin} lets no pages of ${location.origin} in: start webrtc-serve with --allow-origin ${location.origin}`;
}

function median(values) {
  if (values.length === 0) return null;
  const sorted = values.sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}
