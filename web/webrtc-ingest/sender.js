// The session with webrtc-ingest: what pictures leave by, and what comes back about them.
import {localMs} from '../clock-offset.js';
import {PeerSession, socketUrl} from '../peer-session.js';
import {MOST_BYTES, piecesOf} from './chunks.js';
import {latenciesOf} from './times.js';

const FULL_BYTES = 500000;  // more than this in the channel, and a picture behind it would be old when it arrives

/** Whether a picture may be put behind what waits in the channel. */
export const mayAdd = (channel) => channel?.readyState === 'open' && channel.bufferedAmount <= FULL_BYTES;

/**
 * From start() until stop(), whatever happens to the connection meanwhile.
 *
 * `config`: the server's, of api/config. `url`: of its page. `name`: what the session is to be called, '': as the server
 * likes. `track`: the camera's; it is sent itself when config.mode is 'track'.
 *
 * onState(state, problem): 'connecting', 'sending', 'reconnecting' (`problem`, an Error, says why), 'stopped'.
 * onSession(name). onResult({frame, result, latencies}): `result` is null when the picture has only come there.
 * onChild(state, error): of the program that works on the pictures, by the server's word. onComplaint(text): a picture was no
 * use to the server.
 */
export class Sender {
  state = 'stopped';
  sent = 0;      // pictures
  answered = 0;  // results, or pictures that have come there
  #config;
  #name;
  #track;
  #on;
  #session;
  #channel = null;
  #trackSender = null;
  #counted = {pictures: 0, bytes: 0};  // of the track, in this session
  #number = 0;   // of the last picture

  constructor({config, url, name = '', track, onState, onSession, onResult, onChild, onComplaint}) {
    this.#config = config;
    this.#name = name;
    this.#track = track;
    this.#on = {state: onState, session: onSession, result: onResult, child: onChild, complaint: onComplaint};
    this.#session = new PeerSession({
      url: socketUrl('ws', url),
      iceServers: config.ice_servers ?? [],
      tool: 'webrtc-ingest',
      onPeer: (peer) => this.#prepare(peer),
      onConnected: () => { if (this.#trackSender) this.#ready(); },
      onMessage: (message) => this.#receive(message),
      onLost: (problem) => this.#lost(problem),
      onError: (text) => this.#isOfPicture(text),
    });
  }

  start() {
    this.#become('connecting');
    this.#session.open();
  }

  stop() {
    this.#channel = null;
    this.#trackSender = null;
    this.#session.close();
    this.#become('stopped');
  }

  get clock() {
    return this.#session.clock;
  }

  /** Whether a picture that is made now could leave. */
  get canSend() {
    return mayAdd(this.#channel);
  }

  /** Returns whether it is on its way. `blob`: a JPEG or a PNG. Throws an Error for people. */
  async send(blob, capturedMs) {
    const picture = await blob.arrayBuffer();
    const channel = this.#channel;
    if (!mayAdd(channel)) return false;
    const most = Math.min(MOST_BYTES, this.#config.max_frame_bytes ?? MOST_BYTES);
    if (picture.byteLength > most) {
      throw new Error(`a picture of ${picture.byteLength} bytes is too large for the server, which takes ${most}: choose `
          + 'a smaller size or a lower quality');
    }
    this.#number = (this.#number + 1) >>> 0;
    try {
      for (const piece of piecesOf(picture, this.#number, capturedMs)) channel.send(piece);
    } catch {
      return false;  // closed in the middle: the server gives up what it has of it
    }
    this.sent += 1;
    return true;
  }

  /** Another camera in the place of the one that is sent. */
  setTrack(track) {
    this.#track = track;
    this.#trackSender?.replaceTrack(track).catch((error) => this.#session.fail(error));
  }

  /** What has left as video since the last call: {pictures, bytes}; null: nothing is known. */
  async countTrack() {
    const report = await this.#trackSender?.getStats();
    const video = report && [...report.values()].find(({type, kind}) => type === 'outbound-rtp' && kind === 'video');
    if (!video) return null;
    const now = {pictures: video.framesSent ?? 0, bytes: video.bytesSent ?? 0};
    const before = this.#counted;
    this.#counted = now;
    const more = {pictures: Math.max(0, now.pictures - before.pictures), bytes: Math.max(0, now.bytes - before.bytes)};
    this.sent += more.pictures;
    return more;
  }

  #prepare(peer) {
    this.#counted = {pictures: 0, bytes: 0};
    this.#session.send({type: 'hello', ...(this.#name && {name: this.#name})});
    if (this.#config.mode === 'track') {
      this.#trackSender = peer.addTransceiver(this.#track, {direction: 'sendonly'}).sender;
      return;
    }
    const channel = peer.createDataChannel('frames', {ordered: true});
    channel.binaryType = 'arraybuffer';
    channel.addEventListener('open', () => {
      if (peer !== this.#session.peer) return;
      this.#channel = channel;
      this.#ready();
    });
    channel.addEventListener('close', () => {
      if (channel === this.#channel) this.#session.fail(new Error('the server closed the channel for pictures'));
    });
  }

  #ready() {
    this.#session.settle();
    if (this.state !== 'sending') this.#become('sending');
  }

  #lost(problem) {
    this.#channel = null;
    this.#trackSender = null;
    this.#become('reconnecting', problem);
  }

  #isOfPicture(text) {
    const is = /^picture \d+: /.test(text);
    if (is) this.#on.complaint(text);
    return is;
  }

  #receive(message) {
    switch (message.type) {
      case 'session':
        this.#on.session(String(message.name || message.session || ''));
        break;
      case 'received':
        this.#takeAnswer({...message, T_inference: null, result: null});
        break;
      case 'result':
        this.#takeAnswer(message);
        break;
      case 'child':
        this.#on.child(message.state, message.error ?? '');
        break;
    }
  }

  #takeAnswer({frame, T_start: tStart, T_receive: tReceive, T_inference: tInference, result}) {
    const tEnd = localMs();
    const {offset, error} = this.clock;
    const clocks = offset === null ? {} : {offset_ms: offset, error_ms: error};
    this.#session.send({type: 'times', frame, T_end: tEnd, ...clocks});
    this.answered += 1;
    this.#on.result({frame, result, latencies: latenciesOf({tStart, tReceive, tInference, tEnd, offset})});
  }

  #become(state, problem = null) {
    this.state = state;
    this.#on.state(state, problem);
  }
}
