// The page for those who cannot see it, see little of it, or have thick fingers.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {finder, movingSquare} from './detections.mjs';
import {Server, camgrab, launchBrowser} from './support.mjs';
import {DESK, PHONE, Viewer} from './viewer.mjs';

const CAMERAS = ['door', 'yard'].flatMap((name) => ['--camera', `${name}=exec:${camgrab('320x240', 5)}`]);
const TOUCH_PX = 44;

/** The same with something to be found in the yard, and two filters that do. */
const camerasAndFilters = (t) => [
  ...CAMERAS.slice(0, 2),
  '--camera', `yard=exec:${movingSquare(t, 5, (frame, box) => [`X-Square: ${box.join(' ')}`])}`,
  ...finder('lids'), ...finder('tops'), ...finder('blind', 'error'),
];

let browser;
before(async () => { browser = await launchBrowser(); });
after(() => browser?.close());

/** What is wrong with what is to be seen, as sentences; runs in the page. */
function findFaults() {
  const dialog = document.querySelector('dialog[open]');
  const elements = [...(dialog ?? document.body).querySelectorAll('*')].filter((element) => element.checkVisibility());
  const say = (element) => `<${element.localName} id="${element.id}" class="${element.getAttribute('class') ?? ''}">`;
  const textOf = (ids) => ids.split(/\s+/).map((id) => document.getElementById(id)?.textContent ?? '').join(' ').trim();
  const faults = [];

  // Names.
  const nameOf = (element) => element.getAttribute('aria-label')
      || textOf(element.getAttribute('aria-labelledby') ?? '')
      || [...(element.labels ?? [])].map((label) => label.textContent).join(' ')
      || (element.matches('select, input') ? '' : element.textContent.trim());
  for (const element of elements) {
    const needsName = element.matches('a[href], button, select, input, [tabindex], dialog, nav, section, [role=img]');
    if (needsName && !nameOf(element)) faults.push(`${say(element)} has no name`);
    if (element.matches('a[href], button') && element.getAttribute('aria-label') && element.innerText.trim()) {
      const [name, seen] = [nameOf(element), element.innerText.trim()].map((text) => text.toLowerCase());
      if (!name.includes(seen) && seen !== '?') faults.push(`${say(element)} is called '${name}' and reads '${seen}'`);
    }
  }

  // References, and who they mean.
  const ids = [...document.querySelectorAll('[id]')].map(({id}) => id);
  for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) faults.push(`id ${id} is there twice`);
  for (const element of document.querySelectorAll('[aria-labelledby], [aria-describedby], label[for], use')) {
    for (const attribute of ['aria-labelledby', 'aria-describedby', 'for', 'href']) {
      for (const id of element.getAttribute(attribute)?.replace('#', '').split(/\s+/) ?? []) {
        if (!ids.includes(id)) faults.push(`${say(element)} refers to ${id}, which is not there`);
      }
    }
  }

  // Contrast, WCAG 2.2, 1.4.3 and 1.4.11. Behind what lies on a picture there may be any colour: the worst counts.
  const parse = (colour) => {
    const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
    return {red, green, blue, alpha};
  };
  const over = (top, below) => {
    const mix = (channel) => top[channel] * top.alpha + below[channel] * (1 - top.alpha);
    return {red: mix('red'), green: mix('green'), blue: mix('blue'), alpha: 1};
  };
  const luminance = ({red, green, blue}) => {
    const [r, g, b] = [red, green, blue].map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
  };
  const backgroundsOf = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      if (at.matches('.screen')) return ['rgb(0, 0, 0)', 'rgb(255, 255, 255)'].map((picture) =>
        layers.reduceRight((below, top) => over(top, below), parse(picture)));
      layers.push(parse(getComputedStyle(at).backgroundColor));
      if (layers.at(-1).alpha === 1) break;
    }
    return [layers.reduceRight((below, top) => over(top, below))];
  };
  const worst = (colour, backgrounds) =>
    Math.min(...backgrounds.map((background) => ratio(over(parse(colour), background), background)));
  for (const element of elements) {
    const style = getComputedStyle(element);
    const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (hasText && !element.closest('.unseen, option, .symbols')) {
      const size = parseFloat(style.fontSize);
      const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
      const found = worst(style.color, backgroundsOf(element));
      if (found < needed) faults.push(`${say(element)} '${element.textContent}' has contrast ${found.toFixed(2)}`);
    }
    if (element.matches('select, input')) {
      const found = worst(style.borderTopColor, backgroundsOf(element.parentElement));
      if (found < 3) faults.push(`the edge of ${say(element)} has contrast ${found.toFixed(2)}`);
    }
  }
  return faults;
}

/** What is too small to be hit; runs in the page. */
function findSmallTargets(least) {
  const root = document.querySelector('dialog[open]') ?? document.body;
  return [...root.querySelectorAll('a[href], button, select, input')]
      .filter((element) => element.checkVisibility())
      .map((element) => ({element, box: element.getBoundingClientRect()}))
      .filter(({box}) => box.width < least || box.height < least)
      .map(({element, box}) => `${element.outerHTML.slice(0, 80)} is ${box.width}×${box.height}`);
}

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
