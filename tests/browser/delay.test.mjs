// How late a browser shows what a slow camera sends. Browsers show a part of a stream when they see its end, and a
// server that leaves the end to the next part is one frame late: at one frame a second, a whole second.
import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';
import {
  PATIENCE_MS, Server, asPart, colourOf, launchBrowser, makeColouredFrames, middleOfPng, now, until, within,
} from './support.mjs';

const INTERVAL_MS = 1000;
const FRAMES = 15;
const MOST_MS = INTERVAL_MS / 2;

let browser;
let frames;
before(async () => {
  browser = await launchBrowser();
  frames = makeColouredFrames();
});
after(() => browser?.close());

/** What is to be seen now, and since when. */
class Sight {
  colour = -1;
  since = 0;
  #onChange = null;

  show(colour, time) {
    if (colour === this.colour) return;
    this.colour = colour;
    this.since = time;
    this.#onChange?.();
  }

  async becomes(colour) {
    await new Promise((resolve) => {
      this.#onChange = () => { if (this.colour === colour) resolve(); };
      this.#onChange();
    });
    return this.since;
  }
}

const partOf = (number) => asPart(frames[colourNumbered(number)]);
const colourNumbered = (number) => (number + 1) % frames.length;  // not from 0: black passes for the server's card

// With the first frame. --stale: a card of the server's would push out a frame that is late.
async function startServer(t) {
  const server = await Server.start(t, '--stale', '0s');
  server.input.write(partOf(0));
  return server;
}

async function newPage(t) {
  const page = await browser.newPage({viewport: {width: 320, height: 240}});
  t.after(() => page.close());
  return page;
}

/** Sends a frame a second, but none before the last one has been seen; checks how long that took. */
async function measure(t, server, sight) {
  await within('the frame from before the first viewer is shown', sight.becomes(colourNumbered(0)));

  const delays = [];
  let due = now();
  for (let number = 1; number <= FRAMES; number += 1) {
    due = Math.max(due + INTERVAL_MS, now());
    await new Promise((resolve) => setTimeout(resolve, due - now()));
    const shown = sight.becomes(colourNumbered(number));
    const written = now();
    server.input.write(partOf(number));
    const seen = await within(`frame ${number} of ${FRAMES} is shown before another is sent`, shown);
    delays.push(seen - written);
  }

  delays.sort((a, b) => a - b);
  const median = (delays[(FRAMES - 1) >> 1] + delays[FRAMES >> 1]) / 2;
  t.diagnostic(`delay over ${FRAMES} frames: median ${median.toFixed(1)} ms, maximum ${delays.at(-1).toFixed(1)} ms`);
  assert.ok(median > 0 && median < MOST_MS, `the median delay is ${median} ms`);
}

describe('at one frame a second each frame shows before the next is sent, the last one too', () => {
  test('in an <img>', async (t) => {
    const server = await startServer(t);
    const page = await newPage(t);
    const sight = new Sight();
    await page.exposeFunction('show', (pixel, time) => sight.show(colourOf(pixel), time));
    await page.goto(`${server.url}/state`);  // the origin of the pictures, so that the page may look at their pixels
    await page.evaluate(() => {
      const img = document.createElement('img');
      img.src = '/stream';
      document.body.replaceChildren(img);
      const context = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
      let last = '';
      setInterval(() => {
        if (!img.naturalWidth) return;
        context.drawImage(img, 0, 0, 1, 1);
        const pixel = [...context.getImageData(0, 0, 1, 1).data];
        if (String(pixel) !== last) show(pixel, performance.timeOrigin + performance.now());
        last = String(pixel);
      }, 5);
    });
    await measure(t, server, sight);
  });

  test('in a tab that was sent to /stream itself', async (t) => {
    const server = await startServer(t);
    const page = await newPage(t);
    const sight = new Sight();
    const devtools = await page.context().newCDPSession(page);
    devtools.on('Page.screencastFrame', ({data, sessionId}) => {
      const time = now();
      devtools.send('Page.screencastFrameAck', {sessionId}).catch(() => {});
      sight.show(colourOf(middleOfPng(Buffer.from(data, 'base64'))), time);
    });
    await page.goto(`${server.url}/stream`, {waitUntil: 'commit', timeout: PATIENCE_MS});
    const wish = {format: 'png', maxWidth: 64, maxHeight: 48};
    await until('Chromium tells of each change on the screen', () =>  // it refuses while it changes processes
      devtools.send('Page.startScreencast', wish).then(() => true, () => false));
    await measure(t, server, sight);
  });
});
