// The viewer page at /, with real cameras.
import assert from 'node:assert/strict';
import {readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {
  OrdinaryTab, Server, asPart, camgrab, launchBrowser, makeColouredFrames, temporaryFolder, until,
} from './support.mjs';
import {PHONE, Viewer} from './viewer.mjs';

const ONE_CAMERA = ['--camera', `door=exec:${camgrab('320x240', 10)}`];
const TWO_CAMERAS = [...ONE_CAMERA, '--camera', `yard=exec:${camgrab('480x270', 5)}`];

let browser;
before(async () => { browser = await launchBrowser(); });
after(() => browser?.close());

const viewersOf = async (server, name) => (await server.state()).cameras.find((camera) => camera.name === name).viewers;

test('the page shows moving pictures and figures of all cameras over one connection', async (t) => {
  const server = await Server.start(t, ...TWO_CAMERAS);
  const viewer = await Viewer.open(t, browser, server);
  await viewer.isLive('door', 'yard');

  assert.equal(await viewer.page.locator('#link').textContent(), 'Connected');
  for (const [name, size] of [['door', '320×240'], ['yard', '480×270']]) {
    assert.equal(await viewer.camera(name).locator('.badge-text').textContent(), 'Live');
    // Figures are written at most twice a second: the picture may be a little ahead of them.
    await until(`${name} shows its size`, async () => (await viewer.figure(name, 'size')) === size);
    const canvas = viewer.camera(name).locator('.picture');
    assert.equal(await canvas.evaluate(({width, height}) => `${width}×${height}`), size);
    for (const [figure, form] of [['fps', /fps$/], ['source', /fps$/], ['age', /s$/], ['bandwidth', /bit\/s$/]]) {
      await until(`${name} has a figure '${figure}'`, async () => {
        const text = await viewer.figure(name, figure);
        return form.test(text) && (figure === 'age' || parseFloat(text) > 0);
      });
    }
  }
  await until('nothing is underway but the wall', () => viewer.underway.size === 1);
  assert.deepEqual([...viewer.underway].map((request) => request.url()), [`${server.url}/wall`]);
  assert.deepEqual(viewer.walls, ['/wall']);
  assert.deepEqual((await server.state()).viewers.map(({kind}) => kind), ['wall']);
  viewer.assertNoComplaints();
});

test('the page reconnects by itself when the server is killed and started again', async (t) => {
  const server = await Server.start(t, ...TWO_CAMERAS);
  const viewer = await Viewer.open(t, browser, server);
  await viewer.isLive('door', 'yard');

  await server.kill();
  await viewer.becomes('reconnecting');
  for (const name of ['door', 'yard']) {
    await viewer.cameraBecomes(name, 'reconnecting');
    await until('the last picture is dimmed', () =>
      viewer.camera(name).locator('.picture').evaluate((canvas) => Number(getComputedStyle(canvas).opacity) < 0.5));
  }
  assert.equal(await viewer.page.locator('#link').textContent(), 'Reconnecting');

  await server.startAgain();
  await viewer.isLive('door', 'yard');
  assert.equal((await server.state()).viewers.length, 1);
  viewer.assertNoComplaints(/^Failed to load resource: net::ERR_/);  // Chromium logs each vain attempt
});

test('a camera whose program is killed reconnects by itself, and the other goes on', async (t) => {
  const folder = temporaryFolder(t);
  const [pid, broken] = [join(folder, 'pid'), join(folder, 'broken')];
  const command = `test ! -e ${broken} || exit 1; echo $$ >${pid}; exec ${camgrab('320x240', 10)}`;
  const server = await Server.start(t, ...ONE_CAMERA, '--camera', `frail=exec:${command}`);
  const viewer = await Viewer.open(t, browser, server);
  await viewer.isLive('door', 'frail');

  writeFileSync(broken, '');
  process.kill(Number(readFileSync(pid, 'utf8')), 'SIGKILL');
  await viewer.cameraBecomes('frail', 'reconnecting');
  await until('the reason is shown', () => viewer.camera('frail').locator('.reason').textContent());
  await viewer.isLive('door');

  rmSync(broken);
  await viewer.isLive('frail');
  assert.deepEqual(viewer.walls, ['/wall']);
  viewer.assertNoComplaints();
});

test('a source that falls silent is called stalled, and live when it goes on', async (t) => {
  const frames = makeColouredFrames().map(asPart);
  const server = await Server.start(t, '--stale', '1s');
  let sent = 0;
  let source;
  const go = () => { source = setInterval(() => server.input.write(frames[++sent % frames.length]), 100); };
  t.after(() => clearInterval(source));
  go();
  const viewer = await Viewer.open(t, browser, server);
  await viewer.isLive('camera');

  clearInterval(source);
  await viewer.cameraBecomes('camera', 'stalled');
  assert.equal(await viewer.camera('camera').locator('.badge-text').textContent(), 'Stalled');
  assert.match(await viewer.camera('camera').locator('.reason').textContent(), /^no new frame since /);
  await viewer.page.locator('[data-camera=camera][data-signal=card]').waitFor();

  go();
  await viewer.isLive('camera');
  viewer.assertNoComplaints();
});

test('a hidden tab holds no connection, and the pictures are back when it is shown', async (t) => {
  const server = await Server.start(t, ...TWO_CAMERAS);
  const tab = await OrdinaryTab.open(t, browser);
  const shown = () => tab.evaluate(`Number(document.querySelector('[data-camera=door]')?.dataset.shown)`);
  const moves = async () => {
    const before = await shown() || 0;
    await until('the picture moves', async () => await shown() > before);
  };
  await tab.goto(server.url);
  await moves();

  await tab.hide();
  await until('nobody watches', async () => (await server.state()).viewers.length === 0);
  assert.equal(await tab.evaluate('document.documentElement.dataset.state'), 'paused');

  await tab.show();
  await moves();
  assert.equal((await server.state()).viewers.length, 1);
  assert.equal(await tab.evaluate('document.documentElement.dataset.state'), 'connected');
});

test('a paused camera is not sent any more until it is resumed', async (t) => {
  const server = await Server.start(t, ...TWO_CAMERAS);
  const viewer = await Viewer.open(t, browser, server);
  await viewer.isLive('door', 'yard');

  await viewer.button('door', 'toggle').click();
  await viewer.cameraBecomes('door', 'paused');
  await until('nobody is sent the door', async () => await viewersOf(server, 'door') === 0);
  await viewer.isLive('yard');
  const shown = await viewer.camera('door').getAttribute('data-shown');
  await viewer.moves('yard');
  assert.equal(await viewer.camera('door').getAttribute('data-shown'), shown);

  await viewer.button('yard', 'toggle').click();
  await viewer.becomes('paused');
  await until('nobody watches', async () => (await server.state()).viewers.length === 0);

  await viewer.button('door', 'toggle').click();
  await viewer.isLive('door');
  await viewer.cameraBecomes('yard', 'paused');
  await viewer.button('yard', 'toggle').click();
  await viewer.isLive('door', 'yard');
  await until('there is one connection', async () => (await server.state()).viewers.length === 1);
  viewer.assertNoComplaints();
});

test('a snapshot is downloaded under the name of the camera and the time', async (t) => {
  const server = await Server.start(t, ...TWO_CAMERAS);
  const viewer = await Viewer.open(t, browser, server);
  await viewer.isLive('yard');
  const [download] = await Promise.all([
    viewer.page.waitForEvent('download'),
    viewer.button('yard', 'snapshot').click(),
  ]);
  assert.match(download.suggestedFilename(), /^yard-\d{8}-\d{6}\.jpg$/);
  const jpeg = readFileSync(await download.path());
  assert.equal(jpeg.toString('hex', 0, 3), 'ffd8ff');
  assert.equal(jpeg.toString('hex', jpeg.length - 2), 'ffd9');
  viewer.assertNoComplaints();
});

test('a camera fills the screen and goes on there', async (t) => {
  const server = await Server.start(t, ...TWO_CAMERAS);
  const viewer = await Viewer.open(t, browser, server);
  await viewer.isLive('door', 'yard');
  await viewer.button('yard', 'full-screen').click();
  await until('the yard fills the screen', async () => await viewer.fullScreen() === 'yard');
  await until('it is as large as the window', async () => {
    const {width, height} = await viewer.camera('yard').boundingBox();
    return `${width}×${height}` === await viewer.page.evaluate(() => `${innerWidth}×${innerHeight}`);
  });
  await viewer.moves('yard');
  await viewer.button('yard', 'full-screen').click();
  await until('the page is back', async () => await viewer.fullScreen() === undefined);
  viewer.assertNoComplaints();
});

test('everything can be done with the keyboard', async (t) => {
  const server = await Server.start(t, ...TWO_CAMERAS);
  const viewer = await Viewer.open(t, browser, server);
  await viewer.isLive('door', 'yard');
  const {keyboard} = viewer.page;

  await keyboard.press('ArrowRight');
  assert.equal(await viewer.focused(), 'door');
  await keyboard.press('ArrowRight');
  assert.equal(await viewer.focused(), 'yard');
  await keyboard.press('ArrowLeft');
  assert.equal(await viewer.focused(), 'door');

  await keyboard.press('Space');
  await viewer.cameraBecomes('door', 'paused');
  await keyboard.press('Space');
  await viewer.isLive('door');

  const [download] = await Promise.all([viewer.page.waitForEvent('download'), keyboard.press('s')]);
  assert.match(download.suggestedFilename(), /^door-/);

  await keyboard.press('f');
  await until('the door fills the screen', async () => await viewer.fullScreen() === 'door');
  await keyboard.press('f');
  await until('the page is back', async () => await viewer.fullScreen() === undefined);

  await keyboard.press('?');
  await viewer.page.locator('#help[open]').waitFor();
  await keyboard.press('Escape');
  await viewer.page.locator('#help:not([open])').waitFor({state: 'attached'});
  assert.equal(await viewer.focused(), 'door');

  await keyboard.press('Tab');
  assert.ok(await viewer.button('door', 'toggle').evaluate((button) => button === document.activeElement));
  await keyboard.press('Enter');
  await viewer.cameraBecomes('door', 'paused');
  viewer.assertNoComplaints();
});

test('on a phone nothing sticks out sideways', async (t) => {
  const long = `a-camera-with-a-name-that-is-much-too-long-for-a-phone=exec:${camgrab('320x240', 5)}`;
  const server = await Server.start(t, ...TWO_CAMERAS, '--camera', long);
  const viewer = await Viewer.open(t, browser, server, {viewport: PHONE, isMobile: true, hasTouch: true});
  await viewer.isLive('door', 'yard');
  const widths = await viewer.page.evaluate(() => ({
    page: document.documentElement.scrollWidth,
    furthest: Math.max(...[...document.querySelectorAll('.camera, canvas, button, a, dd')]
        .filter((element) => element.checkVisibility())
        .map((element) => element.getBoundingClientRect().right)),
  }));
  assert.equal(widths.page, PHONE.width);
  assert.ok(widths.furthest <= PHONE.width, `something ends at ${widths.furthest}`);
  assert.equal(await viewer.page.evaluate(() => innerWidth), PHONE.width);
  viewer.assertNoComplaints();
});

test('the page is light or dark as the system is', async (t) => {
  const folder = temporaryFolder(t);
  const server = await Server.start(t, ...TWO_CAMERAS);
  const brightness = {};
  for (const colorScheme of ['light', 'dark']) {
    const viewer = await Viewer.open(t, browser, server, {colorScheme});
    await viewer.isLive('door', 'yard');
    const path = join(folder, `${colorScheme}.png`);
    await viewer.page.screenshot({path});
    assert.ok(statSync(path).size > 0);
    const [colour] = await viewer.page.evaluate(() =>
      /\d+/.exec(getComputedStyle(document.body).backgroundColor));
    brightness[colorScheme] = Number(colour);
    viewer.assertNoComplaints();
  }
  assert.ok(brightness.light > 200 && brightness.dark < 50, JSON.stringify(brightness));
});
