// webrtc-serve and webrtc-ingest with Chromium at the other end: what is played, and what a tablet's camera becomes.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {after, before, describe, test} from 'node:test';
import {
  IngestServer, OrdinaryTab, PATIENCE_MS, Server, WebrtcServer, camgrab, launchBrowser, program, temporaryFolder, until,
} from './support.mjs';
import {PHONE, Viewer} from './viewer.mjs';

const DATA = fileURLToPath(new URL('../data/detect/', import.meta.url));
const CARD = ['-i', `exec:${camgrab('640x480', 30)}`];

async function openPage(t, browser, server, {prepare, ...options} = {}) {
  const context = await browser.newContext({viewport: {width: 1000, height: 700}, ...options});
  t.after(() => context.close());
  context.setDefaultTimeout(PATIENCE_MS);
  if (prepare) await context.addInitScript(prepare);
  const page = await context.newPage();
  page.complaints = [];
  page.on('pageerror', (error) => page.complaints.push(error.stack));
  page.on('console', (message) => { if (message.type() === 'error') page.complaints.push(message.text()); });
  page.heard = [];  // over its WebSocket
  page.told = [];
  page.on('websocket', (socket) => {
    socket.on('framereceived', ({payload}) => page.heard.push(JSON.parse(payload)));
    socket.on('framesent', ({payload}) => page.told.push(JSON.parse(payload)));
  });
  await page.goto(server.url);
  return page;
}

const becomes = (page, wanted) => page.locator(`html[data-state=${wanted}]`).waitFor({state: 'attached'});
const textOf = (page, id) => page.locator(`#${id}`).textContent();
const numberOf = async (page, id) => parseFloat(await textOf(page, id));
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

/**
 * Runs in the page: how old `count` pictures of camgrab's test card are when they are shown, in milliseconds. A white bar
 * with a black line in it crosses the card once in two seconds of the clock.
 */
function agesOfCard(count) {
  const video = document.querySelector('video');
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext('2d', {willReadFrequently: true});
  const barAt = (width) => {
    const row = context.getImageData(0, 0, width, 1).data;
    const bar = Math.max(4, Math.floor(width / 80) * 2);
    const light = (x) => row[4 * x] + row[4 * x + 1] + row[4 * x + 2];
    const mean = (from, to) => {
      let sum = 0;
      for (let x = from; x < to; x += 1) sum += light(x);
      return sum / (to - from);
    };
    let best = {score: 0};
    for (let x = 0; x + bar <= width; x += 1) {
      const [left, line, right] = [mean(x, x + bar / 2), mean(x + bar / 2, x + bar * 3 / 4), mean(x + bar * 3 / 4, x + bar)];
      const score = Math.min(left, right) - line;
      if (score > best.score) best = {score, x};
    }
    return best.score > 300 ? {x: best.x, bar} : null;  // of 765
  };
  return new Promise((resolve) => {
    const ages = [];
    const look = (_, {expectedDisplayTime}) => {
      const {videoWidth: width, videoHeight: height} = video;
      canvas.width = width;
      context.drawImage(video, 0, Math.round(height * 0.3), width, 1, 0, 0, width, 1);
      const found = barAt(width);
      if (found) {
        const shown = (performance.timeOrigin + expectedDisplayTime) % 2000;
        const age = (shown - (found.x + found.bar) * 2000 / (width + found.bar) + 4000) % 2000;
        ages.push(age > 1900 ? age - 2000 : age);  // a pixel is three milliseconds
      }
      if (ages.length === count) resolve(ages);
      else video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  });
}

describe('webrtc-serve', () => {
  let browser;
  before(async () => { browser = await launchBrowser(); });
  after(() => browser?.close());

  for (const codec of ['vp8', 'h264']) {
    test(`the page plays ${codec}, and its latency is what the clock in the picture says`, async (t) => {
      const server = await WebrtcServer.start(t, '--codec', codec, ...CARD);
      const page = await openPage(t, browser, server);
      await becomes(page, 'playing');
      await until('it says what it plays', async () =>
        await textOf(page, 'codec') === codec.toUpperCase() && await textOf(page, 'size') === '640×480');
      await until('frames grow', async () => await numberOf(page, 'frames') > 60);
      const seen = median(await page.evaluate(agesOfCard, 60));
      const text = await until('there is a latency', async () => {
        const text = await textOf(page, 'latency');
        return /^\d/.test(text) && text;
      });
      const [, told, error] = /^([\d.]+) ms ±(\d+)$/.exec(text);
      t.diagnostic(`by the clock in the picture ${seen.toFixed(1)} ms, by the page ${text}`);
      assert.ok(seen > 0 && seen < 1000, `the picture is ${seen} ms old`);
      assert.ok(Math.abs(told - seen) < Number(error) + 150, `the page says ${text}, the picture ${seen} ms`);
      assert.deepEqual(page.complaints, []);
    });
  }

  test('the page fills a phone, and comes back when the server does', async (t) => {
    const server = await WebrtcServer.start(t, ...CARD);
    const page = await openPage(t, browser, server, {viewport: PHONE});
    await becomes(page, 'playing');
    const box = await page.locator('#video').boundingBox();
    assert.deepEqual([box.x, Math.round(box.width), Math.round(box.height)], [0, PHONE.width, PHONE.width * 3 / 4]);
    await server.kill();
    await becomes(page, 'reconnecting');
    await until('it says why', async () => /does not answer|no server|lost/i.test(await textOf(page, 'message')));
    await server.startAgain();
    await becomes(page, 'playing');
    assert.equal(await textOf(page, 'message'), '');
  });

  test('a page out of sight lets go of the server, and plays again when it is seen', async (t) => {
    const server = await WebrtcServer.start(t, ...CARD);
    const tab = await OrdinaryTab.open(t, browser);
    const plays = () => until('it plays', async () =>
      await tab.evaluate('document.documentElement.dataset.state') === 'playing');
    const viewers = (count) => until(`there are ${count} viewers`, async () =>
      (await server.state()).webrtc.connected === count);
    await tab.goto(server.url);
    await plays();
    await viewers(1);
    await tab.hide();
    await viewers(0);
    await tab.show();
    await plays();
    await viewers(1);
  });

  test('the bitrate is changed for all pages', async (t) => {
    const server = await WebrtcServer.start(t, '--bitrate', '1500', ...CARD);
    const pages = [await openPage(t, browser, server), await openPage(t, browser, server)];
    for (const page of pages) await becomes(page, 'playing');
    await pages[0].locator('#bitrate').selectOption('300');
    await until('the other page shows it', () => pages[1].locator('#bitrate').evaluate(({value}) => value === '300'));
    await until('there are two viewers', async () => await textOf(pages[1], 'summary') === '2 viewers');
  });

  test('where nothing may be changed there is no choice of the bitrate', async (t) => {
    const page = await openPage(t, browser, await WebrtcServer.start(t, '--read-only', ...CARD));
    await becomes(page, 'playing');
    assert.equal(await page.locator('#bitrate').isVisible(), false);
  });

  test('a page of mjpeg-serve plays it where --webrtc and --allow-origin let it, with its age', async (t) => {
    const camera = ['--camera', `door=exec:${camgrab('320x240', 10)}`];
    const video = await WebrtcServer.start(t, ...CARD);
    const pictures = await Server.start(t, ...camera, '--webrtc', `door=${video.url}`);
    const refused = await Viewer.open(t, browser, pictures, {path: '/#/camera/door'});
    await refused.isLive('door');
    await refused.page.locator('#choice-transport').selectOption('webrtc');
    await until('the page says what mends it', async () =>
      (await refused.camera('door').locator('.reason').textContent()).includes(`--allow-origin ${pictures.url}`));

    const open = await WebrtcServer.start(t, '--allow-origin', pictures.url, ...CARD);
    // The same address for the page, so that the origin is the one that is let in.
    await pictures.kill();
    const again = new Server(t, [...camera, '--webrtc', `door=${open.url}`]);
    again.port = pictures.port;
    t.after(() => again.kill());
    await again.startAgain();
    const viewer = await Viewer.open(t, browser, again, {path: '/#/camera/door'});
    await viewer.isLive('door');
    await viewer.page.locator('#choice-transport').selectOption('webrtc');
    await viewer.isSent('/wall?cameras=door&fps=0.001');
    await viewer.cameraBecomes('door', 'live');
    await until('it is the video that is shown', async () => await viewer.figure('door', 'size') === '640×480');
    await until('it has an age', async () => /^\d+ ms$/.test(await viewer.figure('door', 'age')));
    viewer.assertNoComplaints();
  });
});

describe('webrtc-ingest', () => {
  let browser;
  before(async () => { browser = await launchFakeCamera(); });
  after(() => browser?.close());

  function launchFakeCamera(...flags) {
    return launchBrowser('--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', ...flags);
  }

  async function start(t, browser, arguments_, settings = {}) {
    const server = await IngestServer.start(t, ...arguments_);
    const prepare = `localStorage.setItem('framepipe.ingest', ${JSON.stringify(JSON.stringify(settings))})`;
    const page = await openPage(t, browser, server, {prepare});
    await page.locator('#start').click();
    await becomes(page, 'sending');
    return {server, page};
  }

  /** The heads and bodies of the parts in a file of frames. */
  function readFrames(file) {
    const data = readFileSync(file);
    const frames = [];
    for (let at = 0; at < data.length;) {
      const end = data.indexOf('\r\n\r\n', at);
      if (end < 0) break;
      const lines = data.toString('latin1', at, end).split('\r\n').slice(1);
      const fields = lines.map((line) => line.split(': '));
      const head = Object.fromEntries(fields.map(([name, value]) => [name.toLowerCase(), value]));
      const body = data.subarray(end + 4, end + 4 + Number(head['content-length']));
      if (body.length < Number(head['content-length'])) break;  // not all of it is there yet
      frames.push({head, body});
      at = end + 4 + body.length + 2;
    }
    return frames;
  }

  // How many pictures a decoder that forgives nothing finds; throws when there is anything to forgive.
  function decode(folder, bodies) {
    const file = join(folder, 'bodies.mjpeg');
    writeFileSync(file, Buffer.concat(bodies));
    const report = execFileSync('ffmpeg', ['-v', 'error', '-xerror', '-err_detect', 'explode', '-f', 'mjpeg', '-i', file, '-f',
      'framehash', '-'], {encoding: 'utf8'});
    return report.split('\n').filter((line) => /^\d/.test(line)).length;
  }

  test('every picture of the camera, 640x480 at 15 fps, comes out whole and in order, with its time', async (t) => {
    const folder = temporaryFolder(t);
    const file = join(folder, 'frames.mjpeg');
    const {page} = await start(t, browser, ['-o', file], {name: 'tablet-3', resolution: '640x480', fps: '15'});
    assert.equal(await textOf(page, 'state'), 'Sending');
    await until('the session has its name', async () => await textOf(page, 'session') === 'tablet-3');
    // Ten seconds of them; a machine that is busy takes fewer a second.
    for (const count of [50, 100, 150]) {
      await until(`${count} pictures have come`, async () => await numberOf(page, 'answered') >= count);
    }
    await page.locator('#stop').click();
    const stopped = Date.now() / 1000;
    const frames = await until('they have come out', () => {
      const frames = readFrames(file);
      return frames.length >= 150 && frames;
    });
    // Those that the page skips have no number: what was sent is all there.
    assert.deepEqual(frames.map(({head}) => Number(head['x-sequence'])), frames.map((_, at) => at + 1));
    assert.equal(decode(folder, frames.map(({body}) => body)), frames.length);
    for (const {head, body} of frames) {
      assert.equal(head['x-camera'], 'tablet-3');
      assert.deepEqual([body.readUInt16BE(0), body.readUInt16BE(body.length - 2)], [0xffd8, 0xffd9]);
      const age = stopped - Number(head['x-timestamp']);
      assert.ok(age > -1 && age < 4 * PATIENCE_MS / 1000, `a picture of ${head['x-timestamp']}`);
    }
    t.diagnostic(`${frames.length} pictures in `
        + `${(frames.at(-1).head['x-timestamp'] - frames[0].head['x-timestamp']).toFixed(1)} s`);
    assert.deepEqual(page.complaints, []);
  });

  test('a tablet does so over https', async (t) => {
    const folder = temporaryFolder(t);
    const [cert, key] = ['cert', 'key'].map((name) => join(folder, name));
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
      '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
      {stdio: 'ignore'});
    const trusting = await launchFakeCamera('--ignore-certificate-errors');
    t.after(() => trusting.close());
    const {server, page} = await start(t, trusting, ['--tls-cert', cert, '--tls-key', key, '-o', '/dev/null']);
    assert.match(server.url, /^https:/);
    await until('pictures come', async () => await numberOf(page, 'answered') > 10);
    assert.deepEqual(page.complaints, []);
  });

  test('what a child says of a picture comes back with the four times', async (t) => {
    const child = join(temporaryFolder(t), 'child.py');
    writeFileSync(child, `
import json, sys
for line in sys.stdin.buffer:
    if line.lower().startswith(b"content-length:"): length = int(line.split(b":")[1])
    if line.lower().startswith(b"x-sequence:"): sequence = int(line.split(b":")[1])
    if line == b"\\r\\n":
        picture = sys.stdin.buffer.read(length + 2)[:-2]
        whole = picture[:2] == b"\\xff\\xd8" and picture[-2:] == b"\\xff\\xd9"
        print(json.dumps({"sequence": sequence, "label": "whole" if whole else "torn"}), flush=True)
`);
    const {page} = await start(t, browser, ['--exec', `exec python3 ${child}`]);
    await until('results come', async () => await numberOf(page, 'answered') > 30);
    assert.deepEqual(await page.locator('#list .word').allTextContents(), ['whole']);
    assert.equal(await textOf(page, 'newest'), 'whole');
    const took = {};
    for (const id of ['total', 'transfer', 'processing', 'upload']) {
      took[id] = await until(`there is a latency ${id}`, async () => {
        const text = await textOf(page, id);
        return / ms$/.test(text) && text;
      });
    }
    t.diagnostic(JSON.stringify(took));
    assert.ok(parseFloat(took.total) > 0 && parseFloat(took.total) < 1000, took.total);
    assert.deepEqual(page.complaints, []);
  });

  test('a gesture before the camera comes back as its word', async (t) => {
    const folder = temporaryFolder(t);
    const [video, labels] = [join(folder, 'swipe.y4m'), join(folder, 'labels.txt')];
    writeFileSync(labels, 'none\nswipe-left\nswipe-right\nswipe-up\nswipe-down\n');
    // A second of standing still before it and behind it; Chromium plays it again and again.
    execFileSync('ffmpeg', ['-v', 'error', '-f', 'mjpeg', '-framerate', '30', '-i', join(DATA, 'swipe-left.mjpeg'), '-vf',
      'tpad=start=30:start_mode=clone:stop=30:stop_mode=clone,scale=640:480,format=yuv420p', video]);
    const signer = await launchFakeCamera(`--use-file-for-fake-video-capture=${video}`);
    t.after(() => signer.close());
    const detect = `${program('frame-detect')} --layout sequence --model ${DATA}gesture_30x64x64.onnx --labels ${labels} `
        + '--window 1s --stride 100ms';
    const {page} = await start(t, signer, ['--exec', detect], {fps: '30', resolution: '320x240'});
    await until('the word is there', async () =>
      (await page.locator('#list .word').allTextContents()).includes('swipe-left'));
    t.diagnostic(`words: ${await page.locator('#list').innerText()}`);
    for (const id of ['total', 'transfer', 'processing', 'upload']) {
      await until(`there is a latency ${id}`, async () => / ms$/.test(await textOf(page, id)));
    }
    const found = page.heard.find(({result}) => result?.objects?.[0]?.label === 'swipe-left');
    const {T_start: began, T_receive: received, T_inference: inferred} = found;
    const {T_end: ended} = page.told.find(({type, frame}) => type === 'times' && frame === found.frame);
    t.diagnostic(`its four times: ${JSON.stringify([began, received, inferred, ended])}`);
    assert.ok(began < ended && received <= inferred);
    // All is one machine here, whose clock may yet be moved meanwhile.
    assert.ok(received > began - 100 && inferred < ended + 100);
    assert.deepEqual(page.complaints, []);
  });

  test('the page goes on when the server comes back', async (t) => {
    const {server, page} = await start(t, browser, ['-o', '/dev/null']);
    await until('pictures come', async () => await numberOf(page, 'answered') > 5);
    await server.kill();
    await becomes(page, 'reconnecting');
    const before = await numberOf(page, 'answered');
    await server.startAgain();
    await becomes(page, 'sending');
    await until('pictures come again', async () => await numberOf(page, 'answered') > before + 5);
  });

  test('a camera is sent as a track where the server wants that', async (t) => {
    const file = join(temporaryFolder(t), 'frames.mjpeg');
    const {page} = await start(t, browser, ['--mode', 'track', '-o', file]);
    await until('pictures come out', () => readFrames(file).length > 20);
    await until('they are counted', async () => await numberOf(page, 'sent') > 20);
    assert.ok(readFrames(file).every(({body}) => body.readUInt16BE(0) === 0xffd8));
    assert.equal(await page.locator('#quality').isVisible(), false);
  });
});
