// The page of one camera: how to get there and back, how its pictures are asked for, what its charts say.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {after, before, test} from 'node:test';
import {Server, camgrab, launchBrowser, until} from './support.mjs';
import {PHONE, Viewer} from './viewer.mjs';

const camera = (name, size, fps) => ['--camera', `${name}=exec:${camgrab(size, fps)}`];
const CAMERAS = [...camera('door', '320x240', 10), ...camera('yard', '480x270', 10), ...camera('gate', '320x240', 5)];

let browser;
before(async () => { browser = await launchBrowser(); });
after(() => browser?.close());

async function openYard(t, options = {}) {
  const server = await Server.start(t, ...CAMERAS);
  const viewer = await Viewer.open(t, browser, server, {path: '/#/camera/yard', ...options});
  await viewer.isAt('yard');
  await viewer.isLive('yard');
  return {server, viewer, page: viewer.page};
}

test('a click on a picture opens the page of its camera, and back leads to the grid', async (t) => {
  const server = await Server.start(t, ...CAMERAS);
  const viewer = await Viewer.open(t, browser, server);
  await viewer.isLive('door', 'yard', 'gate');

  await viewer.camera('yard').locator('.picture').click();
  await viewer.isAt('yard');
  await viewer.isSent('/wall?cameras=yard');
  await viewer.moves('yard');
  assert.equal(await viewer.page.title(), 'yard – framepipe');

  await viewer.page.goBack();
  await viewer.isAt(null);
  await viewer.isSent('/wall');
  await viewer.isLive('door', 'yard', 'gate');
  assert.equal(await viewer.page.title(), 'framepipe');
  await viewer.page.goForward();
  await viewer.isAt('yard');
  await viewer.page.locator('#to-grid').click();
  await viewer.isAt(null);
  await until('one connection is left', async () => (await server.state()).viewers.length === 1);
  viewer.assertNoComplaints();
});

test('Enter opens the page of a camera, arrows lead to others, Escape leads back; the focus is kept', async (t) => {
  const server = await Server.start(t, ...CAMERAS);
  const viewer = await Viewer.open(t, browser, server);
  await viewer.isLive('door', 'yard', 'gate');
  const {keyboard} = viewer.page;

  await keyboard.press('ArrowRight');
  await keyboard.press('ArrowRight');
  await keyboard.press('Enter');
  await viewer.isAt('yard');
  assert.equal(await viewer.focused(), 'yard');

  await keyboard.press('ArrowRight');
  await viewer.isAt('gate');
  assert.equal(await viewer.focused(), 'gate');
  await keyboard.press('ArrowRight');
  await viewer.isAt('door');  // round again
  await keyboard.press('ArrowLeft');
  await viewer.isAt('gate');
  await viewer.isLive('gate');
  await keyboard.press('Space');
  await viewer.cameraBecomes('gate', 'paused');
  await keyboard.press('Space');
  await viewer.isLive('gate');

  await keyboard.press('Escape');
  await viewer.isAt(null);
  assert.equal(await viewer.focused(), 'gate');
  viewer.assertNoComplaints();
});

test('links lead to the neighbours; the focus stays where it can, else it goes to the picture', async (t) => {
  const {viewer, page} = await openYard(t);
  const focusedId = () => page.evaluate(() => document.activeElement.id);
  assert.equal(await page.locator('#to-previous').getAttribute('aria-label'), 'Previous camera: door');
  await page.locator('#to-next').press('Enter');
  await viewer.isAt('gate');
  assert.equal(await focusedId(), 'to-next');
  assert.equal(await page.locator('#news').textContent(), 'Camera gate');
  await page.locator('#to-next').press('Enter');
  await viewer.isAt('door');

  await page.locator('#choice-quality').focus();
  await page.goBack();
  await viewer.isAt('gate');
  assert.equal(await focusedId(), 'choice-quality');
  await page.evaluate(() => { location.hash = '#/'; });
  await viewer.isAt(null);
  assert.equal(await viewer.focused(), 'gate');
  viewer.assertNoComplaints();
});

test('a link to a camera opens its page, and asks for nothing else', async (t) => {
  const {server, viewer} = await openYard(t);
  assert.deepEqual(viewer.walls, ['/wall?cameras=yard']);
  const [wall] = (await server.state()).viewers;
  assert.equal(wall.kind, 'wall');
  const watched = (await server.state()).cameras.filter((entry) => entry.viewers > 0).map(({name}) => name);
  assert.deepEqual(watched, ['yard']);
  viewer.assertNoComplaints();
});

test('a link to a camera that is not there says so, and leads to the others', async (t) => {
  const server = await Server.start(t, ...CAMERAS);
  const viewer = await Viewer.open(t, browser, server, {path: '/#/camera/cellar'});
  await viewer.page.getByRole('heading', {name: 'No camera “cellar” here'}).waitFor();
  assert.equal(await viewer.page.locator('.camera:visible').count(), 0);
  assert.equal(await viewer.page.locator('#desk').isVisible(), false);
  await viewer.page.locator('#to-grid').click();
  await viewer.isAt(null);
  await viewer.isLive('door', 'yard', 'gate');
  viewer.assertNoComplaints(/404/);  // Chromium logs the refusal
});

test('what is chosen is asked for over the one connection, and in the raw stream', async (t) => {
  const {server, viewer, page} = await openYard(t);
  await page.selectOption('#choice-quality', 'auto');
  await viewer.isSent('/wall?cameras=yard&quality=auto');
  await page.selectOption('#choice-fps', '5');
  await viewer.isSent('/wall?cameras=yard&fps=5&quality=auto');
  await page.selectOption('#choice-scale', '0.5');
  await viewer.isSent('/wall?cameras=yard&fps=5&quality=auto&width=240');
  await page.selectOption('#choice-quality', '30');
  await viewer.isSent('/wall?cameras=yard&fps=5&quality=30&width=240');
  await viewer.isLive('yard');
  assert.equal(await viewer.button('yard', 'raw').getAttribute('href'), 'stream/yard?fps=5&quality=30&width=240');
  await until('there is one connection', async () => (await server.state()).viewers.length === 1);

  // They are this camera's alone, and the grid's not.
  await page.locator('#choice-quality').press('Escape');  // may have closed its list
  await viewer.isAt('yard');
  await page.locator('#to-next').click();
  await viewer.isAt('gate');
  await viewer.isSent('/wall?cameras=gate');
  assert.equal(await page.inputValue('#choice-quality'), '');
  await page.keyboard.press('Escape');
  await viewer.isSent('/wall');
  assert.equal(await viewer.button('yard', 'raw').getAttribute('href'), 'stream/yard');
  viewer.assertNoComplaints();
});

test('choices are there again after a reload', async (t) => {
  const {viewer, page} = await openYard(t);
  await page.selectOption('#choice-fps', '10');
  await viewer.isSent('/wall?cameras=yard&fps=10');
  await page.reload();
  await viewer.isLive('yard');
  assert.equal(await page.inputValue('#choice-fps'), '10');
  await viewer.isSent('/wall?cameras=yard&fps=10');
  viewer.assertNoComplaints();
});

for (const [what, prepare] of [
  ['without a storage', () => {
    Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError'); }});
  }],
  ['with a full storage', () => {
    Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };
  }],
]) {
  test(`choices hold until the page is closed ${what}`, async (t) => {
    const {viewer, page} = await openYard(t, {prepare});
    await page.selectOption('#choice-fps', '10');
    await viewer.isSent('/wall?cameras=yard&fps=10');
    await page.keyboard.press('Tab');
    await page.locator('#to-next').click();
    await viewer.isSent('/wall?cameras=gate');
    await page.locator('#to-previous').click();
    await viewer.isSent('/wall?cameras=yard&fps=10');
    viewer.assertNoComplaints();
  });
}

test('a choice that the server refuses is told, and the picture comes as it is', async (t) => {
  const {viewer, page} = await openYard(t);
  await page.route('**/wall?*quality=*', (route) =>
    route.fulfill({status: 400, contentType: 'application/json', body: '{"error":"no quality here"}'}));
  await page.selectOption('#choice-quality', '50');
  await viewer.isSent('/wall?cameras=yard');
  await until('the reason is shown', async () =>
    await viewer.camera('yard').locator('.message').textContent() === 'Shown as it comes: no quality here');
  await viewer.isLive('yard');
  await page.selectOption('#choice-fps', '10');
  const another = '/wall?cameras=yard&fps=10&quality=50';
  await until('it is asked again with another choice', () => viewer.walls.includes(another));
  await viewer.isSent('/wall?cameras=yard');
  await viewer.isLive('yard');
  const asked = viewer.walls.length;
  await viewer.moves('yard');
  await until('figures have come', () => page.locator('#summary').textContent());
  assert.equal(viewer.walls.length, asked);
  viewer.assertNoComplaints(/400/);
});

test('a snapshot of a camera on its page is the very picture that is shown', async (t) => {
  const {viewer, page} = await openYard(t);
  await viewer.button('yard', 'toggle').click();
  await viewer.cameraBecomes('yard', 'paused');
  await viewer.becomes('paused');
  const [download] = await Promise.all([page.waitForEvent('download'), viewer.button('yard', 'snapshot').click()]);
  assert.match(download.suggestedFilename(), /^yard-\d{8}-\d{6}\.jpg$/);
  const jpeg = readFileSync(await download.path()).toString('base64');
  const differences = await page.evaluate(async (jpeg) => {
    const bytes = Uint8Array.from(atob(jpeg), (character) => character.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], {type: 'image/jpeg'}));
    const shown = document.querySelector('[data-camera=yard] .picture');
    const [a, b] = [bitmap, shown].map((picture) => {
      const context = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
      context.drawImage(picture, 0, 0);
      return context.getImageData(0, 0, picture.width, picture.height).data;
    });
    return a.length === b.length ? a.reduce((sum, value, at) => sum + (value === b[at] ? 0 : 1), 0) : 'another size';
  }, jpeg);
  assert.equal(differences, 0);
  assert.equal(viewer.requests.filter((path) => path.startsWith('/snapshot')).length, 0);
});

// Figures and charts at one moment: [[words of the figure, words of the chart, its label, its line], ...].
function figuresAndCharts(page) {
  return page.evaluate(() => [...document.querySelectorAll('#charts .chart')].map((chart) => [
    document.querySelector(`[data-camera=yard] [data-figure=${chart.dataset.chart}]`).textContent,
    chart.querySelector('.chart-now').textContent,
    chart.querySelector('svg').getAttribute('aria-label'),
    chart.querySelector('.line').getAttribute('d') ?? '',
  ]));
}

test('charts show what the figures say', async (t) => {
  const {viewer, page} = await openYard(t);
  const points = (line) => line.split(/[ML]/).slice(1).map((point) => point.split(' ').map(Number));
  await until('each chart has a line', async () =>
    (await figuresAndCharts(page)).every(([, , , line]) => points(line).length >= 4));
  const charts = await figuresAndCharts(page);
  for (const [at, title] of ['Shown', 'Age', 'Bandwidth', 'Dropped'].entries()) {
    const [figure, words, label, line] = charts[at];
    if (title === 'Dropped') assert.match(words, /^\d+\.\d \/s$/);
    else assert.equal(words, figure);
    assert.match(label, new RegExp(`^${title}: ${words.replaceAll('.', '\\.')} now, at most .+ in the last minute$`));
    const [, height] = [240, 48];
    for (const [x, y] of points(line)) assert.ok(x >= 0 && x <= 240 && y >= 0 && y <= height, `${title}: ${x}, ${y}`);
  }

  // Ten frames a second stand where the scale says.
  const {now, top, last} = await page.evaluate(() => {
    const chart = document.querySelector('[data-chart=fps]');
    const line = chart.querySelector('.line').getAttribute('d').split(/[ML]/);
    return {
      now: parseFloat(chart.querySelector('.chart-now').textContent),
      top: parseFloat(chart.querySelector('.chart-max').textContent),
      last: Number(line.at(-1).split(' ')[1]),
    };
  });
  assert.ok(Math.abs((1 - last / 48) * top - now) < top / 50, `${now} of ${top} is drawn at ${last}`);
  viewer.assertNoComplaints();
});

test('a pause is a gap in the charts', async (t) => {
  const {viewer, page} = await openYard(t);
  const runs = async () => (await figuresAndCharts(page))[0][3].split('M').length - 1;
  const before = await until('there is a line', runs);
  await page.keyboard.press('Space');
  await viewer.cameraBecomes('yard', 'paused');
  await until('the figure is not known', async () => (await figuresAndCharts(page))[0][1] === '–');
  await page.keyboard.press('Space');
  await until('another line begins', async () => await runs() > before);
  viewer.assertNoComplaints();
});

test('charts are drawn seldom for those who asked for less motion', async (t) => {
  const {viewer, page} = await openYard(t, {reducedMotion: 'reduce'});
  const gap = await page.evaluate(() => new Promise((resolve) => {
    let first = 0;
    new MutationObserver(() => {
      if (first) resolve(performance.now() - first);
      first = performance.now();
    }).observe(document.querySelector('[data-chart=fps] .line'), {attributeFilter: ['d']});
  }));
  assert.ok(gap > 4000, `drawn after ${gap} ms`);
  viewer.assertNoComplaints();
});

test('on a phone the page of a camera has no second direction to scroll', async (t) => {
  const {viewer, page} = await openYard(t, {viewport: PHONE, isMobile: true, hasTouch: true});
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), PHONE.width);
  await page.locator('#choice-fps').tap();
  await viewer.isLive('yard');
  viewer.assertNoComplaints();
});
