// What a frame says was found in it is drawn over that frame, and over no other.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {COLOUR, SQUARE, addMeasures, detectionsOf, distance, movingSquare} from './detections.mjs';
import {Server, launchBrowser, until, within} from './support.mjs';
import {DESK, PHONE, Viewer} from './viewer.mjs';

const SAMPLES = 100;   // different pictures
const TOLERANCE = 6;   // CSS pixels: half a line with its edge, and JPEG's blur

let browser;
before(async () => { browser = await launchBrowser(); });
after(() => browser?.close());

async function openSquare(t, {headersOf, fps = 20, path = '/#/camera/lids', ...options} = {}) {
  const server = await Server.start(t, '--camera', `lids=exec:${movingSquare(t, fps, headersOf)}`);
  const viewer = await Viewer.open(t, browser, server, {prepare: addMeasures, path, ...options});
  await viewer.becomes('connected');
  await viewer.cameraBecomes('lids', 'live');
  return {server, viewer, page: viewer.page, card: viewer.camera('lids')};
}

/** In each animation frame what is to be seen, until so many different pictures were. */
const sampleFrames = (card, samples) => within('pictures come', card.evaluate((element, {colour, samples}) =>
  new Promise((resolve) => {
    const [seen, sequences] = [[], new Set()];
    const sample = () => {
      seen.push(window.measureCamera(element, colour));
      sequences.add(seen.at(-1).sequence);
      if (sequences.size < samples) requestAnimationFrame(sample);
      else resolve(seen);
    };
    requestAnimationFrame(sample);
  }), {colour: COLOUR, samples}));

/** The same for what Chromium paints. */
async function sampleScreenshots(page, card, samples) {
  const clip = await card.locator('.screen').boundingBox();
  const seen = [];
  for (let taken = 0; taken < samples; taken += 1) {
    const png = (await page.screenshot({clip})).toString('base64');
    seen.push(await page.evaluate(async ({png, colour}) => {
      const bytes = Uint8Array.from(atob(png), (character) => character.charCodeAt(0));
      return window.measure(await createImageBitmap(new Blob([bytes])), colour);
    }, {png, colour: COLOUR}));
  }
  return seen;
}

const hasBoxes = (card) => card.evaluate((element, colour) =>
  window.measureCamera(element, colour).box.pixels > 0, COLOUR);

const boxesCome = (card) => until('there are boxes', () => hasBoxes(card));

function assertAligned(samples, unit = 1) {
  const wrong = samples.filter((sample) => distance(sample) > TOLERANCE * unit);
  assert.equal(wrong.length, 0, `${wrong.length} of ${samples.length}, as ${JSON.stringify(wrong[0])}`);
}

test('the box is on the square in every animation frame and in every painting', async (t) => {
  const {viewer, page, card} = await openSquare(t);
  await boxesCome(card);
  const samples = [...await sampleFrames(card, SAMPLES / 2), ...await sampleFrames(card, SAMPLES / 2)];
  assertAligned(samples);
  assert.ok(new Set(samples.map(({square}) => `${square.left},${square.top}`)).size > SQUARE.frames / 2);
  assertAligned(await sampleScreenshots(page, card, 25));
  viewer.assertNoComplaints();
});

const VIEWS = {
  'on a display of two pixels for one': {deviceScaleFactor: 2},
  'on a phone': {viewport: PHONE, deviceScaleFactor: 3, hasTouch: true, isMobile: true},
  'in a picture that the server scaled': {path: '/', viewport: PHONE},
};

for (const [where, options] of Object.entries(VIEWS)) {
  test(`the box is on the square ${where}`, async (t) => {
    const {viewer, page, card} = await openSquare(t, options);
    if (options.path === '/') {
      await viewer.isSent('/wall?width=480');
      await until('pictures are smaller', () => card.locator('.picture').evaluate(({width}) => width === 480));
    }
    await boxesCome(card);
    const unit = options.deviceScaleFactor ?? 1;
    assertAligned(await sampleFrames(card, 20), unit);
    assertAligned(await sampleScreenshots(page, card, 8), unit);
    viewer.assertNoComplaints();
  });
}

test('the box is on the square in full screen, between bars, and after the window has changed', async (t) => {
  const {viewer, page, card} = await openSquare(t);
  await boxesCome(card);
  await viewer.button('lids', 'full-screen').click();
  await until('it fills the screen', async () => await viewer.fullScreen() === 'lids');
  await boxesCome(card);
  assertAligned(await sampleFrames(card, 10));
  assertAligned(await sampleScreenshots(page, card, 5));
  await page.setViewportSize({width: 700, height: 900});
  await until('the screen is narrow', () => card.locator('.overlay').evaluate(({width}) => width === 700));
  assertAligned(await sampleFrames(card, 10));
  assertAligned(await sampleScreenshots(page, card, 5));
  viewer.assertNoComplaints();
});

test('a paused picture keeps its boxes, also when the window changes', async (t) => {
  const {viewer, page, card} = await openSquare(t);
  await boxesCome(card);
  await viewer.button('lids', 'toggle').click();
  await viewer.cameraBecomes('lids', 'paused');
  assertAligned([await card.evaluate((element, colour) => window.measureCamera(element, colour), COLOUR)]);
  const width = () => card.locator('.overlay').evaluate((canvas) => canvas.width);
  const before = await width();
  await page.setViewportSize(PHONE);
  await until('the picture is smaller', async () => await width() < before);
  assertAligned([await card.evaluate((element, colour) => window.measureCamera(element, colour), COLOUR)]);
});

test('boxes are switched off and on for each camera, which is remembered', async (t) => {
  const {viewer, page, card} = await openSquare(t);
  await boxesCome(card);
  const boxes = page.getByRole('switch', {name: 'Boxes'});
  assert.equal(await boxes.isChecked(), true);
  await boxes.click();
  assert.equal(await hasBoxes(card), false);
  await viewer.moves('lids');
  assert.equal(await hasBoxes(card), false);

  await page.reload();
  await viewer.isLive('lids');
  await boxes.waitFor();
  assert.equal(await boxes.isChecked(), false);
  assert.equal(await hasBoxes(card), false);
  await card.focus();
  await page.keyboard.press('b');
  await boxesCome(card);
  assert.equal(await boxes.isChecked(), true);
  viewer.assertNoComplaints();
});

test('a camera in which nothing was ever sought has no switch', async (t) => {
  const {viewer, page, card} = await openSquare(t, {headersOf: () => []});
  await viewer.moves('lids');
  assert.equal(await page.getByRole('switch').count(), 0);
  assert.equal(await hasBoxes(card), false);
});

test('each of several headers counts, and one that cannot be read is passed over', async (t) => {
  const {viewer, page, card} = await openSquare(t, {
    headersOf: (frame, box) => [
      'X-Detections: {"objects":[{"label":"broken"',
      ...detectionsOf(frame, box),
      'X-Detections: {"model":"second","ms":1,"objects":[{"label":"another"},{"label":"third"}]}',
    ],
  });
  await boxesCome(card);
  assertAligned(await sampleFrames(card, 5));
  await until('all are counted', async () =>
    /^\d+\.\d detections\/s · 1\.0 ms each · 3 objects$/.test(await page.locator('#live-figures').textContent()));
  viewer.assertNoComplaints();
});

test('a frame without detections takes the boxes of the one before away', async (t) => {
  const {card} = await openSquare(t, {headersOf: (frame, box) => (frame % 2 === 0 ? detectionsOf(frame, box) : [])});
  await boxesCome(card);
  const samples = await sampleFrames(card, 20);
  const [even, odd] = [0, 1].map((rest) => samples.filter(({sequence}) => Number(sequence) % 2 === rest));
  assert.ok(even.length > 0 && odd.length > 0);
  assertAligned(even);
  assert.deepEqual(odd.filter(({box}) => box.pixels > 0), []);
});

test('hostile detections are text and numbers, and do no harm', async (t) => {
  const {viewer, page, card} = await openSquare(t, {
    headersOf: (frame, box) => [
      ...detectionsOf(frame, box),
      `X-Detections: ${JSON.stringify({
        model: '<b>', ms: 'soon', objects: [
          {label: '<img src=x onerror="document.title=1">', confidence: 1e99, box: [1e30, -1e30, 1e300, 1e300]},
          {label: 'x'.repeat(5000), box: [0, 0, -5, 1e-300], keypoints: [[null, 'a'], 7, [1e308, -1e308, 1]]},
          {label: {toString: 1}, box: 'box', keypoints: {length: 17}}, null, 'text', [],
        ],
      })}`,
    ],
  });
  await boxesCome(card);
  const elements = await page.evaluate(() => document.querySelectorAll('*').length);
  await viewer.moves('lids');
  assert.equal(await page.evaluate(() => document.querySelectorAll('*').length), elements);
  assert.equal(await page.title(), 'lids – framepipe');
  viewer.assertNoComplaints();
});

test('in the grid boxes are drawn, too', async (t) => {
  const {card} = await openSquare(t, {path: '/', viewport: DESK});
  await boxesCome(card);
  assertAligned(await sampleFrames(card, 10));
});
