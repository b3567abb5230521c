// The viewer page's modules that need no page.
import assert from 'node:assert/strict';
import {afterEach, mock, test} from 'node:test';
import {choicesOf, choose, scaled, wishesOf} from '../../web/choices.js';
import {percent, readDetections, wordsOf} from '../../web/detections.js';
import {Filters} from '../../web/filters.js';
import {arrange} from '../../web/layout.js';
import {colourOf, placeIn} from '../../web/overlay.js';
import {hrefOf, routedCamera} from '../../web/route.js';
import {SPAN_SECONDS, Series, roundAbove} from '../../web/series.js';
import {TileWidth, stepFor} from '../../web/tile-width.js';
import {detectUrl, gridUrl, streamUrl, throughFilter, wallUrl} from '../../web/urls.js';

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

test('pictures through a filter come without boxes of its own, since the page draws them', () => {
  assert.equal(wallUrl({names: ['a'], width: 320, ...throughFilter('faces')}),
               'wall?cameras=a&width=320&filter=faces&overlay=garment');
  assert.equal(wallUrl({names: ['a'], ...throughFilter(null)}), 'wall?cameras=a');
  assert.equal(detectUrl('a', 'faces'), 'detect_once/a?filter=faces&overlay=garment');
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
  assert.deepEqual(choicesOf('kept'), {quality: 'auto', fps: '10', scale: '', boxes: '', transport: ''});
  assert.deepEqual(JSON.parse(localStorage.getItem('framepipe.camera.kept')), choicesOf('kept'));
  assert.deepEqual(choicesOf('other'), {quality: '', fps: '', scale: '', boxes: '', transport: ''});
});

test('choices from the storage that are none of ours are left out', () => {
  globalThis.localStorage = storage({
    'framepipe.camera.odd': '{"quality":"120","fps":5,"scale":"0.5","width":9}',
    'framepipe.camera.broken': '{"quality":',
    'framepipe.camera.null': 'null',
  });
  assert.deepEqual(choicesOf('odd'), {quality: '', fps: '', scale: '0.5', boxes: '', transport: ''});
  assert.deepEqual(choicesOf('broken'), {quality: '', fps: '', scale: '', boxes: '', transport: ''});
  assert.deepEqual(choicesOf('null'), {quality: '', fps: '', scale: '', boxes: '', transport: ''});
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

const read = (...objects) => readDetections([JSON.stringify({model: 'm', ms: 2, objects})])[0].objects;

test('detections are read as they are documented', () => {
  const object = {label: 'person', confidence: 0.906, box: [1, 2, 3.5, 4], keypoints: [[5, 6, 0.7], [8, 9]]};
  const [first, second] = readDetections([
    JSON.stringify({model: 'yolo', ms: 12.3, objects: [object], truncated: true}),
    '{"model":"hands","error":"too dark","objects":[]}',
  ]);
  assert.deepEqual(first, {model: 'yolo', ms: 12.3, error: '', truncated: true, objects: [
    {...object, keypoints: [[5, 6, 0.7], [8, 9, 1]], seconds: null},
  ]});
  assert.deepEqual(second, {model: 'hands', ms: null, error: 'too dark', truncated: false, objects: []});
  assert.equal(wordsOf(first.objects[0]), 'person 91%');
  assert.deepEqual(read({label: 'swipe', confidence: 1, t_start: 3, t_end: 4.5})[0].seconds, [3, 4.5]);
});

test('a header that is no detections is passed over, the others count', () => {
  const texts = ['', '{', 'null', '[]', '{}', '{"objects":{}}', '7', '"text"', '{"objects":[]}', '['.repeat(16000)];
  assert.equal(readDetections(texts).length, 1);
});

test('what is no place is none, and a keypoint that cannot be read keeps its place in the list', () => {
  for (const box of [[1, 2, 3], [1, 2, -3, 4], [1, 2, 0, 4], ['1', 2, 3, 4], [null, 2, 3, 4], {length: 4}, 'abcd', 5]) {
    assert.equal(read({label: 'a', box})[0].box, null, JSON.stringify(box));
  }
  assert.deepEqual(read({keypoints: [[1, 2, 0.5], null, ['x', 1, 1], [3, 4, 'sure']]})[0].keypoints,
                   [[1, 2, 0.5], [0, 0, 0], [0, 0, 0], [3, 4, 0]]);
  assert.deepEqual(read(null, 'text', [], 3, {label: 'a'}).map(({label}) => label), ['a']);
});

test('labels are one short line whatever they hold', () => {
  const label = (text) => read({label: text})[0].label;
  assert.equal(label('a\n\u202eb\u0000c\u200b'), 'a b c');
  assert.equal(label(7), '');
  assert.equal([...label('\u{1f431}'.repeat(500))].length, 48);
  assert.equal(wordsOf(read({})[0]), 'object');
  assert.equal(percent(read({confidence: 1e99})[0].confidence), '100%');
  assert.equal(percent(read({confidence: 'NaN'})[0].confidence), '');
});

test('a label has one colour', () => {
  assert.equal(colourOf('person'), colourOf('person'));
  assert.match(colourOf('\u{1f431}'), /^#[0-9a-f]{6}$/);
  assert.ok(new Set(['person', 'cat', 'dog', 'car', 'cup', 'face'].map(colourOf)).size > 2);
});

test('a picture lies whole in the middle of its room', () => {
  const picture = {width: 640, height: 480};
  assert.deepEqual(placeIn(1000, 480, picture), {x: 180, y: 0, width: 640, height: 480, scale: 1});
  assert.deepEqual(placeIn(320, 480, picture), {x: 0, y: 120, width: 320, height: 240, scale: 0.5});
});

test('a camera is live through a filter that there is, by choice or the first one', () => {
  const filters = new Filters();
  filters.setLive('door', true);
  filters.choose('door', 'hands');
  assert.equal(filters.liveOf('door'), null);
  filters.describe([{name: 'faces', status: 'ready'}, {name: 'hands', status: 'restarting', trouble: 'exit code 69'}]);
  assert.deepEqual(['door', 'yard'].map((camera) => filters.liveOf(camera)), ['hands', null]);
  assert.equal(filters.chosenFor('yard'), 'faces');
  assert.match(filters.problemOf({name: 'door'}), /hands.*exit code 69/);
  assert.equal(filters.problemOf({name: 'yard', isSilent: true}), '');
  filters.describe([{name: 'faces', status: 'busy'}]);
  assert.equal(filters.liveOf('door'), 'faces');
  assert.equal(filters.problemOf({name: 'door', isSilent: false}), '');
  assert.match(filters.problemOf({name: 'door', isSilent: true}), /faces does not answer/);
  filters.describe([{name: 'faces', status: 'starting'}]);  // as it is called until its first answer
  assert.equal(filters.problemOf({name: 'door', isSilent: false}), '');
  assert.match(filters.problemOf({name: 'door', isSilent: true}), /faces is starting/);
  filters.describe(undefined);
  assert.equal(filters.liveOf('door'), null);
});
