// How old is the picture that a browser shows of webrtc-serve? Chromium watches the test card, whose bar tells the time: it
// crosses the picture in two seconds.
//
//   node latency.mjs URL [SECONDS]      URL is webrtc-serve's, with camgrab test in front of it on this very machine
//
// Prints a line of JSON with the ages in milliseconds. Needs tests/browser/node_modules.
import {createRequire} from 'node:module';

const require = createRequire(new URL('../../tests/browser/package.json', import.meta.url));
const {chromium} = require('playwright-core');

const [url, seconds = '10'] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--autoplay-policy=no-user-gesture-required'],
});
const page = await browser.newPage();
await page.goto(new URL('healthz', url).href);
const outcome = await page.evaluate(async (milliseconds) => {
  const video = document.createElement('video');
  video.muted = true;
  const peer = new RTCPeerConnection();
  peer.addTransceiver('video', {direction: 'recvonly'});
  const began = performance.now();
  let firstMs = null;
  const arrived = new Promise((resolve) => {
    peer.ontrack = ({track}) => {
      video.srcObject = new MediaStream([track]);
      video.play();
      resolve();
    };
  });
  await peer.setLocalDescription();
  await new Promise((resolve) => {
    peer.onicegatheringstatechange = () => peer.iceGatheringState === 'complete' && resolve();
    setTimeout(resolve, 2000);
  });
  const answer = await fetch('/whep', {
    method: 'POST', headers: {'Content-Type': 'application/sdp'}, body: peer.localDescription.sdp,
  });
  if (answer.status !== 201) throw new Error(await answer.text());
  await peer.setRemoteDescription({type: 'answer', sdp: await answer.text()});
  await arrived;

  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', {willReadFrequently: true});
  // Where the white bar begins: over the whole height that it has, brighter than the white of the bars behind it.
  const barAt = () => {
    const {videoWidth: width, videoHeight: height} = video;
    canvas.width = width;
    canvas.height = height;
    context.drawImage(video, 0, 0);
    const {data} = context.getImageData(0, Math.round(height * 0.3), width, 1);
    const barPx = Math.max(4, Math.floor(width / 40 / 2) * 2);
    let run = 0;
    for (let x = 0; x < width; ++x) {
      const bright = data[4 * x] > 246 && data[4 * x + 1] > 246 && data[4 * x + 2] > 246;
      run = bright ? run + 1 : 0;
      if (run >= barPx / 2 - 1) return {x: x - run + 1, width, barPx};
    }
    return null;
  };
  const ages = [];
  await new Promise((resolve) => {
    const until = performance.now() + milliseconds;
    const look = () => {
      const now = performance.timeOrigin + performance.now();
      firstMs ??= performance.now() - began;
      const bar = barAt();
      // Not where it enters or leaves: it is cut there.
      if (bar && bar.x > bar.barPx && bar.x < bar.width - 2 * bar.barPx) {
        const shownMs = (bar.x + bar.barPx) * 2000 / (bar.width + bar.barPx);
        const age = ((now % 2000) - shownMs + 2000) % 2000;
        ages.push(age > 1900 ? age - 2000 : age);
      }
      if (performance.now() > until) return resolve();
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  });
  const stats = [...(await peer.getStats()).values()].find((entry) => entry.type === 'inbound-rtp');
  ages.sort((a, b) => a - b);
  const at = (share) => Math.round(10 * ages[Math.min(ages.length - 1, Math.floor(share * ages.length))]) / 10;
  return {
    pictures: ages.length, medianMs: at(0.5), p95Ms: at(0.95), mostMs: at(1), firstPictureMs: Math.round(firstMs),
    decoded: stats.framesDecoded, dropped: stats.framesDropped, lost: stats.packetsLost,
  };
}, Number(seconds) * 1000);
console.log(JSON.stringify(outcome));
await browser.close();
