// Thirty cameras in one tab over TLS: a browser opens six connections to a server and no more, so they come over one: by the
// viewer page and /wall, or as thirty <img> by HTTP/2, which nginx speaks for us.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {PATIENCE_MS, Server, camgrab, launchBrowser, startProgram, temporaryFolder, until} from './support.mjs';
import {Viewer} from './viewer.mjs';

const NAMES = Array.from({length: 30}, (_, number) => `camera${number}`);
// The card has a clock: each frame is another one.
const CAMERAS = NAMES.flatMap((name) => ['--camera', `${name}=exec:${camgrab('160x120', 2)}`]);

let browser;
before(async () => { browser = await launchBrowser('--ignore-certificate-errors'); });
after(() => browser?.close());

function makeCertificate(folder) {
  const [cert, key] = ['cert', 'key'].map((name) => join(folder, name));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
    '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
    {stdio: 'ignore'});
  return {cert, key};
}

/** Waits until each of the elements has shown three pictures: two changes. */
async function allMove(page, selector) {
  const seen = NAMES.map(() => new Set());
  await until(`all of ${selector} have changed twice`, async () => {
    const digests = await page.evaluate(digestsOf, selector);
    digests.forEach((digest, at) => { if (digest !== null) seen[at].add(digest); });
    return digests.length === NAMES.length && seen.every(({size}) => size >= 3);
  }).catch((error) => {
    throw new Error(`${error.message}; pictures of each: ${seen.map(({size}) => size)}`);
  });
}

// Of their pixels; null: nothing is shown yet. Runs in the page.
function digestsOf(selector) {
  return [...document.querySelectorAll(selector)].map((picture) => {
    const [width, height] = [picture.naturalWidth ?? picture.width, picture.naturalHeight ?? picture.height];
    if (!width || !height) return null;
    const context = new OffscreenCanvas(width, height).getContext('2d', {willReadFrequently: true});
    context.drawImage(picture, 0, 0);
    const {data} = context.getImageData(0, 0, width, height);
    return data.some((value, at) => at % 4 !== 3 && value) ? data.reduce((hash, value) => (hash * 31 + value) | 0, 0) : null;
  });
}

const freePort = () => new Promise((resolve) => {
  const listener = createServer().listen(0, '127.0.0.1', () => {
    const {port} = listener.address();
    listener.close(() => resolve(port));
  });
});

/** examples/nginx.conf in front of the server, user 'me', password 'secret'; its address. */
async function startNginx(t, server) {
  const folder = temporaryFolder(t);
  const {cert, key} = makeCertificate(folder);
  const hash = execFileSync('openssl', ['passwd', '-6', 'secret'], {encoding: 'utf8'});
  writeFileSync(join(folder, 'htpasswd'), `me:${hash}`);
  const example = readFileSync(fileURLToPath(new URL('../../examples/nginx.conf', import.meta.url)), 'utf8');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((kind) => `${kind}_temp_path ${join(folder, kind)};`).join(' ');
  const answers = (port) =>
      fetch(`http://127.0.0.1:${port}/`, {signal: AbortSignal.timeout(PATIENCE_MS)}).then(() => true, () => false);
  // nginx takes no port 0, and another program may be quicker with a free one.
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const port = await freePort();
    writeFileSync(join(folder, 'site.conf'), example.replace('listen 443', `listen 127.0.0.1:${port}`)
        .replace('127.0.0.1:8000', `127.0.0.1:${server.port}`)
        .replace(/\/etc\/ssl\/certs\/[^;]*/, cert).replace(/\/etc\/ssl\/private\/[^;]*/, key)
        .replace(/\/etc\/nginx\/cameras.htpasswd;/, `${join(folder, 'htpasswd')};`));
    writeFileSync(join(folder, 'nginx.conf'),
                  `events {} http { access_log off; ${temporary} include ${join(folder, 'site.conf')}; }`);
    const child = startProgram(t, 'nginx', '-p', folder, '-c', 'nginx.conf', '-e', join(folder, 'log'), '-g',
                               `daemon off; master_process off; pid ${join(folder, 'pid')};`);
    let ended = false;
    child.once('exit', () => { ended = true; });
    await until('nginx answers, or has ended', async () => ended || await answers(port));
    if (!ended) return `https://127.0.0.1:${port}`;
  }
  throw new Error('nginx does not start');
}

test('thirty cameras move in one tab over TLS, by the viewer page over one connection', async (t) => {
  const {cert, key} = makeCertificate(temporaryFolder(t));
  const server = await Server.start(t, '--tls-cert', cert, '--tls-key', key, ...CAMERAS);
  assert.match(server.url, /^https:/);
  const viewer = await Viewer.open(t, browser, server);
  await allMove(viewer.page, '.camera .picture');
  await until('nothing is underway but the wall', () => viewer.underway.size === 1);
  assert.deepEqual([...viewer.underway].map((request) => new URL(request.url()).pathname), ['/wall']);
  viewer.assertNoComplaints();
});

test('thirty cameras move in one tab as thirty <img> through nginx, over one connection of HTTP/2', async (t) => {
  const server = await Server.start(t, ...CAMERAS);
  const url = await startNginx(t, server);
  const viewer = await Viewer.open(t, browser, {url}, {
    path: '/healthz', ignoreHTTPSErrors: true, httpCredentials: {username: 'me', password: 'secret'},
  });
  const {page} = viewer;
  assert.equal(await page.evaluate(() => performance.getEntriesByType('navigation')[0].nextHopProtocol), 'h2');
  await page.evaluate((names) => {
    for (const name of names) document.body.append(Object.assign(new Image(), {src: `/stream/${name}`}));
  }, NAMES);
  await allMove(page, 'img');
  assert.equal((await server.state()).viewers.length, NAMES.length);
  viewer.assertNoComplaints(/404/);  // a page of JSON names no icon
});
