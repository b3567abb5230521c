// The viewer page in a tab, as the tests use it.
import assert from 'node:assert/strict';
import {PATIENCE_MS, until} from './support.mjs';

export const DESK = {width: 1280, height: 800};
export const PHONE = {width: 360, height: 740};
export const WALL_DISPLAY = {width: 3840, height: 2160};

/** The page in a tab, and what it complained about. */
export class Viewer {
  requests = [];  // paths
  underway = new Set();
  complaints = [];

  /** `path`: behind the address; `prepare`: done in the page before its own scripts; the rest is for Chromium. */
  static async open(t, browser, server, {path = '', prepare = null, ...options} = {}) {
    const context = await browser.newContext({viewport: DESK, ...options});
    t.after(() => context.close());
    context.setDefaultTimeout(PATIENCE_MS);
    await context.addInitScript(() => {
      addEventListener('securitypolicyviolation', ({violatedDirective, blockedURI}) => {
        console.error(`violates ${violatedDirective}: ${blockedURI}`);
      });
    });
    if (prepare) await context.addInitScript(prepare);
    const viewer = new Viewer(await context.newPage());
    await viewer.page.goto(server.url + path);
    return viewer;
  }

  constructor(page) {
    this.page = page;
    page.on('pageerror', (error) => this.complaints.push(error.stack));
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
    page.on('request', (request) => {
      this.underway.add(request);
      this.requests.push(request.url().slice(new URL(request.url()).origin.length));
    });
    page.on('requestfinished', (request) => this.underway.delete(request));
    page.on('requestfailed', (request) => this.underway.delete(request));
  }

  /** Those for pictures. */
  get walls() {
    return this.requests.filter((path) => /^\/wall(\?|$)/.test(path));
  }

  /** The one that is open now. */
  async isSent(path) {
    await until(`${path} is all that is asked for`, () => {
      const open = [...this.underway].map((request) => request.url()).filter((url) => /\/wall(\?|$)/.test(url));
      return open.length === 1 && open[0].endsWith(path) && this.walls.at(-1) === path;
    });
  }

  camera(name) {
    return this.page.locator(`[data-camera="${name}"]`);
  }

  button(name, action) {
    return this.camera(name).locator(`.${action}`);
  }

  async figure(name, figure) {
    return this.camera(name).locator(`[data-figure=${figure}]`).textContent();
  }

  async becomes(state) {
    await this.page.locator(`html[data-state=${state}]`).waitFor({state: 'attached'});
  }

  async cameraBecomes(name, status) {
    await this.page.locator(`[data-camera="${name}"][data-status=${status}]`).waitFor();
  }

  /** Waits for another picture on the screen. */
  async moves(name) {
    const before = await this.camera(name).evaluate(digest);
    await until(`${name} moves`, async () => await this.camera(name).evaluate(digest) !== before);
  }

  async isLive(...names) {
    await this.becomes('connected');
    for (const name of names) {
      await this.cameraBecomes(name, 'live');
      await this.moves(name);
    }
  }

  /** The page of that camera; null: the grid. */
  async isAt(name) {
    await this.page.locator(`html[data-page=${name === null ? 'grid' : 'camera'}]`).waitFor({state: 'attached'});
    if (name === null) return;
    await this.camera(name).waitFor();
    assert.equal(await this.page.locator('.camera:visible').count(), 1);
  }

  focused() {
    return this.page.evaluate(() => document.activeElement.dataset.camera);
  }

  fullScreen() {
    return this.page.evaluate(() => document.fullscreenElement?.dataset.camera);
  }

  /** `expected`: complaints that belong to the test. */
  assertNoComplaints(expected = /^$/) {
    assert.deepEqual(this.complaints.filter((text) => !expected.test(text)), []);
  }
}

// Of the picture on a camera's canvas.
function digest(element) {
  const canvas = element.querySelector('.picture');
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', {willReadFrequently: true});
  copy.drawImage(canvas, 0, 0);
  const {data} = copy.getImageData(0, 0, canvas.width, canvas.height);
  return data.reduce((hash, value) => (hash * 31 + value) | 0, 0);
}
