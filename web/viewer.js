// Puts the page together: one wall, a card for each camera, and the words around them.
import {Camera} from './camera.js';
import {ServerClock, localNow} from './clock.js';
import * as figures from './figures.js';
import {Layout} from './layout.js';
import {Refusal, sentence} from './refusal.js';
import {listenForShortcuts} from './shortcuts.js';
import {Wall} from './wall.js';

const REFRESH_MS = 500;        // nobody reads numbers faster than this
const HIDDEN_MS = 1000;        // a look at another tab need not cost a connection
const SLOW_CONNECT_MS = 1000;  // until then the last pictures may pass as live

const root = document.documentElement;
const wallElement = document.getElementById('wall');
const layout = new Layout(wallElement);
const clock = new ServerClock();
const stopped = new Set();  // names; kept for cameras that go and come back
const wall = new Wall({onPart, onState});
let cameras = [];           // in the order of the server
let server = null;          // its figures
let slowConnectTimer = 0;
let hiddenTimer = 0;

function onPart({headers, body}) {
  const name = headers.get('x-camera');
  if (name !== undefined) cameras.find((camera) => camera.name === name)?.offer({headers, body});
  else if (headers.get('content-type') === 'application/json') showFigures(JSON.parse(new TextDecoder().decode(body)));
}

function onState(state, problem) {
  root.dataset.state = state;
  clearTimeout(slowConnectTimer);
  if (state === 'connecting') {
    slowConnectTimer = setTimeout(() => setLinkProblem('The server has not answered yet'), SLOW_CONNECT_MS);
  } else if (state === 'connected') {
    setLinkProblem('');
  } else if (state === 'reconnecting') {
    setLinkProblem(sentence(problem));
    // A camera we asked for by name may be gone; the figures of an open wall will tell.
    if (problem instanceof Refusal && [400, 404].includes(problem.status)) wall.url = wallUrl([]);
  }
  if (state === 'connecting' || state === 'reconnecting') startCounting();
  showWords(problem);
}

function setLinkProblem(problem) {
  for (const camera of cameras) camera.setLinkProblem(problem);
}

// For the connection that comes next.
function startCounting() {
  clock.restart();
  for (const camera of cameras) camera.connectionOpened();
}

function showFigures(report) {
  clock.observe(report.server.time);
  server = report.server;
  placeCameras(report.cameras);
  layout.fit(report.cameras);
  for (const entry of report.cameras) {
    cameras.find((camera) => camera.name === entry.name).describe(entry, report.viewer.cameras[entry.name]);
  }
  showWords(null);
  if (wantedUrl() !== wall.url) request();
}

function placeCameras(entries) {
  const names = entries.map((entry) => entry.name);
  const unchanged = names.length === cameras.length && names.every((name, at) => cameras[at].name === name);
  if (unchanged) return;

  for (const camera of cameras) {
    if (!names.includes(camera.name)) camera.element.remove();
  }
  const known = new Map(cameras.map((camera) => [camera.name, camera]));
  cameras = names.map((name) => known.get(name) ?? new Camera(name, {stopped: stopped.has(name), onToggle}));
  cameras.forEach(({element}, at) => {
    // Move only what must move: a moved element loses the focus and leaves full screen.
    if (wallElement.children[at] !== element) wallElement.insertBefore(element, wallElement.children[at] ?? null);
  });
}

function onToggle(camera) {
  camera.setStopped(!camera.stopped);
  if (camera.stopped) stopped.add(camera.name);
  else stopped.delete(camera.name);
  request();
}

// --- the connection ---

function request() {
  if (document.visibilityState === 'hidden' || allStopped()) wall.close();
  else wall.open(wantedUrl());
}

function allStopped() {
  return cameras.length > 0 && cameras.every((camera) => camera.stopped);
}

// All of them, without naming any, unless some are stopped: so new ones come by themselves.
function wantedUrl() {
  const running = cameras.filter((camera) => !camera.stopped);
  return wallUrl(running.length === cameras.length ? [] : running.map((camera) => camera.name));
}

function wallUrl(names) {
  const query = [];
  if (names.length > 0) query.push(`cameras=${names.map(encodeURIComponent).join(',')}`);
  const fps = Number(new URLSearchParams(location.search).get('fps'));  // '/?fps=5' spares a slow network
  if (fps > 0) query.push(`fps=${fps}`);
  return query.length > 0 ? `/wall?${query.join('&')}` : '/wall';
}

function followVisibility() {
  clearTimeout(hiddenTimer);
  if (document.visibilityState === 'hidden') hiddenTimer = setTimeout(() => wall.close(), HIDDEN_MS);
  else if (root.dataset.state === 'paused') request();
}

// --- words ---

function showWords(problem) {
  const state = root.dataset.state;
  const link = {
    connecting: 'Connecting',
    connected: 'Connected',
    reconnecting: 'Reconnecting',
    paused: allStopped() ? 'All stopped' : 'Paused',
  }[state];
  write('link', link);
  write('empty-title', state === 'connected' ? 'No cameras' : link);
  if (state === 'connected') write('empty-text', 'The server has none at present. They appear here by themselves.');
  else if (problem) write('empty-text', `${sentence(problem)}. Trying again by itself.`);
  document.getElementById('empty').hidden = cameras.length > 0;
}

function refresh() {
  const serverNow = clock.now();
  for (const camera of cameras) camera.refresh(serverNow);
  write('summary', root.dataset.state === 'connected' ? summary() : '');
}

function summary() {
  const now = localNow();
  const bits = cameras.reduce((sum, camera) => sum + (camera.bitsPerSecond(now) ?? 0), 0);
  return [
    figures.plural(cameras.length, 'camera'),
    figures.plural(server.viewers, 'viewer'),
    figures.bitrate(bits),
    `up ${figures.duration(server.uptime)}`,
  ].join(' · ');
}

function write(id, text) {
  const element = document.getElementById(id);
  if (element.textContent !== text) element.textContent = text;
}

// --- start ---

const help = document.getElementById('help');
const showHelp = () => help.showModal();
document.getElementById('help-button').addEventListener('click', showHelp);
listenForShortcuts({cameras: () => cameras, columns: () => layout.columns, showHelp});
document.addEventListener('visibilitychange', followVisibility);
// An open connection would keep the page out of the back-forward cache.
addEventListener('pagehide', () => wall.close());
addEventListener('pageshow', followVisibility);
addEventListener('resize', () => layout.apply());
setInterval(refresh, REFRESH_MS);
request();
