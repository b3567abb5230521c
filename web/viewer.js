// Puts the page together: one wall, a card for each camera, the page of each, and the words around them.
import {AddDialog} from './add-dialog.js';
import {Camera} from './camera.js';
import {choicesOf, choose, wishesOf} from './choices.js';
import {ServerClock, localNow} from './clock.js';
import {Desk} from './desk.js';
import {DetectDialog} from './detect-dialog.js';
import {DetectionControls} from './detection-controls.js';
import * as figures from './figures.js';
import {Filters} from './filters.js';
import {holdFocus} from './focus.js';
import {FILL_EVENTS, filling} from './fullscreen.js';
import {Layout} from './layout.js';
import {LiveVideo} from './live-video.js';
import {Pages} from './pages.js';
import {Refusal, sentence} from './refusal.js';
import {RemoveDialog} from './remove-dialog.js';
import {listenForShortcuts} from './shortcuts.js';
import {TileWidth} from './tile-width.js';
import {detectStreamUrl, gridUrl, streamUrl, throughFilter, wallUrl} from './urls.js';
import {Wall} from './wall.js';

const REFRESH_MS = 500;        // nobody reads numbers faster than this
const HIDDEN_MS = 1000;        // a look at another tab need not cost a connection
const SLOW_CONNECT_MS = 1000;  // until then the last pictures may pass as live
const UNSEEN_FPS = 5;          // of a wall that is open for its figures alone
const FIGURES_FPS = 0.001;     // of one whose camera is seen as video meanwhile: the least that the server takes

const query = new URLSearchParams(location.search);
const pageFps = Math.max(0, Number(query.get('fps'))) || 0;  // '/?fps=5' spares a slow network

const root = document.documentElement;
root.toggleAttribute('data-kiosk', query.has('kiosk'));  // pictures and names alone, for a screen on a wall
const wallElement = document.getElementById('wall');
const layout = new Layout(wallElement);
const clock = new ServerClock();
const paused = new Set();   // names; kept for cameras that go and come back
const wall = new Wall({onPart, onState});
const tileWidth = new TileWidth(() => follow());
const pages = new Pages({onTurn: turned, announce});
const removeDialog = new RemoveDialog({onRemoved});
const filters = new Filters();
const detectDialog = new DetectDialog(filters);
const detectionControls = new DetectionControls(filters, {onLive: follow, onBoxes: switchBoxes});
const desk = new Desk({onChoice: follow, onRemove: ({name}) => removeDialog.open(name)});
const liveVideo = new LiveVideo();
const addDialog = new AddDialog({
  isTaken: (name) => cameras.some((camera) => camera.name === name),
  onAdded: (name) => announce(`Camera ${name} added`),
});
let cameras = [];           // in the order of the server
let report = null;          // its figures: {server, cameras}
let refused = '';           // what the server would not give: choices it does not know
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
    if (problem instanceof Refusal) askForLess(problem);
  }
  if (state === 'connecting' || state === 'reconnecting') startCounting();
  showWords(problem);
}

function setLinkProblem(problem) {
  for (const camera of cameras) camera.setLinkProblem(problem);
}

function askForLess(refusal) {
  if (refusal.status === 404) {
    wall.url = wallUrl({});  // a camera we asked for by name is gone; the figures of an open wall will tell
  } else if (refusal.status === 400 && wall.url !== plainUrl()) {
    refused = wall.url;
    wall.url = plainUrl();
    for (const camera of sent()) camera.say(`Shown as it comes: ${refusal.message}`);
  }
}

// For the connection that comes next.
function startCounting() {
  clock.restart();
  for (const camera of cameras) camera.connectionOpened();
}

function showFigures(figuresNow) {
  clock.observe(figuresNow.server.time);
  report = figuresNow;
  placeCameras(report.cameras);
  filters.describe(report.filters);
  liveVideo.describe(report.server.webrtc);
  const sentHere = new Map(Object.entries(report.viewer.cameras));  // names may be those of an object's own things
  for (const entry of report.cameras) {
    const camera = cameras.find((camera) => camera.name === entry.name);
    camera.describe(entry, sentHere.get(entry.name));
    camera.setDetectable(filters.names.length > 0);
  }
  layoutCards();
  desk.describe(report.server);
  document.getElementById('add-button').hidden = !report.server.can_add;
  showWords(null);
  follow();
}

function placeCameras(entries) {
  const names = entries.map((entry) => entry.name);
  const unchanged = names.length === cameras.length && names.every((name, at) => cameras[at].name === name);
  if (unchanged) return;

  const returnFocus = holdFocus(cameras, document.getElementById(pages.name === null ? 'help-button' : 'to-grid'));
  for (const camera of cameras) {
    if (!names.includes(camera.name)) camera.element.remove();
  }
  const known = new Map(cameras.map((camera) => [camera.name, camera]));
  cameras = names.map((name) => known.get(name) ?? newCamera(name));
  cameras.forEach(({element}, at) => {
    // Move only what must move: a moved element leaves full screen.
    if (wallElement.children[at] !== element) wallElement.insertBefore(element, wallElement.children[at] ?? null);
  });
  pages.place(cameras);
  showDesk();
  returnFocus(pages.shown);
}

function newCamera(name) {
  return new Camera(name, {
    paused: paused.has(name),
    onToggle,
    onOpen: (camera) => pages.open(camera),
    onDetect: (camera) => detectDialog.open(camera),
  });
}

function switchBoxes(camera) {
  const off = choicesOf(camera.name).boxes === 'off';
  choose(camera.name, {boxes: off ? '' : 'off'});
  camera.followBoxes();
  detectionControls.refresh();
}

function onToggle(camera) {
  camera.setPaused(!camera.paused);
  if (camera.paused) paused.add(camera.name);
  else paused.delete(camera.name);
  follow();
}

// --- pages ---

function turned() {
  showDesk();
  layoutCards();
  follow();
  showWords(null);
}

function showDesk() {
  desk.show(pages.alone);
  detectionControls.show(pages.alone);
}

function layoutCards() {
  const shown = pages.shown.map(({name}) => name);
  layout.fit((report?.cameras ?? []).filter(({name}) => shown.includes(name)), root.dataset.page);
}

function onRemoved(name) {
  announce(`Camera ${name} removed`);
  if (pages.name === name) pages.leave();
}

// --- the connection ---

// What is to be seen is what is asked for.
function follow() {
  if (document.visibilityState === 'hidden') return;  // followVisibility() sees to that
  const wanted = sent();
  for (const camera of cameras) {
    camera.setReceiving(wanted.includes(camera));
    camera.setRaw(rawUrl(camera));
    camera.setFilterProblem(camera.name === onlyName() ? filters.problemOf(camera) : '');
  }
  liveVideo.play(allPaused() ? null : pages.alone);
  desk.showTransport(liveVideo.transportOf(pages.name));
  const isOpen = root.dataset.state !== 'paused';
  if (isOpen === allPaused() || (isOpen && wantedUrl() !== wall.url)) request();
}

function request() {
  if (document.visibilityState === 'hidden' || allPaused()) release();
  else wall.open(wantedUrl());
}

function release() {
  wall.close();
  liveVideo.play(null);
}

// The cards that the wall brings pictures for, unless they are paused.
function sent() {
  const filled = cameras.filter(({element}) => element === filling());
  return filled.length > 0 ? filled : pages.shown;
}

function allPaused() {
  return sent().length > 0 && sent().every((camera) => camera.paused);
}

function wantedUrl() {
  const only = onlyName();
  const url = only === null ? gridUrl(cameras, {fps: pageFps, step: tileWidth.step}) : cameraUrl(only);
  return url === refused ? plainUrl() : url;
}

// The same pictures without any wishes.
function plainUrl() {
  const only = onlyName();
  return wallUrl({names: only === null ? [] : [only]});
}

// The camera that has the page or the screen for itself.
function onlyName() {
  return pages.name ?? cameras.find(({element}) => element === filling())?.name ?? null;
}

function cameraUrl(name) {
  const camera = cameras.find((camera) => camera.name === name);
  if (!camera && report) return wallUrl({fps: UNSEEN_FPS});  // it may come
  if (camera?.alone && liveVideo.transportOf(name).webrtc) return wallUrl({names: [name], fps: FIGURES_FPS});
  const wishes = camera ? wishesFor(camera) : wishesOf(name, null);
  return wallUrl({names: [name], ...wishes, fps: wishes.fps || pageFps});
}

// Only what has the page or the screen for itself is sent through a filter: a wall would send all cameras through it.
function wishesFor({name, size}) {
  return {...wishesOf(name, size?.width), ...throughFilter(filters.liveOf(name))};
}

function rawUrl({name, alone, size}) {
  if (!alone) return streamUrl(name, {});
  const [wishes, filter] = [wishesOf(name, size?.width), filters.liveOf(name)];
  return filter === null ? streamUrl(name, wishes) : detectStreamUrl(name, {...wishes, filter});
}

function followVisibility() {
  clearTimeout(hiddenTimer);
  if (document.visibilityState === 'hidden') hiddenTimer = setTimeout(release, HIDDEN_MS);
  else if (root.dataset.state === 'paused') request();
  if (document.visibilityState !== 'hidden') follow();
}

// --- words ---

function showWords(problem) {
  const state = root.dataset.state;
  const link = {
    connecting: 'Connecting',
    connected: 'Connected',
    reconnecting: 'Reconnecting',
    paused: 'Paused',
  }[state];
  write('link', link);
  const missing = pages.name !== null && report !== null && !pages.alone;
  if (missing) {
    write('empty-title', `No camera “${pages.name}” here`);
    write('empty-text', 'The server has none of this name at present. If it comes, it appears here by itself.');
  } else {
    write('empty-title', state === 'connected' ? 'No cameras' : link);
    if (state === 'connected') write('empty-text', 'The server has none at present. They appear here by themselves.');
    else if (problem) write('empty-text', `${sentence(problem)}. Trying again by itself.`);
  }
  document.getElementById('empty').hidden = missing ? false : cameras.length > 0;
}

function refresh() {
  const serverNow = clock.now();
  for (const camera of cameras) camera.refresh(serverNow);
  desk.refresh();
  detectionControls.refresh();
  tileWidth.observe(pages.name === null ? layout.pictureWidth * devicePixelRatio : 0);
  write('summary', root.dataset.state === 'connected' ? summary() : '');
}

function summary() {
  const now = localNow();
  const bits = cameras.reduce((sum, camera) => sum + (camera.bitsPerSecond(now) ?? 0), 0);
  return [
    figures.plural(cameras.length, 'camera'),
    figures.plural(report.server.viewers, 'viewer'),
    figures.bitrate(bits),
    `up ${figures.duration(report.server.uptime)}`,
  ].join(' · ');
}

function announce(text) {
  write('news', text);
}

function write(id, text) {
  const element = document.getElementById(id);
  if (element.textContent !== text) element.textContent = text;
}

// --- start ---

const help = document.getElementById('help');
const showHelp = () => help.showModal();
document.getElementById('help-button').addEventListener('click', showHelp);
document.getElementById('add-button').addEventListener('click', () => addDialog.open());
listenForShortcuts({
  get cameras() { return cameras; },
  get columns() { return layout.columns; },
  get alone() { return pages.alone; },
  get onCameraPage() { return pages.name !== null; },
  open: (camera) => pages.open(camera),
  leave: () => pages.leave(),
  step: (distance) => pages.step(distance),
  showHelp,
  switchBoxes,
});
for (const event of FILL_EVENTS) document.addEventListener(event, follow);
document.addEventListener('visibilitychange', followVisibility);
// An open connection would keep the page out of the back-forward cache.
addEventListener('pagehide', release);
addEventListener('pageshow', followVisibility);
addEventListener('resize', () => layout.apply());
setInterval(refresh, REFRESH_MS);
request();
