// The viewer page of mjpeg-serve with --webrtc: pictures of one server, video of another.
import assert from 'node:assert/strict';
import {createServer} from 'node:http';
import {after, before, test} from 'node:test';
import {Server, camgrab, launchBrowser, until} from './support.mjs';
import {Viewer} from './viewer.mjs';
import {fakeWebSockets, videoServer} from './webrtc-fakes.mjs';

const CAMERAS = ['door', 'yard'].flatMap((name) => ['--camera', `${name}=exec:${camgrab('320x240', 10)}`]);

let browser;
before(async () => { browser = await launchBrowser(); });
after(() => browser?.close());

/** On the page of the door; its video is a fake's unless `real`. */
async function openDoor(t, links, {real = false} = {}) {
  const server = await Server.start(t, ...CAMERAS, ...links.flatMap((link) => ['--webrtc', link]));
  const prepare = real ? null : `(${fakeWebSockets})(${videoServer})`;
  const viewer = await Viewer.open(t, browser, server, {path: '/#/camera/door', prepare});
  await viewer.isLive('door');
  return viewer;
}

const choose = (viewer, transport) => viewer.page.locator('#choice-transport').selectOption(transport);
const reasonIs = (viewer, words) => until(`the card says ${words}`, async () =>
  words.test(await viewer.camera('door').locator('.reason').textContent()));

/** Somebody who answers requests and no WebSockets. */
async function otherServer(t) {
  const server = createServer((_, response) => response.end());
  server.on('upgrade', (_, socket) => socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'));
  t.after(() => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server.address().port;
}

test('WebRTC is played in the place of the pictures, whose stream is closed, until MJPEG is chosen again', async (t) => {
  const viewer = await openDoor(t, ['http://127.0.0.1:8889']);
  await choose(viewer, 'webrtc');
  const video = viewer.camera('door').locator('.video');
  await viewer.page.waitForFunction(() => document.querySelector('[data-camera=door] .video').currentTime > 0);
  assert.ok(await video.isVisible());
  assert.deepEqual(await viewer.page.evaluate(() => sockets.map(({url}) => url)), ['ws://127.0.0.1:8889/api/webrtc/ws']);
  await viewer.isSent('/wall?cameras=door&fps=0.001');
  await viewer.cameraBecomes('door', 'live');
  await until('it has a rate', async () => parseFloat(await viewer.figure('door', 'fps')) > 5);
  assert.ok(await viewer.page.locator('#choice-quality').isDisabled());

  await choose(viewer, '');
  await video.waitFor({state: 'hidden'});
  await viewer.isSent('/wall?cameras=door');
  await viewer.moves('door');
  assert.equal(await viewer.page.evaluate(() => sockets.length), 1);
  assert.equal(await viewer.page.evaluate(() => sockets[0].readyState), 3);
  viewer.assertNoComplaints();
});

test('there is a choice for cameras that are sent by WebRTC alone, and it is kept in the browser', async (t) => {
  const viewer = await openDoor(t, ['yard=http://127.0.0.1:8889/']);
  assert.equal(await viewer.page.locator('#choice-transport').isVisible(), false);
  await viewer.page.locator('#to-next').click();
  await viewer.isAt('yard');
  await choose(viewer, 'webrtc');
  await viewer.page.waitForFunction(() => document.querySelector('[data-camera=yard] .video').currentTime > 0);
  await viewer.page.reload();
  await viewer.page.waitForFunction(() => document.querySelector('[data-camera=yard] .video')?.currentTime > 0);
  viewer.assertNoComplaints();
});

test('the grid shows pictures, and pause stops the video', async (t) => {
  const viewer = await openDoor(t, ['http://127.0.0.1:8889']);
  await choose(viewer, 'webrtc');
  await viewer.page.waitForFunction(() => document.querySelector('[data-camera=door] .video').currentTime > 0);
  await viewer.button('door', 'toggle').click();
  await viewer.page.waitForFunction(() => sockets[0].readyState === 3);
  await viewer.button('door', 'toggle').click();
  await viewer.page.waitForFunction(() => sockets.length === 2 && sockets[1].readyState === 1);
  await viewer.page.locator('#to-grid').click();
  await viewer.isAt(null);
  await viewer.isLive('door', 'yard');
  assert.equal(await viewer.page.evaluate(() => sockets[1].readyState), 3);
  assert.equal(await viewer.camera('door').locator('.video').isVisible(), false);
  viewer.assertNoComplaints();
});

test('a server that does not let this page in is told of with what mends it', async (t) => {
  const viewer = await openDoor(t, [`http://127.0.0.1:${await otherServer(t)}`], {real: true});
  await choose(viewer, 'webrtc');
  const {origin} = new URL(viewer.page.url());
  await reasonIs(viewer, new RegExp(`lets no pages of ${origin} in: start webrtc-serve with --allow-origin ${origin}$`));
  await viewer.cameraBecomes('door', 'reconnecting');
  viewer.assertNoComplaints(/WebSocket connection to .* failed/);
});

test('a server that is not there is told of, and the pictures are one choice away', async (t) => {
  const viewer = await openDoor(t, ['http://127.0.0.1:1'], {real: true});
  await choose(viewer, 'webrtc');
  await reasonIs(viewer, /No server answers at http:\/\/127\.0\.0\.1:1$/);
  await choose(viewer, '');
  await viewer.isLive('door');
  viewer.assertNoComplaints(/WebSocket connection to .* failed|ERR_UNSAFE_PORT|ERR_CONNECTION_REFUSED/);
});
