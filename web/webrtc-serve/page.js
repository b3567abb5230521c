// Puts the page of webrtc-serve together: the player, its state in words, its figures, and the bitrate for everybody.
import * as figures from '../figures.js';
import {leaveFilledPage, toggleFullScreen} from '../fullscreen.js';
import {reason, sentence} from '../refusal.js';
import {WebRtcPlayer} from '../webrtc.js';
import {BitrateChoice} from './bitrate-choice.js';
import {changeBitrate, readSettings} from './settings.js';

const HIDDEN_MS = 10000;  // a look at another tab need not cost a connection; a page that nobody sees need not have one

const STATES = {
  connecting: 'Connecting',
  playing: 'Live',
  still: 'Waiting for pictures',
  blocked: 'Ready',
  reconnecting: 'Reconnecting',
  stopped: 'Paused in the background',
};

const element = (id) => document.getElementById(id);
const video = element('video');
const bitrate = new BitrateChoice(element('bitrate-choice'), element('bitrate'), choose);
let player = null;
let described = false;    // whether the settings are known
let hiddenTimer = 0;

function showState(state, problem) {
  document.documentElement.dataset.state = state;
  element('play').hidden = state !== 'blocked';
  write('state', STATES[state]);
  if (problem) say(`${sentence(problem)}. Trying again by itself.`);
  else if (state === 'still') say('The server is there, and its source sends no new pictures.');
  else if (state !== 'reconnecting') say('');
  if (state !== 'playing' && state !== 'still') showFigures({server: null});
  if (state === 'playing' && !described) describe();
}

async function describe() {
  const settings = await readSettings().catch(() => null);
  if (settings === null) return {};
  described = true;
  bitrate.describe(settings);
  return settings;
}

function showFigures(now) {
  const {width, height, server} = now;
  write('fps', figures.fps(now.fps));
  write('frames', figures.count(now.frames));
  const byServer = server?.dropped ?? 0;
  write('dropped', figures.count(now.dropped === undefined ? undefined : now.dropped + byServer));
  element('dropped-figure').title = `Left out for a newer picture: ${byServer} by the server, ${now.dropped ?? 0} by this `
      + `page; ${now.lost ?? 0} packets were lost on the way`;
  write('latency', player?.state === 'still' ? '–' : latency(now));  // that would be the age of a card
  write('bandwidth', figures.bitrate(now.bitsPerSecond));
  write('jitter', figures.milliseconds(now.jitterMs));
  write('codec', now.codec || '–');
  write('size', figures.size(width, height));
  if (width > 0 && height > 0) video.style.setProperty('--ratio', `${width} / ${height}`);
  write('summary', Number.isFinite(server?.viewers) ? figures.plural(server.viewers, 'viewer') : '');
  bitrate.follow(server?.bitrate_kbps);
}

// Below its error it is nothing that can be known.
function latency({ageMs, ageErrorMs}) {
  if (!Number.isFinite(ageMs)) return figures.milliseconds(ageMs);
  if (ageMs >= 1000) return `${(ageMs / 1000).toFixed(1)} s`;
  return `${figures.milliseconds(Math.max(0, ageMs))} ±${Math.max(1, Math.ceil(ageErrorMs))}`;
}

async function choose(kbps) {
  try {
    bitrate.follow((await changeBitrate(kbps)).bitrate_kbps);
    say('');
  } catch (error) {
    bitrate.show();
    say(`The bitrate stays as it is: ${reason(error)}`);
  }
}

function say(text) {
  write('message', text);
}

function write(id, text) {
  const target = element(id);
  if (target.textContent !== text) target.textContent = text;
}

function followVisibility() {
  clearTimeout(hiddenTimer);
  if (document.visibilityState !== 'hidden') player?.start();
  else if (!document.pictureInPictureElement) hiddenTimer = setTimeout(() => player?.stop(), HIDDEN_MS);
}

// Without the settings it plays all the same: the server may be of another opinion about this page, or be gone for now.
async function start() {
  const settings = await describe();
  player = new WebRtcPlayer({
    url: new URL('.', location.href).href,
    video,
    iceServers: settings.ice_servers ?? [],
    onState: showState,
    onFigures: showFigures,
  });
  player.start();
}

element('play').addEventListener('click', () => player.play());
element('full-screen').addEventListener('click', () => toggleFullScreen(element('screen')));
video.addEventListener('dblclick', () => toggleFullScreen(element('screen')));
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('select')) return;
  if (event.key === 'f' || event.key === 'F') toggleFullScreen(element('screen'));
  else if (event.key === 'Escape') leaveFilledPage();
});
document.addEventListener('visibilitychange', followVisibility);
// An open connection would keep the page out of the back-forward cache.
addEventListener('pagehide', () => player?.stop());
addEventListener('pageshow', followVisibility);
start();
