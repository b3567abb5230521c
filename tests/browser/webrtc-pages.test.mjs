// The pages of webrtc-serve and webrtc-ingest with a server's end that does what a test wants. webrtc.test.mjs has the
// programs themselves.
import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';
import {TOUCH_PX, findFaults, findSmallTargets} from './faults.mjs';
import {launchBrowser, until} from './support.mjs';
import {PHONE} from './viewer.mjs';
import {openPage, pictureServer, servePage, trackServer, videoServer} from './webrtc-fakes.mjs';

let browser;
before(async () => {
  browser = await launchBrowser('--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream');
});
after(() => browser?.close());

const state = (page) => page.evaluate(() => document.documentElement.dataset.state);
const becomes = (page, wanted) => page.locator(`html[data-state=${wanted}]`).waitFor({state: 'attached'});
const textOf = (page, id) => page.locator(`#${id}`).textContent();
const says = (page, words) =>
  until(`the page says ${words}`, async () => words.test(await textOf(page, 'message')));

async function isWithoutFaults(page) {
  assert.deepEqual(await page.evaluate(findFaults), []);
  assert.deepEqual(await page.evaluate(findSmallTargets, TOUCH_PX), []);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), PHONE.width);
}

describe('the page of webrtc-serve', () => {
  const SETTINGS = {
    codec: 'vp8', bitrate_kbps: 1500, size: null, fps: null, viewers: 1, read_only: false, ice_servers: [],
  };

  const open = async (t, {settings = SETTINGS, answer = SETTINGS, server = videoServer, ...options} = {}) =>
    openPage(t, browser, await servePage(t, 'webrtc-serve', {
      'GET /api/webrtc/settings': settings, 'POST /api/webrtc/settings': answer,
    }), server, options);

  test('plays as wide as a phone, says so, and shows its figures', async (t) => {
    const page = await open(t, {viewport: PHONE});
    await becomes(page, 'playing');
    assert.equal(await textOf(page, 'state'), 'Live');
    for (const [id, form] of [
      ['fps', /^[1-9].* fps$/], ['frames', /^[1-9]/], ['dropped', /^[0-9]+$/], ['size', /^320×240$/],
      ['bandwidth', /bit\/s$/], ['codec', /^(VP8|VP9|H264|AV1)$/], ['summary', /^2 viewers$/],
    ]) {
      await until(`${id} is like ${form}`, async () => form.test(await textOf(page, id)));
    }
    const box = await page.locator('#video').boundingBox();
    assert.deepEqual([box.x, box.width], [0, PHONE.width]);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), PHONE.width);
    assert.deepEqual(page.complaints, []);
  });

  test('has a button to play where the browser refuses to begin by itself', async (t) => {
    const page = await open(t, {prepare: () => {
      // Not by navigator.userActivation: whatever playwright evaluates passes for the user's doing.
      const {play} = HTMLMediaElement.prototype;
      let clicked = false;
      addEventListener('click', () => { clicked = true; }, true);
      HTMLMediaElement.prototype.play = function() {
        return clicked ? play.call(this) : Promise.reject(new DOMException('not now', 'NotAllowedError'));
      };
    }});
    await becomes(page, 'blocked');
    await page.getByRole('button', {name: 'Play'}).click();
    await becomes(page, 'playing');
    await page.locator('#play').waitFor({state: 'hidden'});
    await page.waitForFunction(() => document.getElementById('video').currentTime > 0);
  });

  test('answers an offer of the server\'s', async (t) => {
    const page = await open(t, {prepare: () => { window.offersItself = true; }});
    await becomes(page, 'playing');
    assert.ok(await page.evaluate(() => sockets[0].heard.some(({type}) => type === 'answer')));
  });

  test('comes back by itself when the connection is lost, and says what is', async (t) => {
    const page = await open(t);
    await becomes(page, 'playing');
    const seen = page.evaluate(() => new Promise((resolve) => {
      new MutationObserver(() => {
        if (document.documentElement.dataset.state !== 'reconnecting') return;
        resolve(document.getElementById('state').textContent);
      }).observe(document.documentElement, {attributes: true});
    }));
    await page.evaluate(() => sockets[0].close(1006));
    assert.equal(await seen, 'Reconnecting');
    await becomes(page, 'playing');
    assert.equal(await page.evaluate(() => sockets.length), 2);
    assert.equal(await textOf(page, 'message'), '');
  });

  test('says so while what comes is the same picture again and again, or a card, and when there are new ones', async (t) => {
    const page = await open(t, {prepare: () => { window.capturedMs = 1; }});
    await becomes(page, 'still');
    assert.equal(await textOf(page, 'state'), 'Waiting for pictures');
    await says(page, /its source sends no new pictures/);
    await until('there is no latency', async () => await textOf(page, 'latency') === '–');
    await page.evaluate(() => setInterval(() => { window.capturedMs += 1; }, 100));
    await becomes(page, 'playing');
    assert.equal(await textOf(page, 'message'), '');
    assert.deepEqual(page.complaints, []);
  });

  test('tells what the server refuses, in its words', async (t) => {
    const page = await open(t, {server: (say) => ({type}) => {
      if (type === 'offer') say({type: 'error', error: 'there are 64 viewers, which is all that are let in'});
    }});
    await says(page, /^There are 64 viewers, which is all that are let in\. Trying again by itself\.$/);
    assert.equal(await state(page), 'reconnecting');
  });

  test('changes the bitrate for everybody, and takes the choice back when it is refused', async (t) => {
    const page = await open(t, {answer: {...SETTINGS, bitrate_kbps: 600}});
    await becomes(page, 'playing');
    const [request] = await Promise.all([
      page.waitForRequest((request) => request.method() === 'POST'),
      page.locator('#bitrate').selectOption('600'),
    ]);
    assert.equal(request.postData(), '{"bitrate_kbps":600}');
    const refused = await open(t, {answer: {error: 'the encoder is another one\'s'}});
    await becomes(refused, 'playing');
    await refused.locator('#bitrate').selectOption('600');
    await until('the bitrate is what it was', () => refused.locator('#bitrate').evaluate(({value}) => value === '1500'));
  });

  test('names everything, can be read in light and dark, and by fingers on a phone', async (t) => {
    for (const colorScheme of ['light', 'dark']) {
      const page = await open(t, {viewport: PHONE, hasTouch: true, colorScheme});
      await becomes(page, 'playing');
      await isWithoutFaults(page);
    }
  });

  test('has no choice of the bitrate where nothing may be changed', async (t) => {
    const page = await open(t, {settings: {...SETTINGS, read_only: true}});
    await becomes(page, 'playing');
    assert.equal(await page.locator('#bitrate').isVisible(), false);
  });
});

describe('the page of webrtc-ingest', () => {
  const CONFIG = {mode: 'data', exec: false, max_frame_bytes: 1 << 25, ice_servers: [], version: '0'};

  const open = async (t, {config = CONFIG, server = pictureServer, ...options} = {}) => {
    const url = await servePage(t, 'webrtc-ingest', {'GET /api/config': config});
    const page = await openPage(t, browser, url, server, options);
    await page.locator('#start').click();
    return page;
  };
  const came = (page, count) => page.waitForFunction((count) => window.pictures?.length >= count, count);

  test('sends the camera\'s pictures whole and in order', async (t) => {
    const page = await open(t);
    await came(page, 30);
    assert.equal(await textOf(page, 'state'), 'Sending');
    const pictures = await page.evaluate(async () => Promise.all(window.pictures.map(async ({pieces, ...rest}) => {
      const {width, height} = await createImageBitmap(new Blob(pieces, {type: 'image/jpeg'}));
      return {...rest, width, height};
    })));
    const asSent = {label: 'frames', ordered: true, width: 640, height: 480};
    assert.deepEqual(pictures, pictures.map((_, at) => ({number: at + 1, ...asSent})));
    await until('they are counted', async () => Number(await textOf(page, 'answered')) >= 30);
    await until('the way takes a time', async () => /^\d+ ±\d+ ms$/.test(await textOf(page, 'upload')));
    assert.equal(await textOf(page, 'offset'), '90000 ±1 ms');
    assert.equal(await page.locator('#results').isVisible(), false);
    const heard = await page.evaluate(() => sockets[0].heard);
    assert.deepEqual(heard[0], {type: 'hello'});
    const times = heard.filter(({type}) => type === 'times');
    assert.deepEqual(times.slice(0, 30).map(({frame}) => frame), pictures.slice(0, 30).map(({number}) => number));
    assert.ok(times.every(({offset_ms: offset, error_ms: error}) => Math.abs(offset - 90000) < 50 && error < 50));
    assert.deepEqual(page.complaints, []);
  });

  test('shows the newest word large, the ones before it in a list, and the latencies', async (t) => {
    const page = await open(t, {config: {...CONFIG, exec: true}, prepare: () => {
      window.resultOf = (number) => {
        const label = number < 20 ? 'hello' : 'thank you';
        return {objects: number < 10 ? [] : [{label, confidence: 0.9}]};
      };
    }});
    await until('the second word is there', async () => await textOf(page, 'newest') === 'thank you');
    const words = await page.locator('#list .word').allTextContents();
    assert.deepEqual(words, ['thank you', 'hello']);
    for (const id of ['total', 'transfer', 'processing', 'upload']) {
      await until(`there is a figure ${id}`, async () => / ms$/.test(await textOf(page, id)));
    }
    assert.equal(await textOf(page, 'processing'), '12 ms');
  });

  test('skips while the channel is full', async (t) => {
    const page = await open(t, {prepare: () => {
      Object.defineProperty(RTCDataChannel.prototype, 'bufferedAmount', {get: () => (window.isFull ? 500001 : 500000)});
    }});
    await came(page, 3);
    await page.evaluate(() => { window.isFull = true; });
    const count = await page.evaluate(() => pictures.length);
    await until('some are skipped', async () => Number(await textOf(page, 'skipped')) > 5);
    assert.ok(await page.evaluate(() => pictures.length) <= count + 2);
    await page.evaluate(() => { window.isFull = false; });
    await came(page, count + 5);
  });

  test('sends PNG where that is chosen, and by the clock where the browser tells of no picture', async (t) => {
    const page = await open(t, {prepare: () => {
      localStorage.setItem('framepipe.ingest', '{"quality":"png","resolution":"320x240"}');
      delete HTMLVideoElement.prototype.requestVideoFrameCallback;
    }});
    await came(page, 5);
    const head = await page.evaluate(() => [...new Uint8Array(pictures[0].pieces[0]).slice(0, 4)]);
    assert.deepEqual(head, [0x89, 0x50, 0x4e, 0x47]);
  });

  test('goes on after the connection was lost, and its pictures are counted on', async (t) => {
    const page = await open(t);
    await came(page, 5);
    await page.evaluate(() => sockets[0].close(1006));
    await page.waitForFunction(() => sockets.length === 2);
    const last = await page.evaluate(() => window.pictures.at(-1)?.number ?? 0);
    await page.waitForFunction((last) => window.pictures.length > 0 && window.pictures.at(-1).number > last, last);
    await becomes(page, 'sending');
    assert.ok(await page.evaluate(() => pictures[0].number > 5));
  });

  test('tells of a picture that the server cannot use, and goes on', async (t) => {
    const page = await open(t);
    await came(page, 3);
    await page.evaluate(() => sockets[0].say({type: 'damaged', frame: 3, error: 'not a whole JPEG'}));
    await says(page, /^The server cannot use it: picture 3: not a whole JPEG$/);
    const count = await page.evaluate(() => pictures.length);
    await came(page, count + 3);
    assert.equal(await page.evaluate(() => sockets.length), 1);
    await page.evaluate(() => sockets[0].say({type: 'error', error: 'the connection for pictures has ended: no word'}));
    await page.waitForFunction(() => sockets.length === 2);
    await becomes(page, 'sending');
  });

  test('sends the camera\'s track where the server wants that', async (t) => {
    const page = await open(t, {config: {...CONFIG, mode: 'track'}, server: trackServer});
    await page.waitForFunction(() => window.decoded > 10);
    await becomes(page, 'sending');
    await until('they are counted', async () => Number(await textOf(page, 'sent')) > 5);
    assert.equal(await page.locator('#quality').isVisible(), false);
  });

  test('stops at once, and lets go of the camera', async (t) => {
    const page = await open(t);
    await came(page, 3);
    const track = await page.evaluateHandle(() => document.getElementById('preview').srcObject.getVideoTracks()[0]);
    await page.locator('#stop').click();
    assert.equal(await track.evaluate(({readyState}) => readyState), 'ended');
    assert.equal(await state(page), 'off');
    assert.equal(await page.evaluate(() => sockets[0].heard.at(-1).type), 'bye');
    await page.locator('#start').click();
    await came(page, 3);
  });

  test('names itself as it was told to', async (t) => {
    const page = await open(t, {prepare: () => localStorage.setItem('framepipe.ingest', '{"name":"tablet-3"}')});
    await until('the session has its name', async () => await textOf(page, 'session') === 'tablet-3');
  });

  test('says so when the program that works on the pictures has ended, and why, and when it is back', async (t) => {
    const page = await open(t, {config: {...CONFIG, exec: true}});
    await came(page, 3);
    const child = (state, error) => page.evaluate(([state, error]) => sockets[0].say({type: 'child', state, error}), [state, error]);
    const words = () => page.locator('#child').innerText();
    await child('ended', 'exit code 127');
    assert.equal(await words(), 'The program that works on the pictures has ended (exit code 127). It is started again.');
    await child('hung', 'it has not read its input for 30 s');
    assert.match(await words(), /takes no more of them \(it has not read its input for 30 s\)\. It is started again\.$/);
    await child('restarted');
    assert.equal(await words(), 'The program that works on the pictures was started again.');
    await child('ready');
    assert.equal(await words(), '');
  });

  const refusing = (name) =>
    `navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', '${name}'))`;
  for (const [what, prepare, words] of [
    ['a camera that is refused', refusing('NotAllowedError'), /Allow it for this page/],
    ['no camera at all', refusing('NotFoundError'), /No camera is to be found/],
    ['a camera that another program has', refusing('NotReadableError'), /another program or tab/],
    ['a page without https', 'Object.defineProperty(navigator, "mediaDevices", {value: undefined})',
     /https:\/\/ alone.*--tls-cert/],
  ]) {
    test(`says what mends it: ${what}`, async (t) => {
      const page = await open(t, {prepare: `{${prepare}}`});
      await says(page, words);
      assert.equal(await state(page), 'failed');
      assert.ok(await page.locator('#start').isVisible());
      assert.deepEqual(page.complaints, []);
    });
  }

  test('says when the camera is gone, and starts again', async (t) => {
    const page = await open(t);
    await came(page, 3);
    await page.evaluate(() => {
      const [track] = document.getElementById('preview').srcObject.getVideoTracks();
      track.dispatchEvent(new Event('ended'));
    });
    await says(page, /The camera is gone/);
    await page.locator('#start').click();
    await came(page, 3);
    await becomes(page, 'sending');
  });

  test('names everything, can be read in light and dark, and by fingers on a phone', async (t) => {
    for (const colorScheme of ['light', 'dark']) {
      const prepare = () => { window.resultOf = () => ({objects: [{label: 'hello', confidence: 0.9}]}); };
      const config = {...CONFIG, exec: true};
      const page = await open(t, {viewport: PHONE, hasTouch: true, colorScheme, config, prepare});
      await until('there is a word', async () => await textOf(page, 'newest') === 'hello');
      await isWithoutFaults(page);
      await page.locator('#stop').click();
      await isWithoutFaults(page);
    }
  });
});
