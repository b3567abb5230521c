// What the page makes of the server's filters: one answer for one click, and pictures that come through one.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {after, before, test} from 'node:test';
import {COLOUR, SQUARE, addMeasures, distance, finder, movingSquare} from './detections.mjs';
import {Server, camgrab, launchBrowser, until, within} from './support.mjs';
import {PHONE, Viewer} from './viewer.mjs';

const TOLERANCE = 6;  // CSS pixels

let browser;
before(async () => { browser = await launchBrowser(); });
after(() => browser?.close());

/** Two cameras, of which one has a square. */
async function openLids(t, {filters = finder('lids'), path = '/#/camera/lids', ...options} = {}) {
  const square = movingSquare(t, 20, (frame, box) => [`X-Square: ${box.join(' ')}`]);
  const server = await Server.start(t, '--camera', `lids=exec:${square}`,
                                    '--camera', `yard=exec:${camgrab('320x240', 5)}`, ...filters);
  const viewer = await Viewer.open(t, browser, server, {prepare: addMeasures, path, ...options});
  await viewer.cameraBecomes('lids', 'live');
  await viewer.button('lids', 'detect').waitFor();
  return {server, viewer, page: viewer.page, card: viewer.camera('lids'), dialog: viewer.page.locator('#detect')};
}

const hasBoxes = (card) => card.evaluate((element, colour) =>
  window.measureCamera(element, colour).box.pixels > 0, COLOUR);

const asked = (viewer) => viewer.requests.filter((path) => path.startsWith('/detect_once'));

test('without a filter nothing on the page speaks of detection', async (t) => {
  const server = await Server.start(t, '--camera', `yard=exec:${camgrab('320x240', 5)}`);
  const viewer = await Viewer.open(t, browser, server, {path: '/#/camera/yard'});
  await viewer.isLive('yard');
  const words = await viewer.page.getByText(/detect/i).evaluateAll((elements) =>
    elements.filter((element) => element.checkVisibility()).map((element) => element.textContent));
  assert.deepEqual(words, []);
  await viewer.camera('yard').focus();
  await viewer.page.keyboard.press('d');
  assert.equal(await viewer.page.locator('dialog[open]').count(), 0);
  assert.deepEqual(asked(viewer), []);
});

test('one click detects: the picture with its boxes, the objects, their place, age and time', async (t) => {
  const {viewer, page, dialog} = await openLids(t);
  await viewer.button('lids', 'detect').click();
  await dialog.getByText('1 object found').waitFor();
  assert.deepEqual(asked(viewer), ['/detect_once/lids?filter=lids&overlay=garment']);
  assert.match(await dialog.getByRole('listitem').innerText(),
               /^lid\s+91%\s+(upper|middle|lower) (left|centre|right), 120×88 at \d+, \d+$/);
  assert.match(await dialog.locator('[data-detect=age]').textContent(), /^\d+ ms$/);
  assert.equal(await dialog.locator('[data-detect=ms]').textContent(), '7.5 ms');
  assert.match(await dialog.locator('[data-detect=took]').textContent(), /^[\d.]+ ms$/);
  assert.equal(await dialog.locator('[data-detect=size]').textContent(), '640×480');
  assert.equal(await dialog.locator('[data-detect=model]').textContent(), 'squares');
  const seen = await dialog.locator('#detect-screen').evaluate((element, colour) =>
    window.measureCamera(element, colour), COLOUR);
  assert.ok(distance(seen) <= TOLERANCE, JSON.stringify(seen));

  // The picture is saved as it is seen.
  const save = dialog.getByRole('link', {name: 'Save picture'});
  const [download] = await Promise.all([page.waitForEvent('download'), save.click()]);
  assert.match(download.suggestedFilename(), /^lids-detected-\d{8}-\d{6}\.jpg$/);
  const saved = await page.evaluate(async ({jpeg, colour}) => {
    const bytes = Uint8Array.from(atob(jpeg), (character) => character.charCodeAt(0));
    return window.measure(await createImageBitmap(new Blob([bytes])), colour, 150);  // JPEG blurs colours
  }, {jpeg: readFileSync(await download.path()).toString('base64'), colour: COLOUR});
  assert.equal(saved.width, SQUARE.width);
  assert.ok(distance(saved) <= TOLERANCE, JSON.stringify(saved));

  await page.keyboard.press('Escape');
  await page.locator('#detect:not([open])').waitFor({state: 'attached'});
  assert.equal(await page.evaluate(() => document.activeElement.classList.contains('detect')), true);
  viewer.assertNoComplaints();
});

test('by keyboard: D asks, Enter asks again, the answer is announced, Escape leads back', async (t) => {
  const {viewer, page, card, dialog} = await openLids(t, {path: '/'});
  await card.focus();
  await page.keyboard.press('d');
  await dialog.getByRole('status').filter({hasText: '1 object found'}).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Detect again');
  await page.keyboard.press('Enter');
  await until('it was asked again', () => asked(viewer).length === 2);
  await dialog.getByRole('status').filter({hasText: '1 object found'}).waitFor();
  await page.keyboard.press('Escape');
  await until('the focus is back', async () => await viewer.focused() === 'lids');
  viewer.assertNoComplaints();
});

test('while it runs the button is deaf; closing the dialog ends the request', async (t) => {
  const {server, viewer, page, dialog} = await openLids(t, {filters: ['--filter', 'slow=exec sleep 1000']});
  await viewer.button('lids', 'detect').click();
  const again = dialog.locator('#detect-again');
  await dialog.getByRole('status').filter({hasText: 'Detecting…'}).waitFor();
  assert.equal(await again.getAttribute('aria-disabled'), 'true');
  await again.press('Enter');
  await again.press('Enter');
  assert.equal(asked(viewer).length, 1);
  assert.equal(await dialog.getByRole('link', {name: 'Save picture'}).count(), 0);

  await dialog.getByRole('button', {name: 'Close'}).click();
  await until('the request has ended', () =>
    [...viewer.underway].every((request) => !request.url().includes('detect_once')));
  assert.equal((await server.state()).filters[0].name, 'slow');
  viewer.assertNoComplaints();
});

const FAILURES = {
  'a filter that ends': {
    filters: ['--filter', 'lids=echo "no such model" >&2; exit 69'],
    words: /^Not at the moment: filter lids: .*no such model/,
    complaint: /503/,
  },
  'a filter that takes too long': {
    filters: ['--filter', 'lids=exec sleep 1000', '--filter-timeout', '300ms'],
    words: /^The filter took too long: filter lids/,
    complaint: /504/,
  },
  'a picture that cannot be worked on': {
    filters: finder('lids', 'error'),
    words: /^The filter could not work on this picture: .*no square fits/,
    complaint: /422/,
  },
};

for (const [what, {filters, words, complaint}] of Object.entries(FAILURES)) {
  test(`${what} is told in words`, async (t) => {
    const {viewer, dialog} = await openLids(t, {filters});
    await viewer.button('lids', 'detect').click();
    const alert = dialog.getByRole('alert');
    await until('it is told', async () => (await alert.textContent()) !== '');
    assert.match(await alert.textContent(), words);
    assert.equal(await dialog.locator('#detect-again').textContent(), 'Detect again');
    assert.equal(await dialog.locator('#detect-screen').isVisible(), false);
    viewer.assertNoComplaints(complaint);
  });
}

test('of several filters one is chosen, in the dialog and on the page of the camera alike', async (t) => {
  const {viewer, page, dialog} = await openLids(t, {filters: [...finder('lids'), ...finder('tops', 'top', 3)]});
  await viewer.button('lids', 'detect').click();
  await dialog.getByText('1 object found').waitFor();
  await dialog.getByLabel('Filter').selectOption('tops');
  await dialog.getByRole('button', {name: 'Detect again'}).click();
  await dialog.getByRole('listitem').filter({hasText: 'top'}).waitFor();
  assert.equal(asked(viewer).at(-1), '/detect_once/lids?filter=tops&overlay=garment');
  await dialog.getByRole('button', {name: 'Close'}).click();
  await until('the page knows', async () => await page.locator('#choice-filter').inputValue() === 'tops');
});

test('a filter that did not look has not found nothing', async (t) => {
  const {viewer, dialog} = await openLids(t, {filters: finder('lids', 'closed')});
  await viewer.button('lids', 'detect').click();
  await dialog.getByText('The filter did not look at this frame', {exact: true}).waitFor();
  assert.equal(await dialog.getByText('Nothing found').count(), 0);
  assert.equal(await dialog.locator('[data-detect=model]').textContent(), '–');
  viewer.assertNoComplaints();
});

test('what a filter finds is text, whatever it says', async (t) => {
  const filters = finder('lids', `'<img src=x onerror="document.title=1">'`);
  const {viewer, page, dialog} = await openLids(t, {filters});
  await viewer.button('lids', 'detect').click();
  await dialog.getByText('<img src=x').waitFor();
  assert.equal(await dialog.locator('img').count(), 0);
  assert.equal(await page.title(), 'lids – framepipe');
  viewer.assertNoComplaints();
});

test('live detection takes the pictures of this camera through the filter, and back', async (t) => {
  const {server, viewer, page, card} = await openLids(t);
  await viewer.isLive('lids');
  assert.equal(await hasBoxes(card), false);
  const live = page.getByRole('switch', {name: 'Live detection'});
  await live.click();
  await viewer.isSent('/wall?cameras=lids&filter=lids&overlay=garment');
  await until('there are boxes', () => hasBoxes(card));
  const seen = await within('pictures come', card.evaluate((element, colour) => new Promise((resolve) => {
    const [samples, sequences] = [[], new Set()];
    const sample = () => {
      samples.push(window.measureCamera(element, colour));
      sequences.add(samples.at(-1).sequence);
      if (sequences.size < 20) requestAnimationFrame(sample);
      else resolve(samples);
    };
    sample();
  }), COLOUR));
  assert.deepEqual(seen.filter((sample) => distance(sample) > TOLERANCE), []);
  await until('there are figures', async () =>
    /^\d+\.\d detections\/s · 7\.5 ms each · 1 object$/.test(await page.locator('#live-figures').textContent()));
  assert.equal((await server.state()).viewers.length, 1);
  assert.equal(await viewer.button('lids', 'raw').getAttribute('href'), 'detect_stream/lids?filter=lids');

  // The grid shows cameras as they come; on the way back it is live again.
  await page.locator('#to-grid').click();
  await viewer.isSent('/wall');
  await viewer.isLive('lids', 'yard');
  assert.equal(await hasBoxes(card), false);
  await page.goBack();
  await viewer.isSent('/wall?cameras=lids&filter=lids&overlay=garment');
  await until('there are boxes again', () => hasBoxes(card));
  await live.click();
  await viewer.isSent('/wall?cameras=lids');
  await viewer.isLive('lids');
  assert.equal(await hasBoxes(card), false);
  viewer.assertNoComplaints();
});

test('a live picture whose filter has gone does not look live', async (t) => {
  const {viewer, page, card} = await openLids(t, {filters: ['--filter', 'lids=echo "no such model" >&2; exit 69']});
  await page.getByRole('switch', {name: 'Live detection'}).click();
  await viewer.cameraBecomes('lids', 'stalled');
  await card.getByText('The filter lids is being started again').waitFor();
  await page.getByRole('switch', {name: 'Live detection'}).click();
  await viewer.isLive('lids');
  viewer.assertNoComplaints();
});

test('nor does one whose filter hangs', async (t) => {
  const filters = [...finder('lids', 'lid', 5, 3), '--filter-timeout', '60s'];
  const {viewer, page, card} = await openLids(t, {filters});
  await viewer.isLive('lids');
  await page.getByRole('switch', {name: 'Live detection'}).click();
  await viewer.cameraBecomes('lids', 'stalled');
  await card.getByText('The filter lids does not answer').waitFor();
  viewer.assertNoComplaints();
});

test('on a phone the answer fits the window, and the buttons stay at hand', async (t) => {
  const {viewer, page, dialog} = await openLids(t, {viewport: PHONE, hasTouch: true, isMobile: true});
  await viewer.button('lids', 'detect').tap();
  await dialog.getByText('1 object found').waitFor();
  const box = await dialog.boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= PHONE.width, JSON.stringify(box));
  assert.equal(await dialog.evaluate(({scrollWidth, clientWidth}) => scrollWidth - clientWidth), 0);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), PHONE.width);
  for (const name of ['Detect again', 'Close']) {
    const button = await dialog.getByRole('button', {name}).boundingBox();
    assert.ok(button.y + button.height <= PHONE.height && button.height >= 44, name);
  }
  viewer.assertNoComplaints();
});
