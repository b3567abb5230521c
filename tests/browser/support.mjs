// What the tests share: programs, frames made here, and Chromium. Whatever is started here ends with the test, and at
// the latest with the process.
import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {inflateSync} from 'node:zlib';
import {chromium} from 'playwright-core';

/** For whatever should take a moment: a busy machine may take long. */
export const PATIENCE_MS = 20000;

const BIN = process.env.FP_BIN ?? fileURLToPath(new URL('../../build/release/bin', import.meta.url));
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const CHROMIUM_FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

/** Milliseconds of UNIX time, on the same clock as a page's performance.timeOrigin + performance.now(). */
export const now = () => performance.timeOrigin + performance.now();

export const program = (name) => join(BIN, name);

/** A command for exec:. */
export const camgrab = (size, fps) => `${program('camgrab')} test --size ${size} --fps ${fps}`;

export function temporaryFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), 'framepipe-browser-'));
  t.after(() => rmSync(folder, {recursive: true, force: true}));
  return folder;
}

/** Asks again and again until `question` gives something true, and returns that. */
export async function until(what, question) {
  const deadline = now() + PATIENCE_MS;
  for (;;) {
    const answer = await question();
    if (answer) return answer;
    assert.ok(now() < deadline, `waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The promise's value, unless it takes too long. */
export async function within(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain: ${what}`)), PATIENCE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// --- programs ---

const groups = new Set();  // process groups that may be alive

function killGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch {
    groups.delete(pid);  // gone
  }
}

process.on('exit', () => {
  for (const pid of groups) killGroup(pid, 'SIGKILL');
});
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

/** A program that ends with the test; what it says is thrown away. */
export function startProgram(t, command, ...arguments_) {
  const child = spawn(command, arguments_, {detached: true, stdio: 'ignore'});
  const gone = new Promise((resolve) => child.once('close', resolve).once('error', resolve));
  if (child.pid) groups.add(child.pid);
  t.after(() => {
    if (child.pid) killGroup(child.pid, 'SIGKILL');
    return gone;
  });
  return child;
}

/** mjpeg-serve, listening on a free port unless told which; `arguments_` are the rest of its command line. */
export class Server {
  static tool = 'mjpeg-serve';
  port;
  #scheme = 'http';
  #t;
  #arguments;
  #child;
  #gone;
  #killed;

  static async start(t, ...arguments_) {
    const server = new this(t, arguments_);
    t.after(() => server.kill());
    await server.#start(0);
    return server;
  }

  constructor(t, arguments_) {
    this.#t = t;
    this.#arguments = arguments_;
  }

  get url() {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  /** Where frames go, for a server that reads standard input. */
  get input() {
    return this.#child.stdin;
  }

  async state() {
    return (await fetch(`${this.url}/state`)).json();
  }

  /** As abruptly as a machine that loses its power. */
  async kill() {
    this.#killed = true;
    killGroup(this.#child.pid, 'SIGKILL');
    await this.#gone;
  }

  /** On the same port. Another program may have got it meanwhile; those keep theirs for a moment only. */
  async startAgain() {
    await until(`port ${this.port} is free again`, () => this.#start(this.port).then(() => true, () => false));
  }

  async #start(port) {
    const {tool} = this.constructor;
    const child = spawn(program(tool), ['--listen', `127.0.0.1:${port}`, ...this.#arguments],
                        {detached: true, stdio: ['pipe', 'ignore', 'pipe']});
    let messages = '';
    this.#child = child;
    this.#killed = false;
    this.#gone = new Promise((resolve) => child.once('close', resolve));
    child.once('close', (code, signal) => {
      if (!this.#killed) this.#t.diagnostic(`${tool} ended by itself (${code ?? signal}): ${messages}`);
    });
    groups.add(child.pid);
    child.stdin.on('error', () => {});  // it was killed
    const listening = new Promise((resolve, reject) => {
      child.stderr.setEncoding('utf8').on('data', (text) => {
        messages += text;
        const address = /(https?):\/\/127\.0\.0\.1:(\d+)\//.exec(messages);
        if (!address) return;
        this.#scheme = address[1];
        resolve(Number(address[2]));
      });
      child.once('error', reject);
      child.once('close', () => reject(new Error(`${tool} ended: ${messages}`)));
    });
    this.port = await within(`${tool} listens`, listening);
  }
}

/** webrtc-serve, of `-i SPEC` and the like. */
export class WebrtcServer extends Server {
  static tool = 'webrtc-serve';
}

/** webrtc-ingest. */
export class IngestServer extends Server {
  static tool = 'webrtc-ingest';
}

/** mjpeg-relay as a server of what it relays. */
export class Relay extends Server {
  static tool = 'mjpeg-relay';
}

// --- frames ---

// Even the lossiest way from here to there keeps these apart. Neighbours in this list differ.
const COLOURS = ['black', 'blue', 'lime', 'cyan', 'red', 'magenta', 'yellow', 'white'];

/** Which of the COLOURS that is. */
export const colourOf = ([red, green, blue]) => (red > 127 ? 4 : 0) + (green > 127 ? 2 : 0) + (blue > 127 ? 1 : 0);

/** A JPEG in each of the COLOURS. */
export function makeColouredFrames() {
  return COLOURS.map((colour) => execFileSync('ffmpeg', [
    '-v', 'error', '-f', 'lavfi', '-i', `color=${colour}:size=320x240`, '-frames:v', '1', '-f', 'mjpeg', '-',
  ]));
}

export function asPart(jpeg) {
  const head = `--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), jpeg, Buffer.from('\r\n')]);
}

// --- Chromium ---

/** The caller closes it. */
export const launchBrowser = (...flags) =>
    chromium.launch({executablePath: CHROMIUM, args: [...CHROMIUM_FLAGS, ...flags]});

/**
 * A tab that can be hidden, by opening another: playwright tells its own tabs that they are always seen. So this one is
 * made behind its back, in a browser context that it does not know.
 */
export class OrdinaryTab {
  #devtools;
  #context;
  #target;
  #session;
  #waiting = new Map();
  #lastId = 0;

  static async open(t, browser) {
    const tab = new OrdinaryTab();
    tab.#devtools = await browser.newBrowserCDPSession();
    tab.#devtools.on('Target.receivedMessageFromTarget', ({message}) => {
      const reply = JSON.parse(message);
      tab.#waiting.get(reply.id)?.(reply);
      tab.#waiting.delete(reply.id);
    });
    tab.#context = (await tab.#devtools.send('Target.createBrowserContext')).browserContextId;
    t.after(() => tab.#devtools.send('Target.disposeBrowserContext', {browserContextId: tab.#context}));
    tab.#target = await tab.#openAnother();
    const attached = await tab.#devtools.send('Target.attachToTarget', {targetId: tab.#target, flatten: false});
    tab.#session = attached.sessionId;
    return tab;
  }

  async goto(url) {
    await this.#send('Page.navigate', {url});
  }

  async evaluate(expression) {
    const {result} = await this.#send('Runtime.evaluate', {expression, returnByValue: true});
    return result?.result.value;
  }

  async hide() {
    await this.#openAnother();
    await until('the tab is hidden', async () => await this.evaluate('document.visibilityState') === 'hidden');
  }

  async show() {
    await this.#devtools.send('Target.activateTarget', {targetId: this.#target});
    await until('the tab is shown', async () => await this.evaluate('document.visibilityState') === 'visible');
  }

  async #openAnother() {
    const wish = {url: 'about:blank', browserContextId: this.#context};
    return (await this.#devtools.send('Target.createTarget', wish)).targetId;
  }

  async #send(method, params) {
    const id = ++this.#lastId;
    const reply = new Promise((resolve) => this.#waiting.set(id, resolve));
    const message = JSON.stringify({id, method, params});
    await this.#devtools.send('Target.sendMessageToTarget', {sessionId: this.#session, message});
    return within(`${method} is answered`, reply);
  }
}

/** The red, green and blue in the middle of a PNG such as Chromium's: eight bits deep, not interlaced. */
export function middleOfPng(png) {
  const chunks = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    const [type, data] = [png.toString('latin1', at + 4, at + 8), png.subarray(at + 8, at + 8 + png.readUInt32BE(at))];
    chunks.push({type, data});
  }
  const head = chunks.find(({type}) => type === 'IHDR').data;
  const [width, height] = [head.readUInt32BE(0), head.readUInt32BE(4)];
  const pixelSize = {2: 3, 6: 4}[head[9]];
  const rowSize = width * pixelSize;
  const filtered = inflateSync(Buffer.concat(chunks.filter(({type}) => type === 'IDAT').map(({data}) => data)));
  let above = new Uint8Array(rowSize);
  for (let y = 0; y <= height >> 1; y += 1) {
    const start = y * (rowSize + 1);
    const row = Uint8Array.from(filtered.subarray(start + 1, start + 1 + rowSize));
    unfilter(filtered[start], row, above, pixelSize);
    above = row;
  }
  const middle = (width >> 1) * pixelSize;
  return [...above.subarray(middle, middle + 3)];
}

function unfilter(filter, row, above, pixelSize) {
  for (let x = 0; x < row.length; x += 1) {
    const left = x < pixelSize ? 0 : row[x - pixelSize];
    const corner = x < pixelSize ? 0 : above[x - pixelSize];
    row[x] += [0, left, above[x], (left + above[x]) >> 1, paeth(left, above[x], corner)][filter];
  }
}

function paeth(left, above, corner) {
  const [toLeft, toAbove, toCorner] = [left, above, corner].map((value) => Math.abs(left + above - corner - value));
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}
