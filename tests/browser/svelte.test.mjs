// examples/svelte with a relay, and with a server whose cameras it manages.
import assert from 'node:assert/strict';
import {before, test} from 'node:test';
import {Lifetime, PHONE, Site, Tab, build} from './examples.mjs';
import {Relay, Server, camgrab, launchBrowser, until} from './support.mjs';

const lifetime = new Lifetime();
let browser;
let site;
let upstream;
let relay;
let manager;
before(async () => {
  browser = await launchBrowser();
  lifetime.after(() => browser.close());
  site = await Site.open(lifetime);
  const origin = ['--allow-origin', site.origin];
  upstream = await Server.start(lifetime, '--camera', `front=exec:${camgrab('640x360', 10)}`);
  relay = await Relay.start(lifetime, `front=${upstream.url}/stream`, ...origin);
  manager = await Server.start(lifetime, '--camera', `yard=exec:${camgrab('640x360', 15)}`, ...origin,
                               '--allow-source', 'test', '--allow-source', 'http://127.0.0.1*');
  site.folder = build(lifetime, 'svelte', {VITE_FRAMEPIPE: relay.url, VITE_FRAMEPIPE_MANAGER: manager.url});
});

class CamerasPage extends Tab {
  static open(t, viewport) {
    return super.open(t, browser, site.origin, viewport);
  }

  get relayed() {
    return this.page.getByAltText('The relayed camera, live');
  }
  get status() {
    return this.page.getByRole('region', {name: 'Live'}).getByRole('status');
  }
  get alert() {
    return this.page.getByRole('alert');
  }
  get done() {
    return this.page.getByRole('region', {name: 'Streams'}).getByRole('status');
  }
  camera(name) {
    return this.page.locator(`[data-camera="${name}"]`);
  }
  picture(name) {
    return this.camera(name).getByRole('img');
  }

  async names() {
    return this.page.locator('[data-camera] h3').allTextContents();
  }
  async lists(...names) {
    await until(`the page lists ${names}`, async () => String(await this.names()) === String(names));
  }
  async figure(name, figure) {
    return this.camera(name).locator(`[data-figure=${figure}]`).textContent();
  }
  async says(place, pattern) {
    await until(`the page says ${pattern}`, async () => pattern.test(await place.textContent()));
  }
  async add(name, source) {
    await this.page.getByRole('textbox', {name: 'Name'}).fill(name);
    await this.page.getByRole('textbox', {name: 'Source'}).fill(source);
    await this.page.getByRole('button', {name: 'Add'}).click();
  }
  async remove(name) {
    await this.page.getByRole('button', {name: `Remove ${name}`}).click();
  }
}

const camerasOf = async (server) => (await (await fetch(`${server.url}/api/camera/cameras`)).json()).cameras;
const addressOf = (name, source) =>
  `${manager.url}/api/camera/cameras/${name}?source=${encodeURIComponent(source)}`;

/** Adds a camera without the page, until the test ends. */
async function haveCamera(t, name, source) {
  const answer = await fetch(addressOf(name, source), {method: 'POST'});
  assert.equal(answer.status, 200, await answer.text());
  t.after(() => fetch(addressOf(name, source), {method: 'DELETE'}));
}

test('Svelte: the picture of the relayed camera moves, and its rate is told', async (t) => {
  const page = await CamerasPage.open(t);
  await page.hasColours(page.relayed, true);
  await page.moves(page.relayed);
  await page.says(page.status, /^live: \d+ frames a second, [\d.]+\s[kM]bit\/s$/);
  await page.photograph('svelte');
  page.assertNoComplaints();
});

test('Svelte: the relayed picture comes back by itself after the relay was killed', async (t) => {
  const page = await CamerasPage.open(t);
  await page.moves(page.relayed);
  await relay.kill();
  let back = false;
  t.after(() => back || relay.startAgain());  // for the tests after this one
  await page.says(page.status, /does not answer.*next attempt in \d+ s$/);
  await page.photograph('svelte-no-connection');
  await page.says(page.status, /next attempt in 4 s$/);  // after 1 and 2
  await relay.startAgain();
  back = true;
  await page.says(page.status, /^live: /);
  await page.moves(page.relayed);
  page.assertNoComplaints(/^Failed to load resource: net::ERR_/);  // Chromium logs each vain attempt
});

test('Svelte: each camera is listed with its picture and figures', async (t) => {
  await haveCamera(t, 'porch', 'test');
  const page = await CamerasPage.open(t);
  await page.lists('yard', 'porch');
  for (const name of ['yard', 'porch']) {
    await page.moves(page.picture(name));
    await until(`${name} has figures`, async () => /^[\d,]+$/.test(await page.figure(name, 'frames')) &&
        /^[\d,]+$/.test(await page.figure(name, 'dropped')) && /^[\d.]+\sms$/.test(await page.figure(name, 'latency')) &&
        /^[\d.]+\s[kM]bit\/s$/.test(await page.figure(name, 'bandwidth')));
  }
  const frames = await page.figure('yard', 'frames');
  await until('frames are counted on', async () => await page.figure('yard', 'frames') !== frames);
  await page.isLabelled();
  page.assertNoComplaints();
});

test('Svelte: a camera that is added shows its picture, and one that is removed is gone', async (t) => {
  t.after(() => fetch(addressOf('gate', 'test'), {method: 'DELETE'}));
  const page = await CamerasPage.open(t);
  await page.lists('yard');
  await page.add('gate', 'test');
  await page.says(page.done, /^gate: added$/);
  await page.lists('yard', 'gate');
  await page.hasColours(page.picture('gate'), true);
  await page.moves(page.picture('gate'));
  assert.deepEqual(await camerasOf(manager), ['yard', 'gate']);
  await page.photograph('svelte-two-cameras');

  await page.remove('gate');
  await page.says(page.done, /^gate: removed$/);
  await page.lists('yard');
  assert.deepEqual(await camerasOf(manager), ['yard']);
  await page.moves(page.picture('yard'));
  page.assertNoComplaints();
});

test('Svelte: a camera of another server is added by its address', async (t) => {
  t.after(() => fetch(addressOf('gate', 'test'), {method: 'DELETE'}));
  const page = await CamerasPage.open(t);
  await page.lists('yard');
  await page.add('gate', `${upstream.url}/video`);
  await page.says(page.done, /^gate: added$/);
  await page.lists('yard', 'gate');
  await page.hasColours(page.picture('gate'), true);
  await page.moves(page.picture('gate'));
  page.assertNoComplaints();
});

test('Svelte: a camera that cannot be added is answered with the reason, as the server words it', async (t) => {
  const page = await CamerasPage.open(t);
  await page.lists('yard');
  for (const [name, source] of [['gate', 'exec:true'], ['gate', 'https://cameras.example/video'], ['a gate', 'test']]) {
    const answer = await fetch(addressOf(encodeURIComponent(name), source), {method: 'POST'});
    assert.ok(answer.status >= 400 && answer.status < 500, `${source}: ${answer.status}`);
    const {error} = await answer.json();
    assert.ok(error.length > 0);
    await page.add(name, source);
    await until(`the page says: ${error}`, async () => await page.alert.textContent() === error);
  }
  await page.photograph('svelte-refused');
  await page.lists('yard');
  assert.deepEqual(await camerasOf(manager), ['yard']);
  page.assertNoComplaints(/^Failed to load resource: the server responded with a status of 4/);
});

test('Svelte: with more cameras than a browser opens connections all have pictures, and buttons work', async (t) => {
  const names = ['one', 'two', 'three', 'four', 'five', 'six'];
  for (const name of names) await haveCamera(t, name, 'test');
  const page = await CamerasPage.open(t);
  await page.lists('yard', ...names);
  await page.picture('six').scrollIntoViewIfNeeded();
  await page.hasColours(page.picture('six'), true);
  await page.moves(page.picture('six'));
  await page.remove('six');
  await page.lists('yard', ...names.slice(0, -1));
});

test('Svelte: on a phone nothing sticks out sideways', async (t) => {
  await haveCamera(t, 'a-camera-with-a-name-that-is-much-too-long-for-a-phone', 'test');
  const page = await CamerasPage.open(t, PHONE);
  await page.moves(page.relayed);
  await page.says(page.status, /^live: /);
  await page.add('gate', `exec:${'a-word-without-end'.repeat(10)}`);
  await page.says(page.alert, /./);
  await page.fitsItsWidth();
  await page.photograph('svelte-phone');
});
