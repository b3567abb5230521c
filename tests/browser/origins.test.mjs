// Who may read the pictures: pages of the server itself, of an allowed origin, and nobody who calls it by another name.
import assert from 'node:assert/strict';
import {once} from 'node:events';
import {createServer} from 'node:http';
import {after, before, test} from 'node:test';
import {PATIENCE_MS, Server, camgrab, launchBrowser} from './support.mjs';

const CAMERA = ['--camera', `door=exec:${camgrab('320x240', 10)}`];

let browser;
before(async () => { browser = await launchBrowser('--host-resolver-rules=MAP evil.test 127.0.0.1'); });
after(() => browser?.close());

/** A page at `url`. */
async function pageAt(t, url) {
  const page = await browser.newPage();
  t.after(() => page.close());
  const response = await page.goto(url, {timeout: PATIENCE_MS});
  return {page, response};
}

/** The address of a server that has nothing to do with ours. */
async function startStranger(t) {
  const stranger = createServer((request, response) => {
    response.setHeader('Content-Type', 'text/html').end('<!doctype html>');
  });
  stranger.listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  t.after(() => {
    stranger.close();
    stranger.closeAllConnections();
  });
  return `http://127.0.0.1:${stranger.address().port}`;
}

/** What a page gets when it reads three frames of /stream: their headers and the first bytes of each. */
function readFrames(page, url) {
  return page.evaluate(async (url) => {
    const stop = new AbortController();
    let response;
    try {
      response = await fetch(url, {signal: stop.signal});
    } catch (error) {
      return {refused: error.message};
    }
    const type = response.headers.get('Content-Type');
    const frames = [];
    let text = '';
    for (const reader = response.body.pipeThrough(new TextDecoderStream('latin1')).getReader(); frames.length < 3;) {
      const {done, value} = await reader.read();
      if (done) break;
      text += value;
      for (let head; (head = /^\r?\n?--[^\r]+\r\n([^]*?)\r\n\r\n/.exec(text));) {
        const length = Number(/^Content-Length: (\d+)/im.exec(head[1])?.[1]);
        if (!(text.length >= head[0].length + length + 2)) break;
        const body = text.slice(head[0].length, head[0].length + length);
        frames.push({head: head[1], start: body.slice(0, 2), end: body.slice(-2)});
        text = text.slice(head[0].length + length + 2);
      }
    }
    stop.abort();
    return {type, frames};
  }, url);
}

function assertFrames({refused, type, frames}) {
  assert.equal(refused, undefined);
  assert.match(type, /^multipart\/x-mixed-replace; *boundary=/);
  assert.ok(frames.length >= 3);
  for (const {head, start, end} of frames) {
    assert.match(head, /^Content-Type: image\/jpeg/im);
    assert.match(head, /^X-Timestamp: \d+\.\d+/im);
    assert.equal(start, '\u00ff\u00d8');
    assert.equal(end, '\u00ff\u00d9');
  }
}

test('a script reads frames with their lengths and headers from /stream', async (t) => {
  const server = await Server.start(t, ...CAMERA);
  const {page} = await pageAt(t, `${server.url}/state`);
  assertFrames(await readFrames(page, '/stream?framing=length'));
});

test('a script of another origin reads frames when --allow-origin names it', async (t) => {
  const stranger = await startStranger(t);
  const server = await Server.start(t, ...CAMERA, '--allow-origin', stranger);
  const {page} = await pageAt(t, stranger);
  assertFrames(await readFrames(page, `${server.url}/stream?framing=length`));
});

test('a script of another origin reads nothing without --allow-origin', async (t) => {
  const stranger = await startStranger(t);
  const server = await Server.start(t, ...CAMERA);
  const {page} = await pageAt(t, stranger);
  assert.deepEqual(await readFrames(page, `${server.url}/stream?framing=length`), {refused: 'Failed to fetch'});
});

test('a script of another origin reads nothing when --allow-origin names somebody else', async (t) => {
  const stranger = await startStranger(t);
  const server = await Server.start(t, ...CAMERA, '--allow-origin', 'http://friend.test');
  const {page} = await pageAt(t, stranger);
  assert.deepEqual(await readFrames(page, `${server.url}/stream?framing=length`), {refused: 'Failed to fetch'});
});

test('a name that somebody points at the server gets 421 and no picture', async (t) => {
  const server = await Server.start(t, ...CAMERA);
  const {page, response} = await pageAt(t, `http://evil.test:${server.port}/`);
  assert.equal(response.status(), 421);
  const answers = await page.evaluate(() => Promise.all(['/stream', '/snapshot', '/wall', '/state']
      .map(async (path) => (await fetch(path)).status)));
  assert.deepEqual(answers, [421, 421, 421, 421]);
});
