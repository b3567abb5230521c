// examples/vue with a camera that can be stopped and started.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {before, test} from 'node:test';
import {Lifetime, PHONE, Site, Tab, build} from './examples.mjs';
import {Server, camgrab, launchBrowser, temporaryFolder, until} from './support.mjs';

const SOURCE_FPS = 15;

const lifetime = new Lifetime();
let browser;
let site;
let server;
let pidFile;
before(async () => {
  browser = await launchBrowser();
  lifetime.after(() => browser.close());
  site = await Site.open(lifetime);
  pidFile = join(temporaryFolder(lifetime), 'pid');
  const command = `echo $$ >${pidFile}; exec ${camgrab('640x360', SOURCE_FPS)}`;
  server = await Server.start(lifetime, '--camera', `front=exec:${command}`, '--allow-origin', site.origin);
  site.folder = build(lifetime, 'vue', {VITE_FRAMEPIPE: server.url});
});

class CameraPage extends Tab {
  static async open(t, viewport) {
    await fetch(`${server.url}/api/camera/start`, {method: 'POST'});
    return super.open(t, browser, site.origin, viewport);
  }

  get picture() {
    return this.page.getByAltText('The camera, live');
  }
  get snapshot() {
    return this.page.getByAltText('The snapshot');
  }
  get alert() {
    return this.page.getByRole('alert');
  }
  async press(name) {
    await this.page.getByRole('button', {name}).click();
  }
  async becomes(status) {
    await until(`the page says ${status}`, async () => (await this.page.getByRole('status').textContent()).startsWith(status));
  }
  async isLive() {
    await this.becomes('live');
    await this.hasColours(this.picture, true);
    await this.moves(this.picture);
  }
  /** The part of the stream's address behind '?', without the time. */
  async query() {
    return (await this.picture.getAttribute('src')).replace(/^[^?]*\?/, '').replace(/&t=\d+$/, '');
  }
}

const sourceId = () => Number(readFileSync(pidFile, 'utf8'));

function alive(pid) {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** What the page's stream is sent, once it is another one than `old`: bytes a frame, and frames a second. */
async function measureStream(what, old) {
  const look = async () => (await server.state()).viewers.filter(({kind}) => kind === 'stream');
  const first = await until(`${what} is under way`, async () => (await look()).find(({id, sent}) => id !== old && sent > 3));
  const last = await until('20 more frames were sent', async () =>
    (await look()).find(({id, sent}) => id === first.id && sent >= first.sent + 20));
  return {
    id: first.id,
    bytes: (last.bytes - first.bytes) / (last.sent - first.sent),
    fps: (last.sent - first.sent) / (last.seconds - first.seconds),
  };
}

test('Vue: the picture moves, with the quality and the rate that the page asks for', async (t) => {
  const page = await CameraPage.open(t);
  await page.isLive();
  assert.equal(await page.query(), 'quality=80&fps=30');
  assert.ok((await page.picture.getAttribute('src')).startsWith(`${server.url}/api/camera/stream?`));
  await page.isLabelled();
  await page.photograph('vue');
  page.assertNoComplaints();
});

test('Vue: stop ends the program behind the camera and shows a card, start brings the picture back', async (t) => {
  const page = await CameraPage.open(t);
  await page.isLive();
  const pid = sourceId();
  assert.ok(alive(pid));

  await page.press('Stop');
  await until('the program has ended', () => !alive(pid));
  await page.hasColours(page.picture, false);
  await page.becomes('stopped');
  await page.photograph('vue-stopped');

  await page.press('Start');
  await page.isLive();
  await until('it is another program', () => sourceId() !== pid && alive(sourceId()));
  page.assertNoComplaints();
});

test('Vue: a snapshot of a stopped camera is refused in the words of the server', async (t) => {
  const page = await CameraPage.open(t);
  await page.isLive();
  await page.press('Stop');
  await page.becomes('stopped');
  const {error} = await until('there is no fresh frame', async () => {
    const answer = await fetch(`${server.url}/api/camera/snapshot`);
    return answer.status === 503 && answer.json();
  });
  await page.press('Snapshot');
  await until(`the page says: ${error}`, async () => await page.alert.textContent() === error);
  assert.equal(await page.snapshot.count(), 0);
  page.assertNoComplaints(/^Failed to load resource: the server responded with a status of 503/);
});

test('Vue: a snapshot is a JPEG of the size of the camera', async (t) => {
  const page = await CameraPage.open(t);
  await page.isLive();
  await page.press('Snapshot');
  await page.hasColours(page.snapshot, true);
  assert.equal(await page.snapshot.evaluate((img) => `${img.naturalWidth}×${img.naturalHeight}`), '640×360');

  const [download] = await Promise.all([
    page.page.waitForEvent('download'),
    page.page.getByRole('link', {name: 'snapshot-'}).click(),
  ]);
  assert.match(download.suggestedFilename(), /^snapshot-\d{8}-\d{6}\.jpg$/);
  const jpeg = readFileSync(await download.path());
  assert.equal(jpeg.toString('hex', 0, 3), 'ffd8ff');
  assert.equal(jpeg.toString('hex', jpeg.length - 2), 'ffd9');
  await page.photograph('vue-snapshot');
  page.assertNoComplaints();
});

test('Vue: with less quality there are fewer bytes to each frame', async (t) => {
  const page = await CameraPage.open(t);
  await page.isLive();
  const good = await measureStream('quality=80');
  await page.page.getByLabel('Quality').fill('10');
  assert.equal(await page.query(), 'quality=10&fps=30');
  await page.isLive();
  const poor = await measureStream('quality=10', good.id);
  t.diagnostic(`quality 80: ${good.bytes.toFixed(0)} bytes a frame, quality 10: ${poor.bytes.toFixed(0)}`);
  assert.ok(poor.bytes < 0.7 * good.bytes, `${poor.bytes} and ${good.bytes} bytes`);
  page.assertNoComplaints();
});

test('Vue: no more frames a second are sent than the page asks for', async (t) => {
  const page = await CameraPage.open(t);
  await page.isLive();
  const {id} = await measureStream('fps=30');
  await page.page.getByLabel('Frames a second').fill('5');
  assert.equal(await page.query(), 'quality=80&fps=5');
  const {fps} = await measureStream('fps=5', id);
  t.diagnostic(`${fps.toFixed(2)} frames a second`);
  assert.ok(fps > 0 && fps < 6, `${fps} frames a second`);
  await page.moves(page.picture);
  page.assertNoComplaints();
});

test('Vue: the picture comes back by itself after the server was killed', async (t) => {
  const page = await CameraPage.open(t);
  await page.isLive();
  await server.kill();
  let back = false;
  t.after(() => back || server.startAgain());  // for the tests after this one
  await page.becomes('no connection');
  await page.press('Snapshot');
  await until('the page says that nobody answers', async () => /does not answer/.test(await page.alert.textContent()));
  await server.startAgain();
  back = true;
  await page.isLive();
  page.assertNoComplaints(/^Failed to load resource: net::ERR_/);  // Chromium logs each vain attempt
});

test('Vue: on a phone nothing sticks out sideways', async (t) => {
  const page = await CameraPage.open(t, PHONE);
  await page.isLive();
  await page.press('Snapshot');
  await page.hasColours(page.snapshot, true);
  await page.fitsItsWidth();
  await page.photograph('vue-phone');
  page.assertNoComplaints();
});
