// What the page does to the server, for everybody: cameras are stopped, started, added and removed.
import assert from 'node:assert/strict';
import {once} from 'node:events';
import {createServer} from 'node:net';
import {after, before, test} from 'node:test';
import {Server, camgrab, launchBrowser, until} from './support.mjs';
import {Viewer} from './viewer.mjs';

const CAMERAS = ['door', 'yard'].flatMap((name) => ['--camera', `${name}=exec:${camgrab('320x240', 10)}`]);

let browser;
before(async () => { browser = await launchBrowser(); });
after(() => browser?.close());

async function openPage(t, path = '') {
  const server = await Server.start(t, ...CAMERAS, '--allow-source', '*');
  const viewer = await Viewer.open(t, browser, server, {path});
  await viewer.becomes('connected');
  return {server, viewer, page: viewer.page};
}

/** Where another camera can be had from. */
async function startSource(t) {
  const server = await Server.start(t, '--camera', `far=exec:${camgrab('320x240', 10)}`);
  return `${server.url}/stream`;
}

async function fillIn(page, name, source) {
  await page.locator('#add-button').click();
  await page.locator('#add[open]').waitFor();
  await page.fill('#add-name', name);
  await page.fill('#add-source', source);
}

const isClosed = (page, dialog) => page.locator(`#${dialog}:not([open])`).waitFor({state: 'attached'});

test('a camera is stopped and started for everybody, whatever is paused here', async (t) => {
  const {server, viewer, page} = await openPage(t, '/#/camera/door');
  const other = await Viewer.open(t, browser, server);
  await viewer.isLive('door');
  await other.isLive('door', 'yard');
  assert.equal(await page.locator('#power').textContent(), 'Stop camera');
  assert.match(await page.locator('#power').getAttribute('title'), /for everybody/);
  assert.match(await viewer.button('door', 'toggle').getAttribute('title'), /this page only/);

  await page.locator('#power').click();
  await viewer.cameraBecomes('door', 'stopped');
  await other.cameraBecomes('door', 'stopped');
  for (const tab of [viewer, other]) {
    await tab.page.locator('[data-camera=door][data-signal=card]').waitFor();
    assert.equal(await tab.camera('door').locator('.badge-text').textContent(), 'Stopped');
  }
  await other.isLive('yard');
  assert.equal(await page.locator('#power').textContent(), 'Start camera');
  assert.ok(viewer.requests.includes('/api/camera/stop?camera=door'));
  assert.deepEqual(viewer.walls, ['/wall?cameras=door']);

  await page.locator('#power').press('Enter');
  await viewer.isLive('door');
  await other.isLive('door', 'yard');
  assert.ok(viewer.requests.includes('/api/camera/start?camera=door'));
  viewer.assertNoComplaints();
  other.assertNoComplaints();
});

test('a refusal to stop a camera is told', async (t) => {
  const {viewer, page} = await openPage(t, '/#/camera/door');
  await viewer.isLive('door');
  await page.route('**/api/camera/stop**', (route) =>
    route.fulfill({status: 403, contentType: 'application/json', body: '{"error":"only its owner may"}'}));
  await page.locator('#power').click();
  await until('the reason is shown', async () =>
    await viewer.camera('door').locator('.message').textContent() === 'Not stopped: only its owner may');
  assert.equal(await page.locator('#power').getAttribute('aria-busy'), null);
  assert.equal(await page.locator('#power').textContent(), 'Stop camera');
  viewer.assertNoComplaints(/403/);
});

test('what the server does not allow is not offered', async (t) => {
  const server = await Server.start(t, ...CAMERAS);
  const viewer = await Viewer.open(t, browser, server, {path: '/#/camera/door'});
  await viewer.isLive('door');
  for (const id of ['add-button', 'remove']) assert.equal(await viewer.page.locator(`#${id}`).isVisible(), false);
  viewer.assertNoComplaints();
});

test('a camera that is added appears by itself, in every tab and without another connection', async (t) => {
  const source = await startSource(t);
  const {server, viewer, page} = await openPage(t);
  const other = await Viewer.open(t, browser, server);
  await viewer.isLive('door', 'yard');
  await other.isLive('door', 'yard');

  await fillIn(page, 'gate-2', source);
  await page.keyboard.press('Enter');
  await isClosed(page, 'add');
  await viewer.isLive('door', 'yard', 'gate-2');
  await other.isLive('gate-2');
  assert.equal(await page.locator('#news').textContent(), 'Camera gate-2 added');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'add-button');
  const posted = viewer.requests.filter((path) => path.startsWith('/api/'));
  assert.deepEqual(posted, [`/api/camera/cameras/gate-2?source=${encodeURIComponent(source)}`]);
  for (const tab of [viewer, other]) {
    assert.deepEqual(tab.walls, ['/wall']);
    tab.assertNoComplaints();
  }
});

test('a source that is refused leaves the dialog open, with the reason beside the field', async (t) => {
  const {viewer, page} = await openPage(t);
  await fillIn(page, 'new', 'exec:true');
  for (const [source, reason] of [
    ['exec:true', /^Not added: .*exec/],
    ['http://127.0.0.1:9/stream', /^Not added: .*127\.0\.0\.1:9/],
  ]) {
    await page.fill('#add-source', source);
    await page.locator('#add [type=submit]').click();
    await until(`${source} is refused`, async () => reason.test(await page.locator('#add-source-error').textContent()));
    assert.equal(await page.locator('#add[open]').count(), 1);
    assert.equal(await page.locator('#add-source').getAttribute('aria-invalid'), 'true');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'add-source');
    assert.equal(await page.inputValue('#add-source'), source);
  }
  await page.keyboard.press('Escape');
  await isClosed(page, 'add');
  await page.locator('#add-button').click();
  assert.equal(await page.inputValue('#add-source'), '');
  assert.equal(await page.locator('#add-source-error').textContent(), '');
  viewer.assertNoComplaints(/40[03]|502/);
});

test('a name that cannot be, or that is taken, is not sent to the server', async (t) => {
  const {viewer, page} = await openPage(t);
  await viewer.isLive('door');
  await fillIn(page, 'door', '0');
  for (const [name, reason] of [['door', /already/], ['back door', /letters/], ['', /letters/]]) {
    await page.fill('#add-name', name);
    await page.keyboard.press('Enter');
    await until(`'${name}' is refused`, async () => reason.test(await page.locator('#add-name-error').textContent()));
    assert.equal(await page.evaluate(() => document.activeElement.id), 'add-name');
  }
  assert.deepEqual(viewer.requests.filter((path) => path.startsWith('/api/')), []);
  viewer.assertNoComplaints();
});

test('while a camera is being added the dialog says so, and it can be left', async (t) => {
  const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.after(() => silent.close());
  const {viewer, page} = await openPage(t);
  await fillIn(page, 'slow', `http://127.0.0.1:${silent.address().port}/stream`);
  const [connected] = [once(silent, 'connection'), page.locator('#add [type=submit]').click()];
  const [socket] = await connected;
  t.after(() => socket.destroy());
  await page.locator('#add [type=submit][aria-busy=true]').waitFor();
  assert.match(await page.locator('#add-busy').textContent(), /Starting the camera/);
  await page.locator('#add [type=submit]').click();  // once is enough
  assert.equal(viewer.requests.filter((path) => path.startsWith('/api/')).length, 1);

  await page.locator('#add .cancel').click();
  await isClosed(page, 'add');
  const underway = () => [...viewer.underway].filter((request) => request.url().includes('/api/'));
  await until('the request is given up', () => underway().length === 0);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'add-button');
  assert.equal(await page.locator('#add [type=submit]').getAttribute('aria-busy'), null);
  viewer.assertNoComplaints();
});

test('a camera is removed after a question that names it, and the focus goes to a neighbour', async (t) => {
  const {server, viewer, page} = await openPage(t, '/#/camera/yard');
  const other = await Viewer.open(t, browser, server);
  await viewer.isLive('yard');
  await other.isLive('door', 'yard');

  await page.locator('#remove').click();
  await page.getByRole('heading', {name: 'Remove camera yard?'}).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Cancel');
  await page.keyboard.press('Enter');
  await isClosed(page, 'remove-dialog');
  assert.deepEqual(viewer.requests.filter((path) => path.startsWith('/api/')), []);

  await page.locator('#remove').click();
  await page.getByRole('button', {name: 'Remove yard', exact: true}).click();
  await viewer.isAt(null);
  await viewer.camera('yard').waitFor({state: 'detached'});
  await other.camera('yard').waitFor({state: 'detached'});
  assert.deepEqual(viewer.requests.filter((path) => path.startsWith('/api/')), ['/api/camera/cameras/yard']);
  await until('the door has the focus', async () => await viewer.focused() === 'door');
  await viewer.isLive('door');
  await other.isLive('door');
  assert.deepEqual(other.walls, ['/wall']);
  assert.equal(await page.locator('#news').textContent(), 'Camera yard removed');
  viewer.assertNoComplaints();
  other.assertNoComplaints();
});

test('the focus stays on the page when somebody else removes what had it', async (t) => {
  const {server, viewer, page} = await openPage(t);
  const remove = (name) => fetch(`${server.url}/api/camera/cameras/${name}`, {method: 'DELETE'});
  await viewer.isLive('door', 'yard');
  await viewer.button('yard', 'snapshot').focus();
  await remove('yard');
  await viewer.camera('yard').waitFor({state: 'detached'});
  assert.equal(await viewer.focused(), 'door');

  await page.keyboard.press('Enter');
  await viewer.isAt('door');
  await page.locator('#choice-fps').focus();
  await remove('door');
  await page.getByRole('heading', {name: 'No camera “door” here'}).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'to-grid');
  viewer.assertNoComplaints();
});
