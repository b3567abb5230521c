// What the tests of examples/ share: the page, built and served from an origin of its own, and a look at its pictures.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, mkdirSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {createServer} from 'node:http';
import {extname, join, normalize} from 'node:path';
import {after} from 'node:test';
import {fileURLToPath} from 'node:url';
import {PATIENCE_MS, temporaryFolder, until} from './support.mjs';

export const DESK = {width: 1280, height: 800};
export const PHONE = {width: 360, height: 740};
const VITE_PORT = 5173;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SCREENSHOTS = join(ROOT, 'build/screenshots');

/** For what all tests of a file share: what `before` starts ends after the last of them. */
export class Lifetime {
  #steps = [];

  constructor() {
    after(async () => {
      while (this.#steps.length > 0) await this.#steps.pop()();
    });
  }

  after(step) {
    this.#steps.push(step);
  }

  diagnostic(text) {
    process.stderr.write(`${text}\n`);
  }
}

/** Where Vite would serve the page, or nearby if that port is taken. Answers 404 until there is a `folder`. */
export class Site {
  folder = null;
  #server = createServer((request, response) => this.#answer(request, response));

  static async open(lifetime) {
    const site = new Site();
    await site.#listen(VITE_PORT).catch(() => site.#listen(0));
    lifetime.after(() => {
      site.#server.close();
      site.#server.closeAllConnections();
    });
    return site;
  }

  get origin() {
    return `http://localhost:${this.#server.address().port}`;
  }

  async #listen(port) {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async #answer({url}, response) {
    const path = new URL(url, 'http://localhost').pathname;
    const type = {'.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css'};
    const file = normalize(path === '/' ? '/index.html' : path);
    try {
      const content = await readFile(join(this.folder, file));
      response.setHeader('Content-Type', type[extname(file)] ?? 'application/octet-stream').end(content);
    } catch {
      response.writeHead(404).end();
    }
  }
}

/** The folder with the built page; `environment` has its VITE_ variables. */
export function build(lifetime, example, environment) {
  const source = join(ROOT, 'examples', example);
  const vite = join(source, 'node_modules/vite/bin/vite.js');
  assert.ok(existsSync(vite), `examples/${example} has no Vite: scripts/browser-tests installs it`);
  const folder = join(temporaryFolder(lifetime), 'dist');
  execFileSync(process.execPath, [vite, 'build', '--logLevel', 'error', '--outDir', folder],
               {cwd: source, env: {...process.env, ...environment}, stdio: ['ignore', 'inherit', 'inherit']});
  return folder;
}

/** A page in a tab, and what it complained about. */
export class Tab {
  complaints = [];

  static async open(t, browser, url, viewport = DESK) {
    const context = await browser.newContext({viewport});
    t.after(() => context.close());
    context.setDefaultTimeout(PATIENCE_MS);
    const tab = new this(await context.newPage());
    await tab.page.goto(url);
    return tab;
  }

  constructor(page) {
    this.page = page;
    page.on('pageerror', (error) => this.complaints.push(error.stack));
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
  }

  /** Waits until another picture is on the screen: a card stands still. */
  async moves(img) {
    const first = (await img.screenshot()).toString('base64');
    await until('the picture moves', async () => (await img.screenshot()).toString('base64') !== first);
  }

  /** Waits until what is on the screen has the colours of a test card, or those of the server's own card: none. */
  async hasColours(img, wanted) {
    await until(wanted ? 'the picture has colours' : 'the picture is a card', async () =>
      (await this.page.evaluate(shareOfColour, (await img.screenshot()).toString('base64')) > 0.05) === wanted);
  }

  async fitsItsWidth() {
    const widths = await this.page.evaluate(() => ({
      window: innerWidth,
      page: document.documentElement.scrollWidth,
      furthest: Math.max(...[...document.querySelectorAll('body *')]
          .map((element) => element.getBoundingClientRect().right)),
    }));
    assert.equal(widths.page, this.page.viewportSize().width);
    assert.ok(widths.furthest <= widths.window, `something ends at ${widths.furthest}`);
  }

  /** Everything that can be used or looked at has a name for those who do not see it. */
  async isLabelled() {
    const nameless = await this.page.evaluate(() => [...document.querySelectorAll('button, input, img, section, a')]
        .filter((element) => !(element.getAttribute('aria-label') || element.alt || element.textContent.trim() ||
                               element.labels?.[0]?.textContent.trim() || element.hasAttribute('aria-labelledby')))
        .map((element) => element.outerHTML));
    assert.deepEqual(nameless, []);
  }

  /** To build/screenshots, for people. */
  async photograph(name) {
    mkdirSync(SCREENSHOTS, {recursive: true});
    await this.page.screenshot({path: join(SCREENSHOTS, `${name}.png`), fullPage: true});
  }

  /** `expected`: complaints that belong to the test. */
  assertNoComplaints(expected = /^$/) {
    assert.deepEqual(this.complaints.filter((text) => !expected.test(text)), []);
  }
}

// How much of a PNG is neither black, gray nor white.
async function shareOfColour(png) {
  const bytes = Uint8Array.from(atob(png), (character) => character.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes]));
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
  context.drawImage(bitmap, 0, 0);
  const {data} = context.getImageData(0, 0, bitmap.width, bitmap.height);
  let coloured = 0;
  for (let at = 0; at < data.length; at += 4) {
    const [red, green, blue] = data.subarray(at, at + 3);
    if (Math.max(red, green, blue) - Math.min(red, green, blue) > 64) coloured += 1;
  }
  return coloured / (data.length / 4);
}
