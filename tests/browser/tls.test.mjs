// The viewer page over https://, with a certificate that the browser is told to take.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {Server, camgrab, launchBrowser, temporaryFolder, until} from './support.mjs';
import {Viewer} from './viewer.mjs';

let browser;
before(async () => { browser = await launchBrowser('--ignore-certificate-errors'); });
after(() => browser?.close());

test('the page shows moving pictures over https, by one connection and without a complaint', async (t) => {
  const folder = temporaryFolder(t);
  const [cert, key] = ['cert', 'key'].map((name) => join(folder, name));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
    '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
    {stdio: 'ignore'});
  const server = await Server.start(t, '--tls-cert', cert, '--tls-key', key, '--camera',
    `door=exec:${camgrab('320x240', 10)}`, '--camera', `yard=exec:${camgrab('480x270', 5)}`);
  assert.match(server.url, /^https:/);
  const viewer = await Viewer.open(t, browser, server);
  await viewer.isLive('door', 'yard');
  await until('there is a frame rate', async () => parseFloat(await viewer.figure('door', 'fps')) > 0);
  assert.ok(await viewer.page.evaluate(() => isSecureContext));
  await until('nothing is underway but the wall', () => viewer.underway.size === 1);
  assert.deepEqual([...viewer.underway].map((request) => request.url()), [`${server.url}/wall`]);
  viewer.assertNoComplaints();
});
