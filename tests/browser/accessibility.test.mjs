// The page for those who cannot see it, see little of it, or have thick fingers.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {finder, movingSquare} from './detections.mjs';
import {TOUCH_PX, findFaults, findSmallTargets} from './faults.mjs';
import {Server, camgrab, launchBrowser} from './support.mjs';
import {DESK, PHONE, Viewer} from './viewer.mjs';

const CAMERAS = ['door', 'yard'].flatMap((name) => ['--camera', `${name}=exec:${camgrab('320x240', 5)}`]);

/** The same with something to be found in the yard, and two filters that do. */
const camerasAndFilters = (t) => [
  ...CAMERAS.slice(0, 2),
  '--camera', `yard=exec:${movingSquare(t, 5, (frame, box) => [`X-Square: ${box.join(' ')}`])}`,
  ...finder('lids'), ...finder('tops'), ...finder('blind', 'error'),
];

let browser;
before(async () => { browser = await launchBrowser(); });
after(() => browser?.close());

async function visitEverything(viewer, check) {
  const {page} = viewer;
  await viewer.isLive('door', 'yard');
  await check('the grid');
  for (const [button, what] of [['#add-button', 'add'], ['#help-button', 'help']]) {
    await page.locator(button).click();
    await page.locator(`#${what}[open]`).waitFor();
    if (what === 'add') await page.locator('#add [type=submit]').click();  // complaints, too
    await check(`the dialog ${what}`);
    await page.keyboard.press('Escape');
    await page.locator(`#${what}:not([open])`).waitFor({state: 'attached'});
  }
  await page.evaluate(() => { location.hash = '#/camera/yard'; });
  await viewer.isAt('yard');
  await viewer.isLive('yard');
  await check('the page of a camera');
  await page.locator('#choice-live').click();
  await page.locator('#live-figures').getByText('1 object').waitFor();
  await check('the page of a camera with live detection');
  await viewer.button('yard', 'detect').click();
  await page.locator('#detect').getByText('1 object found').waitFor();
  await check('the dialog detect');
  await page.locator('#detect-filter').selectOption('blind');
  await page.locator('#detect-again').click();
  await page.locator('#detect').getByText('no square fits').waitFor();
  await check('the dialog detect that could not');
  await page.keyboard.press('Escape');
  await page.locator('#choice-filter').selectOption('lids');
  await page.locator('#choice-live').click();
  await page.locator('#power').click();
  await viewer.cameraBecomes('yard', 'stopped');
  await viewer.button('yard', 'toggle').click();
  await viewer.cameraBecomes('yard', 'paused');
  await check('the page of a camera that is paused');
  await page.locator('#remove').click();
  await page.locator('#remove-dialog[open]').waitFor();
  await check('the dialog remove');
}

const DEVICES = {'a desk': {viewport: DESK}, 'a phone': {viewport: PHONE, hasTouch: true, isMobile: true}};

for (const colorScheme of ['light', 'dark']) {
  for (const [device, options] of Object.entries(DEVICES)) {
    test(`on ${device}, ${colorScheme}: names for all that can be used, and text that can be read`, async (t) => {
      const server = await Server.start(t, ...camerasAndFilters(t), '--allow-source', '*');
      const viewer = await Viewer.open(t, browser, server, {colorScheme, reducedMotion: 'reduce', ...options});
      await visitEverything(viewer, async (where) => {
        assert.deepEqual(await viewer.page.evaluate(findFaults), [], where);
        if (device === 'a phone') {
          assert.deepEqual(await viewer.page.evaluate(findSmallTargets, TOUCH_PX), [], where);
          assert.equal(await viewer.page.evaluate(() => document.documentElement.scrollWidth), PHONE.width, where);
        }
      });
      viewer.assertNoComplaints(/422/);  // of the filter that is blind
    });
  }
}

test('Tab goes through the page of a camera in the order of the eye, and reaches all there is', async (t) => {
  const server = await Server.start(t, ...camerasAndFilters(t), '--allow-source', '*');
  const viewer = await Viewer.open(t, browser, server, {path: '/#/camera/yard'});
  await viewer.isLive('yard');
  await viewer.page.locator('#choice-live').waitFor();
  const order = [];
  for (;;) {
    await viewer.page.keyboard.press('Tab');
    const where = await viewer.page.evaluate(() => document.activeElement.id || document.activeElement.classList.item(
        document.activeElement.classList.length - 1));
    if (!where || where === order[0]) break;
    order.push(where);
  }
  assert.deepEqual(order, [
    'add-button', 'help-button', 'to-grid', 'to-previous', 'to-next', 'camera', 'toggle', 'snapshot', 'full-screen',
    'detect', 'raw', 'choice-quality', 'choice-fps', 'choice-scale', 'choice-filter', 'choice-live', 'choice-boxes',
    'power', 'remove',
  ]);
});

test('what changes all the time is not read out', async (t) => {
  const server = await Server.start(t, ...camerasAndFilters(t), '--allow-source', '*');
  const viewer = await Viewer.open(t, browser, server, {path: '/#/camera/yard'});
  await viewer.isLive('yard');
  await viewer.page.locator('#choice-live').click();
  await viewer.page.locator('#live-figures').getByText('1 object').waitFor();
  await viewer.cameraBecomes('yard', 'live');
  const said = await viewer.page.evaluate(async () => {
    const said = [];
    const observer = new MutationObserver((changes) => said.push(...changes.map(({target}) => target.textContent)));
    for (const region of document.querySelectorAll('[role=status], [role=alert], [aria-live]')) {
      observer.observe(region, {childList: true, characterData: true, subtree: true});
    }
    const chart = document.querySelector('[data-chart=fps] .line');
    for (let drawn = 0; drawn < 6; drawn += 1) {
      await new Promise((resolve) => new MutationObserver((_, own) => { own.disconnect(); resolve(); })
          .observe(chart, {attributeFilter: ['d']}));
    }
    return said;
  });
  assert.deepEqual(said, []);
});
