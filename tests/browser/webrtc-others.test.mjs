// webrtc-serve and webrtc-ingest with pages that are not ours, of another origin: WHEP, and simple-peer as the manuals show it.
import assert from 'node:assert/strict';
import {writeFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {after, before, describe, test} from 'node:test';
import {IngestServer, PATIENCE_MS, WebrtcServer, camgrab, launchBrowser, temporaryFolder, until, within} from './support.mjs';

const SIMPLE_PEER = fileURLToPath(new URL('node_modules/simple-peer/simplepeer.min.js', import.meta.url));
const CARD = ['-i', `exec:${camgrab('640x480', 30)}`];

let browser;
before(async () => { browser = await launchBrowser(); });
after(() => browser?.close());

/** The origin of a page with nothing in it. */
async function serveNothing(t) {
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><link rel="icon" href="data:,"><video muted playsinline></video>');
  });
  t.after(() => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${server.address().port}`;
}

async function openPage(t, origin, ...scripts) {
  const context = await browser.newContext();
  t.after(() => context.close());
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  await page.goto(origin);
  for (const path of scripts) await page.addScriptTag({path});
  return page;
}

/** Runs in the page: shows `stream`, and resolves to {codec, width, height} once so many of its pictures were decoded. */
function decoded([peer, stream, count]) {
  const video = document.querySelector('video');
  video.srcObject = stream;
  video.play();
  return new Promise((resolve) => {
    const look = async () => {
      const report = await peer.getStats();
      const inbound = [...report.values()].find(({type, kind}) => type === 'inbound-rtp' && kind === 'video');
      if (!(inbound?.framesDecoded >= count && video.videoWidth > 0)) return setTimeout(look, 50);
      const codec = report.get(inbound.codecId).mimeType.replace('video/', '').toLowerCase();
      return resolve({codec, width: video.videoWidth, height: video.videoHeight});
    };
    look();
  });
}

describe('a page of another origin', () => {
  /**
   * Runs in the page: asks for video by WHEP, all candidates in the offer, or by PATCH behind it. Returns what the server
   * said; window.peer and window.stream are there when it was 201.
   */
  async function watch([url, trickles]) {
    const peer = new RTCPeerConnection();
    peer.addTransceiver('video', {direction: 'recvonly'});
    const candidates = new Promise((resolve) => {
      const all = [];
      peer.addEventListener('icecandidate', ({candidate}) => (candidate ? all.push(candidate.candidate) : resolve(all)));
    });
    const track = new Promise((resolve) => { peer.addEventListener('track', resolve, {once: true}); });
    await peer.setLocalDescription();
    const offer = peer.localDescription.sdp;
    if (!trickles) await candidates;
    const headers = {'Content-Type': 'application/sdp'};
    const body = trickles ? offer : peer.localDescription.sdp;
    const response = await fetch(`${url}/whep`, {method: 'POST', headers, body});
    const answer = await response.text();
    if (response.status !== 201) return {status: response.status, answer};
    const session = new URL(response.headers.get('Location'), `${url}/whep`).href;
    await peer.setRemoteDescription({type: 'answer', sdp: answer});
    let patched = null;
    if (trickles) {
      const [, credentials] = /(a=ice-ufrag:.*\r\na=ice-pwd:.*\r\n)/.exec(offer);
      const lines = (await candidates).map((candidate) => `a=${candidate}\r\n`).join('');
      const fragment = `${credentials}m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n${lines}a=end-of-candidates\r\n`;
      patched = (await fetch(session, {
        method: 'PATCH',
        headers: {'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': response.headers.get('ETag')},
        body: fragment,
      })).status;
    }
    window.peer = peer;
    window.stream = new MediaStream([(await track).track]);
    return {status: 201, session, patched};
  }

  for (const [codec, trickles] of [['vp8', false], ['h264', true]]) {
    test(`plays ${codec} by WHEP${trickles ? ' with candidates behind the offer' : ''}, and ends it`, async (t) => {
      const origin = await serveNothing(t);
      const server = await WebrtcServer.start(t, '--codec', codec, '--allow-origin', origin, ...CARD);
      const page = await openPage(t, origin);
      const {status, session, patched} = await page.evaluate(watch, [server.url, trickles]);
      assert.deepEqual([status, patched], [201, trickles ? 204 : null]);
      const arguments_ = await page.evaluateHandle(() => [window.peer, window.stream, 30]);
      assert.deepEqual(await within('pictures', page.evaluate(decoded, arguments_)), {codec, width: 640, height: 480});
      assert.equal((await server.state()).webrtc.connected, 1);
      const ended = await page.evaluate(async (url) => (await fetch(url, {method: 'DELETE'})).status, session);
      assert.equal(ended, 200);
      assert.equal((await server.state()).webrtc.connected, 0);
    });
  }

  test('is given nothing without --allow-origin', async (t) => {
    const server = await WebrtcServer.start(t, ...CARD);
    const page = await openPage(t, await serveNothing(t));
    await assert.rejects(page.evaluate(watch, [server.url, false]), /Failed to fetch/);
    assert.equal((await server.state()).webrtc.connected, 0);
  });
});

describe('simple-peer', () => {
  for (const [what, options, codec] of [
    ['all at once', {trickle: false}, 'vp8'],
    ['candidate by candidate', {trickle: true}, 'h264'],
  ]) {
    test(`plays what webrtc-serve sends, ${what}`, async (t) => {
      const origin = await serveNothing(t);
      const server = await WebrtcServer.start(t, '--codec', codec, '--allow-origin', origin, ...CARD);
      const page = await openPage(t, origin, SIMPLE_PEER);
      // Word for word as webrtc-serve(1) has it, but for the end of it.
      const arguments_ = await page.evaluateHandle(async ([url, options]) => {
        const socket = new WebSocket(url);
        await new Promise((resolve) => { socket.onopen = resolve; });
        const peer = new SimplePeer({initiator: true, ...options});
        peer.on('signal', (data) => socket.send(JSON.stringify(data)));
        socket.onmessage = (event) => peer.signal(JSON.parse(event.data));
        const stream = await new Promise((resolve, reject) => {
          peer.on('error', reject);
          peer.on('stream', resolve);
        });
        window.peer = peer;
        return [peer._pc, stream, 30];
      }, [`${server.url.replace('http', 'ws')}/api/webrtc/ws`, options]);
      assert.deepEqual(await within('pictures', page.evaluate(decoded, arguments_)), {codec, width: 640, height: 480});
      await page.evaluate(() => window.peer.destroy());
      await page.close();
      await until('nobody watches', async () => (await server.state()).webrtc.connected === 0);
    });
  }

  test('sends pictures to webrtc-ingest, and hears what the child says of each', async (t) => {
    const origin = await serveNothing(t);
    const child = join(temporaryFolder(t), 'child.py');
    writeFileSync(child, `
import json, sys
for line in sys.stdin.buffer:
    if line.lower().startswith(b"x-sequence:"):
        print(json.dumps({"sequence": int(line.split(b":")[1]), "label": "seen"}), flush=True)
`);
    const server = await IngestServer.start(t, '--allow-origin', origin, '--exec', `exec python3 ${child}`);
    const page = await openPage(t, origin, SIMPLE_PEER);
    const heard = await within('ten results', page.evaluate(async (url) => {
      const socket = new WebSocket(url);
      await new Promise((resolve) => { socket.onopen = resolve; });
      const peer = new SimplePeer({initiator: true});
      const others = [];
      const results = [];
      peer.on('signal', (data) => socket.send(JSON.stringify(data)));
      await new Promise((resolve, reject) => {
        peer.on('error', reject);
        peer.on('connect', resolve);
        socket.onmessage = ({data}) => {
          const message = JSON.parse(data);
          if (message.type === 'answer') peer.signal(message);
          else (message.type === 'result' ? results : others).push(message);
        };
      });
      const canvas = Object.assign(document.createElement('canvas'), {width: 320, height: 240});
      const context = canvas.getContext('2d');
      for (let number = 1; number <= 10; number += 1) {
        context.fillStyle = `hsl(${number * 36}deg 80% 50%)`;
        context.fillRect(0, 0, 320, 240);
        const blob = await new Promise((resolve) => { canvas.toBlob(resolve, 'image/jpeg', 0.8); });
        const message = new Uint8Array(16 + blob.size);
        const header = new DataView(message.buffer);
        header.setUint32(0, number);
        header.setUint16(6, 1);
        header.setFloat64(8, performance.timeOrigin + performance.now());
        message.set(new Uint8Array(await blob.arrayBuffer()), 16);
        peer.send(message);
        // One after the other: a child that is busy is given the newest alone.
        while (!results.some(({frame}) => frame === number)) await new Promise((resolve) => { setTimeout(resolve, 10); });
      }
      return {frames: results.map(({frame}) => frame), words: results.map(({result}) => result.label), others};
    }, `${server.url.replace('http', 'ws')}/ws`));
    assert.deepEqual(heard.frames, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert.ok(heard.words.every((word) => word === 'seen'));
    assert.deepEqual(heard.others, []);
  });
});
