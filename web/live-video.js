// The page of a camera may show video of a webrtc-serve instead of the pictures of this server.
import {choicesOf} from './choices.js';
import {sentence} from './refusal.js';
import {WebRtcPlayer} from './webrtc.js';

// What a card is told of the player's states.
const CARD_STATES = {
  connecting: {state: 'waiting', reason: 'Connecting over WebRTC'},
  playing: {state: 'live', reason: ''},
  still: {state: 'stalled', reason: 'The WebRTC server has no new pictures'},
  blocked: {state: 'waiting', reason: 'The browser plays when you click anywhere'},
};

export class LiveVideo {
  #urls = new Map();  // by camera
  #camera = null;     // that is being played
  #url = '';
  #player = null;

  /** The server's word for it: an object of addresses by camera; undefined: none. */
  describe(urls) {
    this.#urls = new Map(Object.entries(urls ?? {}));
  }

  /** Whether there is a choice for the camera of that name, and whether it is WebRTC. */
  transportOf(name) {
    const possible = this.#urls.has(name);
    return {possible, webrtc: possible && choicesOf(name).transport === 'webrtc'};
  }

  /** Plays that camera if it is to be played, and no other; null: none. */
  play(camera) {
    const url = camera !== null && this.transportOf(camera.name).webrtc ? this.#urls.get(camera.name) : '';
    if (url === this.#url && (camera === this.#camera || url === '')) return;
    this.#stop();
    if (url === '') return;
    this.#camera = camera;
    this.#url = url;
    this.#player = new WebRtcPlayer({
      url,
      video: camera.video,
      onState: (state, problem) => this.#show(camera, state, problem),
      onFigures: (figures) => camera.setLiveFigures(figures),
    });
    this.#player.start();
  }

  #stop() {
    this.#player?.stop();
    this.#camera?.setLive(null);
    this.#player = null;
    this.#camera = null;
    this.#url = '';
  }

  #show(camera, state, problem) {
    if (state === 'stopped') return;
    if (state === 'blocked') document.addEventListener('click', () => this.#player?.play(), {once: true});
    camera.setLive(CARD_STATES[state] ?? {state: 'reconnecting', reason: `WebRTC: ${sentence(problem)}`});
    if (state !== 'playing') camera.setLiveFigures({});
  }
}
