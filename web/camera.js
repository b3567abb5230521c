// One camera's card: its picture, its status, its figures, its buttons. In the grid it is one of many; on the page of
// its camera it stands alone.
import {choicesOf} from './choices.js';
import {readDetections} from './detections.js';
import * as figures from './figures.js';
import {Overlay} from './overlay.js';
import {Picture} from './picture.js';
import {Rate} from './rate.js';
import {saveFrame, saveSnapshot} from './snapshot.js';
import {reason} from './refusal.js';
import {History} from './history.js';
import {hrefOf} from './route.js';
import {localNow} from './clock.js';
import {toggleFullScreen} from './fullscreen.js';

const MESSAGE_MS = 8000;

const STATUS_TEXT = {
  live: 'Live',
  waiting: 'Waiting',
  stalled: 'Stalled',
  reconnecting: 'Reconnecting',
  idle: 'Idle',
  stopped: 'Stopped',  // on the server, for everybody
  paused: 'Paused',    // on this page
};

export class Camera {
  name;
  element;
  paused;
  history = new History();
  alone = false;             // on its own page
  detections = [];           // of the picture on screen, as of detections.js
  hasDetections = false;     // some picture had any
  #detections = new Rate();  // pictures with detections
  #receiving = true;         // whether the wall is asked for it
  #picture;
  #overlay;
  #fps = new Rate();
  #bytes = new Rate();
  #report = {};              // the server's figures of this camera
  #sentHere = {dropped: 0};  // the server's figures of this connection's share of it
  #droppedBefore = 0;        // on earlier connections
  #linkProblem = '';         // not empty: the server cannot be reached
  #filterProblem = '';       // not empty: the filter that the pictures come through has none
  #live = null;              // {state, reason} of the video that is shown instead of pictures
  #liveFigures = {};         // its figures, as of webrtc.js
  #dropped = 0;              // at the last refresh
  #captured = null;          // UNIX time at the server of the picture on screen; null: none, or a card
  #messageTimer = 0;

  /**
   * `onToggle(camera)` is called when the user asks for pause or resume, `onOpen(camera)` at a click on the picture,
   * `onDetect(camera)` when the user asks what is to be seen.
   */
  constructor(name, {paused, onToggle, onOpen, onDetect}) {
    this.name = name;
    this.paused = paused;
    this.element = document.getElementById('camera-template').content.firstElementChild.cloneNode(true);
    this.#picture = new Picture(this.#find('canvas.picture'), (frame, size) => this.#shown(frame, size));
    this.#overlay = new Overlay(this.#find('canvas.overlay'));
    this.followBoxes();
    if (paused) this.#picture.stop();
    this.#label();
    this.#find('.toggle').addEventListener('click', () => onToggle(this));
    this.#find('.screen').addEventListener('click', () => onOpen(this));
    this.#find('.snapshot').addEventListener('click', () => this.snapshot());
    this.#find('.full-screen').addEventListener('click', () => this.fullScreen());
    this.#find('.detect').addEventListener('click', () => onDetect(this));
    this.#showStatus();
    this.refresh(null);
  }

  /** A part of the wall with a JPEG of this camera. */
  offer({headers, body}) {
    if (this.paused || !this.#receiving || this.#live) return;
    const found = headers.all('x-detections');
    this.#bytes.add(localNow(), body.length);
    if (found.length > 0) this.#detections.add(localNow(), 1);
    this.#picture.offer({
      jpeg: body,
      captured: Number(headers.get('x-timestamp') ?? NaN),
      sequence: headers.get('x-sequence') ?? '',
      signal: headers.get('x-signal') ?? '',
      found,
    });
  }

  /** The server's figures: of the camera, and of what this connection got of it (undefined: nothing). */
  describe(report, sentHere) {
    this.#report = report;
    if (sentHere) this.#sentHere = sentHere;
    this.#showStatus();
  }

  /** The server counts anew. */
  connectionOpened() {
    this.#droppedBefore += this.#sentHere.dropped;
    this.#sentHere = {dropped: 0};
  }

  /** Whether the server can be reached: '' or why not. */
  setLinkProblem(problem) {
    this.#linkProblem = problem;
    if (problem) this.#resetRates();
    this.#showStatus();
  }

  /** The filter that the pictures come through: '' or why there are none. */
  setFilterProblem(problem) {
    if (problem === this.#filterProblem) return;
    this.#filterProblem = problem;
    this.#showStatus();
  }

  /** Whether the server can be asked what is to be seen. */
  setDetectable(detectable) {
    this.#find('.detect').hidden = !detectable;
  }

  /** Shows the boxes, or not, as was chosen. */
  followBoxes() {
    this.#overlay.setVisible(choicesOf(this.name).boxes !== 'off');
  }

  /** For a player; it is seen while setLive() says so. */
  get video() {
    return this.#find('.video');
  }

  /** Video instead of pictures; `state` and `reason` as of LiveVideo. Null: pictures again. */
  setLive(live) {
    if ((live === null) !== (this.#live === null)) {
      this.#resetRates();
      this.#captured = null;
      this.#liveFigures = {};
      this.video.hidden = live === null;
      this.element.dataset.transport = live === null ? '' : 'webrtc';
    }
    this.#live = live;
    this.#showStatus();
  }

  setLiveFigures(figures) {
    this.#liveFigures = figures;
  }

  setPaused(paused) {
    this.paused = paused;
    if (paused) {
      this.#picture.stop();
      this.#resetRates();
    } else {
      this.#picture.start();
    }
    this.#showStatus();
  }

  setAlone(alone) {
    this.alone = alone;
    const link = this.#find('.name a');
    if (alone) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }

  /** The wall leaves out what is not to be seen; its figures are not known then. */
  setReceiving(receiving) {
    if (receiving !== this.#receiving) this.#resetRates();
    this.#receiving = receiving;
  }

  /** Where the raw stream is. */
  setRaw(url) {
    const link = this.#find('.raw');
    if (link.getAttribute('href') !== url) link.setAttribute('href', url);
  }

  /** The server's word for it, '' before there was any. */
  get serverStatus() {
    return this.#report.status ?? '';
  }

  /** In pixels, as the camera sends it; null: not known. */
  get size() {
    const {width, height} = this.#report;
    return width > 0 && height > 0 ? {width, height} : null;
  }

  /** The server has agreed to a change that its figures will tell of in a moment. */
  assumeStatus(status) {
    this.#report = {...this.#report, status, reason: ''};
    this.#showStatus();
  }

  /** In the grid a fresh picture of full size; alone the very one that is shown. */
  async snapshot() {
    const button = this.#find('.snapshot');
    if (button.hasAttribute('aria-busy')) return;
    button.setAttribute('aria-busy', 'true');
    try {
      const {frame} = this.#picture;
      if (this.alone && !this.#live && frame && frame.signal !== 'card') saveFrame(this.name, frame);
      else await saveSnapshot(this.name);
      this.say('');
    } catch (error) {
      this.say(`No snapshot: ${reason(error)}`);
    } finally {
      button.removeAttribute('aria-busy');
    }
  }

  fullScreen() {
    toggleFullScreen(this.element);
  }

  /** Writes the figures that change all the time; `serverNow` is UNIX time there, null if unknown. */
  refresh(serverNow) {
    const now = localNow();
    const report = this.#report;
    const shown = this.#live ? this.#figuresOfVideo() : this.#figuresOfPictures(serverNow);
    const {size, fps, age, bandwidth, byServer, byPage} = shown;
    const dropped = byServer + byPage;
    this.#figure('size', figures.size(size.width, size.height));
    this.#figure('fps', figures.fps(fps));
    this.#figure('source', figures.fps(this.#linkProblem ? null : report.fps));
    this.#figure('age', figures.age(age));
    this.#figure('dropped', figures.count(dropped));
    this.#figure('bandwidth', figures.bitrate(bandwidth));
    this.#find('[data-figure=dropped]').parentElement.title =
        `Left out for a newer picture: ${byServer} by the server, ${byPage} by this page`;
    const watched = this.#receiving && !this.paused;
    this.history.record(now, watched ? {fps, age, bandwidth, dropped: Math.max(0, dropped - this.#dropped)} : null);
    this.#dropped = dropped;
  }

  #figuresOfPictures(serverNow) {
    const now = localNow();
    return {
      size: this.#report,
      fps: this.#fps.perSecond(now),
      age: serverNow === null || this.#captured === null ? null : serverNow - this.#captured,
      bandwidth: this.bitsPerSecond(now),
      byServer: this.#droppedBefore + this.#sentHere.dropped,
      byPage: this.#picture.skipped,
    };
  }

  #figuresOfVideo() {
    const {fps = null, ageMs = null, bitsPerSecond = null, dropped = 0, server, ...size} = this.#liveFigures;
    return {
      size, fps, age: ageMs === null ? null : ageMs / 1000, bandwidth: bitsPerSecond,
      byServer: server?.dropped ?? 0, byPage: dropped,
    };
  }

  /** As received here; null if unknown. */
  bitsPerSecond(now) {
    if (this.#live) return this.#liveFigures.bitsPerSecond ?? null;
    const bytesPerSecond = this.#bytes.perSecond(now);
    return bytesPerSecond === null ? null : bytesPerSecond * 8;
  }

  /** Pictures came, and now there are none. */
  get isSilent() {
    return this.#fps.perSecond(localNow()) === 0;
  }

  /** Pictures with detections that came here; null if unknown. */
  detectionsPerSecond(now) {
    return this.#detections.perSecond(now);
  }

  /** Tells something that passes. */
  say(message) {
    clearTimeout(this.#messageTimer);
    this.#write('.message', message);
    if (message) this.#messageTimer = setTimeout(() => this.#write('.message', ''), MESSAGE_MS);
  }

  #shown(frame, size) {
    this.detections = readDetections(frame.found);
    this.hasDetections ||= this.detections.length > 0;
    this.#overlay.show(this.detections, size);
    const data = this.element.dataset;
    data.sequence = frame.sequence;
    data.shown = this.#picture.shown;
    if (data.signal !== frame.signal) data.signal = frame.signal;
    if (frame.signal === 'card') {
      this.#captured = null;
    } else if (frame.signal !== 'held') {  // a held picture is the last one again: neither younger nor one more
      this.#captured = Number.isFinite(frame.captured) ? frame.captured : null;
      this.#fps.add(localNow(), 1);
    }
  }

  #resetRates() {
    this.#fps.reset();
    this.#bytes.reset();
    this.#detections.reset();
  }

  #showStatus() {
    const status = this.#status();
    const changed = this.element.dataset.status !== status;
    this.#write('.reason', this.#reason(status));
    if (!changed) return;  // the badge is a live region: say a thing once
    this.element.dataset.status = status;
    this.#write('.badge-text', STATUS_TEXT[status] ?? status);
    this.#use('.badge', `#status-${status in STATUS_TEXT ? status : 'waiting'}`);
    const action = this.paused ? 'Resume' : 'Pause';
    this.#write('.toggle .label', action);
    this.#use('.toggle', `#action-${action.toLowerCase()}`);
    this.#name('.toggle', action, ', on this page only (Space)');
  }

  #status() {
    if (this.paused) return 'paused';
    if (this.#linkProblem) return 'reconnecting';
    if (this.#live && this.#live.state !== 'live') return this.#live.state;
    const {status = 'waiting'} = this.#report;
    return status === 'live' && this.#filterProblem ? 'stalled' : status;
  }

  #reason(status) {
    if (status === 'paused') return 'Paused by you';
    return this.#linkProblem || this.#live?.reason || this.#report.reason || this.#filterProblem;
  }

  #label() {
    this.element.dataset.camera = this.name;
    this.element.dataset.shown = 0;
    this.element.dataset.sequence = '';
    this.element.setAttribute('aria-label', `Camera ${this.name}`);
    this.#write('.name a', this.name);
    this.#find('.name a').title = this.name;
    this.#find('.name a').href = hrefOf(this.name);
    this.#write('.badge-name', `${this.name}: `);
    this.#find('canvas.picture').setAttribute('aria-label', `Picture of ${this.name}`);
    this.video.setAttribute('aria-label', `Live video of ${this.name}`);
    this.#name('.snapshot', 'Snapshot', ' (S)');
    this.#name('.full-screen', 'Full screen', ' (F)');
    this.#name('.detect', 'Detect', ' (D)');
    this.#name('.raw', 'Raw stream', '');
  }

  #find(selector) {
    return this.element.querySelector(selector);
  }

  #name(selector, action, shortcut) {
    const element = this.#find(selector);
    element.setAttribute('aria-label', `${action}, ${this.name}`);
    element.title = action + shortcut;
  }

  #use(selector, symbol) {
    this.#find(`${selector} use`).setAttribute('href', symbol);
  }

  #figure(name, text) {
    this.#write(`[data-figure=${name}]`, text);
  }

  #write(selector, text) {
    const element = this.#find(selector);
    if (element.textContent !== text) element.textContent = text;
  }
}
