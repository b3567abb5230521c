// Stands in front of mjpeg-serve and answers what it does not answer yet: cameras are started, stopped, added and
// removed, and the figures tell of it. Its own cameras cannot be changed, so what is changed here is what is passed on.
// Tests know startControlled() alone: where the server can do it all, that is Server.start() with the right options.
import {once} from 'node:events';
import {createServer, request as ask} from 'node:http';
import {MultipartParser, boundaryOf} from '../../web/multipart.js';
import {Server} from './support.mjs';

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const START_MS = 10000;  // for a camera that is being added

/** The same as Server.start(), of a server that lets its viewers do all that. */
export async function startControlled(t, ...arguments_) {
  const controlled = new Controlled(await Server.start(t, ...arguments_));
  await controlled.start(t);
  return controlled;
}

class Controlled {
  url;
  #server;
  #cameras = new Map();  // name: {name, url, path, stopped, added}
  #walls = new Set();

  constructor(server) {
    this.#server = server;
  }

  async start(t) {
    for (const {name} of (await this.#server.state()).cameras) this.#cameras.set(name, {name, url: this.#server.url});
    const front = createServer((request, response) => this.#handle(request, response));
    front.listen(0, '127.0.0.1');
    await once(front, 'listening');
    this.url = `http://127.0.0.1:${front.address().port}`;
    t.after(() => {
      for (const wall of this.#walls) wall.close();
      front.close();
      front.closeAllConnections();
    });
  }

  async #handle(request, response) {
    const {pathname, searchParams} = new URL(request.url, this.url);
    const [, switched] = /^\/api\/camera\/(start|stop)$/.exec(pathname) ?? [];
    const [, name] = /^\/api\/camera\/cameras\/([^/]+)$/.exec(pathname) ?? [];
    const answer = (status, body) => response.writeHead(status, {'Content-Type': 'application/json'})
        .end(JSON.stringify(body));
    if (request.method === 'POST' && switched) this.#switch(searchParams.get('camera'), switched === 'stop', answer);
    else if (request.method === 'POST' && name) await this.#add(name, searchParams.get('source') ?? '0', answer);
    else if (request.method === 'DELETE' && name) this.#remove(name, answer);
    else if (pathname === '/wall') this.#openWall(searchParams, response, answer);
    else this.#pass(request, response);
  }

  #switch(name, stopped, answer) {
    const camera = this.#cameras.get(name);
    if (!camera) return answer(404, {error: `no camera '${name}' here`});
    camera.stopped = stopped;
    for (const wall of this.#walls) wall.tell();
    answer(200, {status: stopped ? 'stopped' : 'started'});
  }

  async #add(name, source, answer) {
    if (!NAME.test(name)) return answer(400, {error: 'a name is up to 64 letters, digits, - and _'});
    if (!source.startsWith('http://127.0.0.1:')) return answer(403, {error: `the source '${source}' is not allowed`});
    const {origin} = new URL(source);
    try {
      await fetch(`${origin}/snapshot`, {signal: AbortSignal.timeout(START_MS)});
    } catch {
      return answer(502, {error: `${source}: connection refused`});
    }
    this.#cameras.set(name, {name, url: origin, added: true});
    for (const wall of this.#walls) wall.appear(this.#cameras.get(name));
    answer(200, {status: 'added', name});
  }

  #remove(name, answer) {
    this.#cameras.delete(name);
    for (const wall of this.#walls) wall.tell();
    answer(200, {status: 'removed', name});
  }

  #openWall(query, response, answer) {
    const names = query.get('cameras')?.split(',');
    const missing = names?.find((name) => !this.#cameras.has(name));
    if (missing) return answer(404, {error: `no camera '${missing}' here`});
    const wall = new Wall(response, query, names, this.#cameras);
    this.#walls.add(wall);
    response.once('close', () => {
      this.#walls.delete(wall);
      wall.close();
    });
  }

  #pass(request, response) {
    const {method, headers, url} = request;
    const passed = ask(`${this.#server.url}${url}`, {method, headers}, (reply) => {
      response.writeHead(reply.statusCode, reply.headers);
      reply.pipe(response);
    });
    passed.on('error', () => response.destroy());
    response.once('close', () => passed.destroy());
    request.pipe(passed);
  }
}

// What one viewer of /wall gets: pictures from the walls behind it, and figures about them all.
class Wall {
  #response;
  #query;
  #names;     // undefined: all
  #cameras;
  #sources = new Map();  // by URL: {request, figures}
  #lastJpeg = new Map();
  #told = new Set();     // stopped cameras whose card was sent

  constructor(response, query, names, cameras) {
    [this.#response, this.#query, this.#names, this.#cameras] = [response, query, names, cameras];
    response.writeHead(200, {'Content-Type': 'multipart/mixed; boundary=frame', 'Cache-Control': 'no-store'});
    for (const camera of cameras.values()) this.appear(camera);
  }

  close() {
    for (const {request} of this.#sources.values()) request.destroy();
  }

  appear({url}) {
    if (this.#sources.has(url)) return;
    const query = new URLSearchParams(this.#query);
    query.delete('cameras');
    const source = {figures: null};
    source.request = ask(`${url}/wall?${query}`, (reply) => {
      const parser = new MultipartParser(boundaryOf(reply.headers['content-type']), (part) => this.#part(url, part));
      reply.on('data', (chunk) => parser.push(chunk));
    });
    source.request.on('error', () => this.#response.destroy());
    source.request.end();
    this.#sources.set(url, source);
  }

  #part(url, {headers, body}) {
    if (headers.get('content-type') === 'application/json') {
      this.#sources.get(url).figures = JSON.parse(Buffer.from(body).toString());
      return this.tell();
    }
    const camera = [...this.#cameras.values()]
        .find((camera) => camera.url === url && (camera.added || camera.name === headers.get('x-camera')));
    if (!camera || (this.#names && !this.#names.includes(camera.name))) return;
    this.#lastJpeg.set(camera.name, body);
    if (!camera.stopped) this.#send(new Map(headers).set('x-camera', camera.name), body);
  }

  /** Figures, and cards of what is stopped. */
  tell() {
    const known = [...this.#sources.values()].map(({figures}) => figures).filter(Boolean);
    if (known.length === 0) return;
    const cameras = [...this.#cameras.values()].flatMap(({name, url, stopped, added}) => {
      const figures = this.#sources.get(url)?.figures?.cameras.find((entry) => added || entry.name === name);
      if (!figures) return [];
      return [{...figures, name, ...(stopped && {status: 'stopped', reason: 'stopped by a viewer'})}];
    });
    const figures = {...known[0], server: {...known[0].server, control: true, can_add: true}, cameras};
    this.#send(new Map([['content-type', 'application/json']]), Buffer.from(JSON.stringify(figures)));
    for (const {name, stopped} of this.#cameras.values()) {
      if (!stopped) this.#told.delete(name);
      else if (!this.#told.has(name) && this.#lastJpeg.has(name)) {
        this.#told.add(name);
        const card = [['content-type', 'image/jpeg'], ['x-camera', name], ['x-signal', 'card']];
        this.#send(new Map(card), this.#lastJpeg.get(name));
      }
    }
  }

  #send(headers, body) {
    if (this.#response.writableNeedDrain && headers.has('x-camera')) return;  // the next picture will do
    headers.set('content-length', body.length);
    const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`).join('');
    this.#response.write(Buffer.concat([Buffer.from(`--frame\r\n${lines}\r\n`), body, Buffer.from('\r\n')]));
  }
}
