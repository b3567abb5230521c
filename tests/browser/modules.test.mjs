// The viewer page's modules that need no page.
import assert from 'node:assert/strict';
import {afterEach, mock, test} from 'node:test';
import {choicesOf, choose, scaled, wishesOf} from '../../web/choices.js';
import {arrange} from '../../web/layout.js';
import {hrefOf, routedCamera} from '../../web/route.js';
import {SPAN_SECONDS, Series, roundAbove} from '../../web/series.js';
import {TileWidth, stepFor} from '../../web/tile-width.js';
import {gridUrl, streamUrl, wallUrl} from '../../web/urls.js';

afterEach(() => {
  mock.timers.reset();
  delete globalThis.localStorage;
});

/** As a browser's, which gives and takes text. */
function storage(entries = {}) {
  const map = new Map(Object.entries(entries));
  return {getItem: (key) => map.get(key) ?? null, setItem: (key, text) => map.set(key, text)};
}

test('an address names a camera or means the grid', () => {
  assert.equal(routedCamera(hrefOf('front-door_2')), 'front-door_2');
  for (const grid of ['', '#', '#/', '#/camera/', '#/camera/a/b', '#/cameras/a', '#/camera/%']) {
    assert.equal(routedCamera(grid), null, grid);
  }
});

test('what is not wished for is not in the query', () => {
  assert.equal(wallUrl({}), 'wall');
  assert.equal(wallUrl({fps: 0, quality: '', width: null}), 'wall');
  assert.equal(wallUrl({width: 640, quality: 'auto', fps: '5', names: ['a', 'b']}),
               'wall?cameras=a,b&fps=5&quality=auto&width=640');
  assert.equal(streamUrl('door', {}), 'stream/door');
  assert.equal(streamUrl('door', {quality: '30'}), 'stream/door?quality=30');
});

test('the grid asks for a width only if a camera has more, and names cameras only if some are paused', () => {
  const [small, large] = [{name: 'small', size: {width: 320}}, {name: 'large', size: {width: 1920}}];
  const unknown = {name: 'unknown', size: null};
  assert.equal(gridUrl([small, unknown], {fps: 0, step: 320}), 'wall');
  assert.equal(gridUrl([small, large, unknown], {fps: 5, step: 640}), 'wall?fps=5&width=640');
  assert.equal(gridUrl([small, large], {fps: 0, step: 0}), 'wall');
  assert.equal(gridUrl([small, {...large, paused: true}], {fps: 0, step: 640}), 'wall?cameras=small');
  assert.equal(gridUrl([], {fps: 0, step: 640}), 'wall');
});

test('choices are kept for each camera', () => {
  globalThis.localStorage = storage();
  choose('kept', {quality: 'auto'});
  choose('kept', {fps: '10'});
  assert.deepEqual(choicesOf('kept'), {quality: 'auto', fps: '10', scale: ''});
  assert.deepEqual(JSON.parse(localStorage.getItem('framepipe.camera.kept')), choicesOf('kept'));
  assert.deepEqual(choicesOf('other'), {quality: '', fps: '', scale: ''});
});

test('choices from the storage that are none of ours are left out', () => {
  globalThis.localStorage = storage({
    'framepipe.camera.odd': '{"quality":"120","fps":5,"scale":"0.5","width":9}',
    'framepipe.camera.broken': '{"quality":',
    'framepipe.camera.null': 'null',
  });
  assert.deepEqual(choicesOf('odd'), {quality: '', fps: '', scale: '0.5'});
  assert.deepEqual(choicesOf('broken'), {quality: '', fps: '', scale: ''});
  assert.deepEqual(choicesOf('null'), {quality: '', fps: '', scale: ''});
});

test('without a storage, and with a full one, choices hold as long as the page', () => {
  choose('nowhere', {quality: '50'});
  assert.equal(choicesOf('nowhere').quality, '50');
  globalThis.localStorage = {...storage(), setItem: () => { throw new Error('QuotaExceededError'); }};
  choose('full', {quality: '60'});
  assert.equal(choicesOf('full').quality, '60');
});

test('a share of the resolution is an even width, and none while the width is not known', () => {
  choose('share', {scale: '0.75'});
  assert.equal(wishesOf('share', 1278).width, 958);
  assert.equal(wishesOf('share', null).width, 0);
  assert.equal(scaled(641, ''), 642);
  assert.equal(scaled(1, '0.25'), 2);
});

test('tiles ask for the least step that fills them', () => {
  assert.deepEqual([1, 320, 320.4, 321, 960, 1280, 1281].map(stepFor), [320, 320, 320, 480, 960, 1280, 0]);
});

test('a step counts when the tiles have been steady for a second', () => {
  mock.timers.enable({apis: ['setTimeout']});
  let changes = 0;
  const tiles = new TileWidth(() => { changes += 1; });
  for (const width of [300, 500, 900]) {
    tiles.observe(width);
    mock.timers.tick(900);
  }
  assert.deepEqual([tiles.step, changes], [0, 0]);
  mock.timers.tick(100);
  assert.deepEqual([tiles.step, changes], [960, 1]);

  tiles.observe(300);  // dragged to and fro
  tiles.observe(900);
  tiles.observe(0);    // and out of sight
  mock.timers.tick(5000);
  assert.deepEqual([tiles.step, changes], [960, 1]);
});

test('a series holds a minute and knows its gaps', () => {
  const series = new Series();
  series.add(0, 99);
  for (let time = SPAN_SECONDS + 1; time <= SPAN_SECONDS + 10; time += 1) series.add(time, time === 65 ? null : time);
  series.add(SPAN_SECONDS + 20, 20);  // after silence
  assert.equal(series.largest, 70);
  const runs = series.runs(80).map((run) => run.map(({age, value}) => [age, value]));
  assert.deepEqual(runs.map((run) => run.length), [4, 5, 1]);
  assert.deepEqual(runs[0][0], [19, 61]);
  assert.deepEqual(runs[2], [[0, 20]]);
});

test('a series of nothing known has no largest value', () => {
  const series = new Series();
  series.add(0, null);
  series.add(1, NaN);
  assert.equal(series.largest, null);
  assert.deepEqual(series.runs(1), []);
});

test('a scale ends at a round number', () => {
  assert.deepEqual([0.1, 0.11, 1, 5.1, 30.1, 1e6, 1.2e6].map((value) => Number(roundAbove(value).toPrecision(6))),
                   [0.1, 0.15, 1, 6, 40, 1e6, 1.5e6]);
});

test('cards are as large as they can be with all in sight, and never too small to use', () => {
  const room = {width: 3840, height: 2160, gap: 4, chrome: 0, ratio: 16 / 9, narrowest: 96};
  assert.equal(arrange({...room, count: 9}).columns, 3);
  assert.equal(arrange({...room, count: 16}).columns, 4);
  const phone = {...room, width: 360, height: 700, narrowest: 340};
  assert.deepEqual(arrange({...phone, count: 40}), {columns: 1, cardWidth: 360});
});
