// Puts the page of webrtc-ingest together: this device's camera goes to the server, what is found comes back.
import * as figures from '../figures.js';
import {Rate} from '../rate.js';
import {Refusal, reason, sentence} from '../refusal.js';
import {localNow} from '../clock.js';
import {CameraSource} from './camera.js';
import {Grabber} from './grabber.js';
import {Results} from './results.js';
import {Sender} from './sender.js';
import {Settings} from './settings.js';
import {Latencies} from './times.js';
import {WakeLock} from './wake-lock.js';

const REFRESH_MS = 500;  // nobody reads numbers faster than this
const PATIENCE_MS = 5000;
const COMPLAINT_MS = 5000;

const STATES = {
  off: 'Off',
  asking: 'Asking for the camera',
  connecting: 'Connecting',
  sending: 'Sending',
  reconnecting: 'Reconnecting',
  failed: 'Stopped',
};

const CHILD_WORDS = {
  ready: () => '',
  ended: (why) => `The program that works on the pictures has ended${inBrackets(why)}. It is started again.`,
  hung: (why) => `The program that works on the pictures takes no more of them${inBrackets(why)}. It is started again.`,
  restarted: () => 'The program that works on the pictures was started again.',
};

const inBrackets = (text) => (text ? ` (${text})` : '');

const root = document.documentElement;
const element = (id) => document.getElementById(id);
const preview = element('preview');
const settings = new Settings({onCamera: () => { if (sender) openCamera(); }});
const camera = new CameraSource({onLost: fail, onList: (cameras) => settings.offerCameras(cameras)});
const wakeLock = new WakeLock();
const results = new Results(element('newest'), element('list'));
const latencies = new Latencies();
const sentRate = new Rate();
const sentBytes = new Rate();
const grabber = new Grabber(preview, {
  wishes: () => settings.grabbing,
  mayGrab: () => sender?.canSend ?? false,
  onPicture: send,
  onSkip: () => { if (sender?.state === 'sending') skipped += 1; },
});
let config = null;   // the server's
let sender = null;   // null: off
let attempt = 0;     // to start
let complaintTimer = 0;
let skipped = 0;

async function start() {
  if (sender) return;
  attempt += 1;
  const [mine, stopped] = [attempt, () => mine !== attempt];
  settings.keep();
  show('asking');
  element('start').hidden = true;
  element('stop').hidden = false;
  try {
    config ??= await readConfig();
  } catch (error) {
    if (!stopped()) fail(`The server cannot be asked what it wants: ${reason(error)}`);
    return;
  }
  if (stopped()) return;
  followConfig();
  if (!await openCamera() || stopped()) return;
  skipped = 0;
  latencies.clear();
  results.clear();
  sender = new Sender({
    config,
    url: new URL('.', location.href).href,
    name: settings.name,
    track: camera.stream.getVideoTracks()[0],
    onState: follow,
    onSession: (name) => write('session', name),
    onResult: takeResult,
    onComplaint: complain,
    onChild: showChild,
  });
  wakeLock.hold();
  sender.start();
  if (config.mode !== 'track') grabber.start();
}

function stop() {
  attempt += 1;
  grabber.stop();
  wakeLock.release();
  camera.close();
  const last = sender;
  sender = null;
  last?.stop();
  preview.srcObject = null;
  write('session', '');
  write('child', '');
  element('stop').hidden = true;
  element('start').hidden = false;
  show('off');
}

function fail(words) {
  stop();
  show('failed', words);
}

// Also while sending: another camera takes the place of the one before. Returns whether there is one.
async function openCamera() {
  try {
    const stream = await camera.open(settings.camera);
    if (!stream) return false;
    preview.srcObject = stream;
    preview.play().catch(() => {});  // it begins by itself when the browser likes
    root.dataset.facing = camera.facesUser ? 'user' : '';
    sender?.setTrack(stream.getVideoTracks()[0]);
    return true;
  } catch (error) {
    fail(error.message);
    return false;
  }
}

async function send(blob, capturedMs) {
  try {
    if (await sender?.send(blob, capturedMs)) {
      sentRate.add(localNow(), 1);
      sentBytes.add(localNow(), blob.size);
    } else {
      skipped += 1;
    }
  } catch (error) {
    fail(sentence(error));
  }
}

function showChild(state, error) {
  element('child').classList.toggle('trouble', state === 'ended' || state === 'hung');
  write('child', CHILD_WORDS[state]?.(error) ?? `${state}${inBrackets(error)}`);
}

function takeResult({result, latencies: took}) {
  latencies.add(took);
  if (result !== null) results.add(result);
}

function complain(text) {
  write('message', `The server cannot use it: ${text}`);
  clearTimeout(complaintTimer);
  complaintTimer = setTimeout(() => { if (sender?.state === 'sending') write('message', ''); }, COMPLAINT_MS);
}

function follow(state, problem) {
  if (state === 'stopped') return;
  show(state, problem ? `${sentence(problem)}. Trying again by itself.` : '');
}

function show(state, words = '') {
  root.dataset.state = state;
  write('state', STATES[state]);
  write('message', words);
}

async function readConfig() {
  const response = await fetch('api/config', {cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS)});
  if (!response.ok) throw await Refusal.from(response);
  return response.json();
}

function followConfig() {
  element('results').hidden = !config.exec;
  element('answered-title').textContent = config.exec ? 'Results' : 'Received';
  for (const part of document.querySelectorAll('.of-results')) part.hidden = !config.exec;
  for (const part of document.querySelectorAll('.of-data')) part.hidden = config.mode === 'track';
}

function refresh() {
  const now = localNow();
  const {offset = null, error = null} = sender?.clock ?? {};
  for (const key of ['total', 'transfer', 'processing']) write(key, figures.milliseconds(latencies.median(key)));
  write('upload', withError(latencies.median('upload'), error));
  write('offset', withError(offset, error));
  if (config?.mode === 'track') countTrack();
  write('rate', figures.fps(sentRate.perSecond(now)));
  write('bandwidth', figures.bitrate(sentBytes.perSecond(now) === null ? null : sentBytes.perSecond(now) * 8));
  write('sent', figures.count(sender?.sent));
  write('skipped', figures.count(sender ? skipped : undefined));
  write('answered', figures.count(sender?.answered));
  write('size', figures.size(preview.videoWidth, preview.videoHeight));
  if (preview.videoWidth > 0) preview.style.setProperty('--ratio', `${preview.videoWidth} / ${preview.videoHeight}`);
}

async function countTrack() {
  const more = await sender?.countTrack();
  if (!more) return;
  sentRate.add(localNow(), more.pictures);
  sentBytes.add(localNow(), more.bytes);
}

const withError = (ms, error) =>
  (ms === null || error === null ? figures.milliseconds(null) : `${Math.round(ms)} ±${Math.max(1, Math.ceil(error))} ms`);

function write(id, text) {
  const target = element(id);
  if (target.textContent !== text) target.textContent = text;
}

// Browsers give no pictures to pages out of sight, so their silence is no fault.
document.addEventListener('visibilitychange', () => {
  if (sender?.state === 'sending') {
    const hidden = document.visibilityState === 'hidden';
    show('sending', hidden ? 'Browsers hold the pictures of pages that are out of sight' : '');
  }
});
addEventListener('pagehide', () => { if (sender) stop(); });
element('start').addEventListener('click', start);
element('stop').addEventListener('click', stop);
setInterval(refresh, REFRESH_MS);
camera.list();
readConfig().then((read) => { config = read; followConfig(); }).catch(() => {});  // it is asked again at the start
element('start').disabled = false;
