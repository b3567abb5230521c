// Many cameras in one tab: one connection for all, and as much of the screen for pictures as there is.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {Server, camgrab, launchBrowser, until} from './support.mjs';
import {DESK, PHONE, Viewer, WALL_DISPLAY} from './viewer.mjs';

const NAMES = ['door', 'yard', 'gate', 'hall', 'garage', 'kitchen', 'stairs', 'roof', 'street'];
const cameras = (names, size, fps) => names.flatMap((name) => ['--camera', `${name}=exec:${camgrab(size, fps)}`]);

let browser;
before(async () => { browser = await launchBrowser(); });
after(() => browser?.close());

/** What is beyond the edges of the window. */
const overflow = (page) => page.evaluate(() => {
  const {scrollWidth, scrollHeight, clientWidth, clientHeight} = document.documentElement;
  return {right: scrollWidth - clientWidth, below: scrollHeight - clientHeight};
});

/** All words on the screen. */
const seenText = (page) => page.evaluate(() => [...document.body.querySelectorAll('*')]
    .filter((element) => element.checkVisibility() && !element.closest('.unseen'))
    .flatMap((element) => [...element.childNodes])
    .filter((node) => node.nodeType === Node.TEXT_NODE && node.data.trim())
    .map((node) => node.data.trim()));

test('nine cameras move in one tab over one connection of plain HTTP/1.1', async (t) => {
  const server = await Server.start(t, ...cameras(NAMES, '320x240', 5));
  const viewer = await Viewer.open(t, browser, server, {viewport: PHONE});
  await viewer.isLive(...NAMES);
  await until('nothing is underway but the wall', () => viewer.underway.size === 1);
  const protocols = await viewer.page.evaluate(() =>
    [...new Set(performance.getEntriesByType('resource').map((entry) => entry.nextHopProtocol))]);
  assert.deepEqual(protocols, ['http/1.1']);
  assert.deepEqual((await server.state()).viewers.map(({kind}) => kind), ['wall']);
  assert.equal((await overflow(viewer.page)).right, 0);
  viewer.assertNoComplaints();
});

test('nine cameras are all in sight on a wall display', async (t) => {
  const server = await Server.start(t, ...cameras(NAMES, '320x180', 2));
  const viewer = await Viewer.open(t, browser, server, {viewport: WALL_DISPLAY});
  await viewer.isLive(...NAMES);
  await until('all are in sight', async () => {
    const {right, below} = await overflow(viewer.page);
    return right === 0 && below === 0;
  });
  const columns = await viewer.page.evaluate(() =>
    new Set([...document.querySelectorAll('.camera')].map((camera) => camera.getBoundingClientRect().left)).size);
  assert.equal(columns, 3);
  viewer.assertNoComplaints();
});

test('with ?kiosk there are pictures and names, and nothing else', async (t) => {
  const server = await Server.start(t, ...cameras(NAMES, '320x180', 2));
  const viewer = await Viewer.open(t, browser, server, {viewport: WALL_DISPLAY, path: '/?kiosk'});
  await viewer.isLive(...NAMES);
  assert.deepEqual(await seenText(viewer.page), NAMES);
  await until('pictures take the whole screen', async () => {
    const covered = await viewer.page.evaluate(() => [...document.querySelectorAll('.picture')]
        .map((canvas) => canvas.getBoundingClientRect())
        .reduce((sum, {width, height}) => sum + width * height, 0) / (innerWidth * innerHeight));
    return covered > 0.98 && covered <= 1;
  });
  assert.deepEqual(await overflow(viewer.page), {right: 0, below: 0});

  await viewer.camera('gate').locator('.picture').click();
  await viewer.isAt('gate');
  await viewer.isLive('gate');
  assert.deepEqual(await seenText(viewer.page), ['gate']);
  await viewer.page.keyboard.press('Escape');
  await viewer.isAt(null);
  viewer.assertNoComplaints();
});

test('small tiles ask for narrow pictures, full screen and large tiles do not', async (t) => {
  const server = await Server.start(t, ...cameras(NAMES.slice(0, 6), '640x360', 5));
  const viewer = await Viewer.open(t, browser, server, {viewport: DESK});
  await viewer.isLive(...NAMES.slice(0, 6));
  const step = await viewer.page.evaluate(() => {
    const {width} = document.querySelector('.picture').getBoundingClientRect();
    return [320, 480, 640].find((step) => step >= width);
  });
  assert.ok(step < 640, `tiles of ${step} px are no test`);
  await viewer.isSent(`/wall?width=${step}`);
  assert.deepEqual(viewer.walls, ['/wall', `/wall?width=${step}`]);
  await viewer.isLive('door');

  await viewer.button('yard', 'full-screen').click();
  await until('the yard fills the screen', async () => await viewer.fullScreen() === 'yard');
  await viewer.isSent('/wall?cameras=yard');
  await viewer.isLive('yard');
  await viewer.button('yard', 'full-screen').click();
  await until('the page is back', async () => await viewer.fullScreen() === undefined);
  await viewer.isSent(`/wall?width=${step}`);
  await viewer.isLive(...NAMES.slice(0, 6));

  await viewer.page.setViewportSize({width: 2550, height: 1440});
  await viewer.isSent('/wall');
  viewer.assertNoComplaints();
});

test('the fps of the address is asked for in the grid, and on pages where nothing else was chosen', async (t) => {
  const server = await Server.start(t, ...cameras(['door', 'yard'], '320x240', 10));
  const viewer = await Viewer.open(t, browser, server, {path: '/?fps=5'});
  await viewer.isSent('/wall?fps=5');
  await viewer.isLive('door');
  await viewer.camera('door').locator('.picture').click();
  await viewer.isSent('/wall?cameras=door&fps=5');
  await viewer.page.selectOption('#choice-fps', '10');
  await viewer.isSent('/wall?cameras=door&fps=10');
  viewer.assertNoComplaints();
});
