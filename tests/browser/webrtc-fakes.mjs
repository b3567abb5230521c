// Pages of web/ without their programs: files from the sources, and a server's end of WebRTC that lives in the page itself.
import {readFile} from 'node:fs/promises';
import {createServer} from 'node:http';
import {PATIENCE_MS} from './support.mjs';

const WEB = new URL('../../web/', import.meta.url);
const TYPES = {html: 'text/html', css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml'};

/** Serves the page of `tool` at / as the program does; `answers` by "METHOD path" are JSON. Returns its address. */
export async function servePage(t, tool, answers) {
  const server = createServer(async ({method, url}, response) => {
    const path = new URL(url, 'http://page').pathname;
    const answer = answers[`${method} ${path}`];
    const file = path === '/' ? `${tool}/index.html` : path.replace(/^\/assets\//, '');
    const body = answer ? JSON.stringify(answer) : await readFile(new URL(file, WEB)).catch(() => null);
    const status = answer?.error ? 403 : 200;
    response.writeHead(body === null ? 404 : status, {
      'Content-Type': answer ? 'application/json' : TYPES[file.split('.').pop()] ?? 'text/plain',
      'Content-Security-Policy': "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'self'",
    });
    response.end(body ?? '');
  });
  t.after(() => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${server.address().port}/`;
}

/** A tab in which WebSockets lead to `makeServer`, run in the page: it gets say(message) and returns hear(message). */
export async function openPage(t, browser, url, makeServer, {prepare, ...options} = {}) {
  const context = await browser.newContext({viewport: {width: 1000, height: 700}, ...options});
  t.after(() => context.close());
  context.setDefaultTimeout(PATIENCE_MS);
  await context.addInitScript(`(${fakeWebSockets})(${makeServer})`);
  if (prepare) await context.addInitScript(prepare);
  const page = await context.newPage();
  page.complaints = [];
  page.on('pageerror', (error) => page.complaints.push(error.stack));
  page.on('console', (message) => { if (message.type() === 'error') page.complaints.push(message.text()); });
  await page.goto(url);
  return page;
}

/** Runs in a page: WebSockets lead to `makeServer` from then on. */
export function fakeWebSockets(makeServer) {
  window.sockets = [];
  window.WebSocket = class extends EventTarget {
    static OPEN = 1;
    readyState = 0;
    heard = [];

    constructor(url) {
      super();
      this.url = url;
      window.sockets.push(this);
      setTimeout(() => {
        if (this.readyState !== 0) return;
        this.hear = makeServer((message) => this.say(message), this);
        this.readyState = 1;
        this.dispatchEvent(new Event('open'));
      });
    }

    say(message) {
      if (this.readyState === 1) this.dispatchEvent(new MessageEvent('message', {data: JSON.stringify(message)}));
    }

    send(text) {
      const message = JSON.parse(text);
      if (message.type === 'ping') {
        this.say({type: 'pong', t: message.t, server: performance.timeOrigin + performance.now() + 90000});
      } else {
        this.heard.push(message);
        this.hear(message);
      }
    }

    close(code = 1000) {
      if (this.readyState === 3) return;
      this.readyState = 3;
      setTimeout(() => this.dispatchEvent(new CloseEvent('close', {code})));
    }
  };
}

/** For openPage(): answers an offer and sends a moving picture, as a webrtc-serve does. */
export function videoServer(say) {
  const canvas = Object.assign(document.createElement('canvas'), {width: 320, height: 240});
  const context = canvas.getContext('2d');
  let turn = 0;
  const timer = setInterval(() => {
    context.fillStyle = `hsl(${turn += 7}deg 80% 50%)`;
    context.fillRect(0, 0, 320, 240);
  }, 33);
  const peer = new RTCPeerConnection();
  const [track] = canvas.captureStream(30).getVideoTracks();
  peer.addEventListener('connectionstatechange', () => { if (peer.connectionState === 'closed') clearInterval(timer); });
  const described = async () => {
    if (peer.iceGatheringState !== 'complete') {
      await new Promise((resolve) => peer.addEventListener('icegatheringstatechange', () => {
        if (peer.iceGatheringState === 'complete') resolve();
      }));
    }
    return peer.localDescription.toJSON();
  };
  return async (message) => {
    if (message.type === 'offer') {
      if (!window.offersItself) await peer.setRemoteDescription(message);
      peer.addTrack(track);
      await peer.setLocalDescription();
      say(await described());
    } else if (message.type === 'answer') {
      await peer.setRemoteDescription(message);
    } else if (message.type === 'ice-candidate') {
      await peer.addIceCandidate(message.candidate).catch(() => {});
    } else if (message.type === 'figures') {
      const newest = {rtp: null, captured_ms: window.capturedMs ?? null, sequence: null};
      const tell = () => say({type: 'figures', frames_sent: 9, dropped: 4, bitrate_kbps: 1500, viewers: 2, ...newest});
      tell();
      setInterval(() => { newest.captured_ms = window.capturedMs ?? null; tell(); }, message.every_ms);
    } else if (message.type === 'bye') {
      peer.close();
    }
  };
}

/** For openPage(): puts pictures together and says that they came, or `window.resultOf(number)` about each. */
export function pictureServer(say) {
  window.pictures = [];
  const peer = new RTCPeerConnection();
  const open = new Map();
  const serverNow = () => performance.timeOrigin + performance.now() + 90000;
  peer.addEventListener('datachannel', ({channel}) => {
    channel.binaryType = 'arraybuffer';
    channel.addEventListener('message', ({data}) => {
      const header = new DataView(data);
      const [number, index, count] = [header.getUint32(0), header.getUint16(4), header.getUint16(6)];
      const pieces = open.get(number) ?? open.set(number, []).get(number);
      pieces[index] = data.slice(16);
      if (pieces.filter(Boolean).length < count) return;
      open.delete(number);
      const times = {frame: number, T_start: header.getFloat64(8), T_receive: serverNow()};
      window.pictures.push({number, pieces, label: channel.label, ordered: channel.ordered});
      const result = window.resultOf?.(number);
      say(result ? {type: 'result', ...times, T_inference: serverNow() + 12, result} : {type: 'received', ...times});
    });
  });
  return async (message) => {
    if (message.type === 'hello') {
      say({type: 'session', session: 's-1a2b3c', name: message.name ?? ''});
    } else if (message.type === 'offer') {
      await peer.setRemoteDescription(message);
      await peer.setLocalDescription(await peer.createAnswer());
      say(peer.localDescription.toJSON());
      peer.addEventListener('icecandidate', ({candidate}) => { if (candidate) say({type: 'ice-candidate', candidate}); });
    } else if (message.type === 'ice-candidate') {
      await peer.addIceCandidate(message.candidate).catch(() => {});
    } else if (message.type === 'bye') {
      peer.close();
    }
  };
}

/** For openPage(): takes a track of video and counts its pictures in `window.decoded`. */
export function trackServer(say) {
  const peer = new RTCPeerConnection();
  window.decoded = 0;
  setInterval(async () => {
    for (const entry of (await peer.getStats()).values()) {
      if (entry.type === 'inbound-rtp') window.decoded = entry.framesDecoded ?? 0;
    }
  }, 100);
  return async (message) => {
    if (message.type === 'offer') {
      await peer.setRemoteDescription(message);
      await peer.setLocalDescription();
      say(peer.localDescription.toJSON());
      peer.addEventListener('icecandidate', ({candidate}) => { if (candidate) say({type: 'ice-candidate', candidate}); });
    } else if (message.type === 'ice-candidate') {
      await peer.addIceCandidate(message.candidate).catch(() => {});
    }
  };
}
