// One WebRTC session for each connection of a WebSocket, with the JSON of webrtc-serve(1) and webrtc-ingest(1).
import {LastingSocket} from './lasting-socket.js';

const CONNECT_MS = 15000;     // for a way to be found, as the server waits
const INTERRUPTED_MS = 4000;  // what is 'disconnected' often comes back by itself

/** The WebSocket at `path` of the server whose page is at `url`. */
export function socketUrl(path, url) {
  const address = new URL(path, url);
  address.protocol = address.protocol.replace('http', 'ws');
  return address.href;
}

/**
 * Whatever is lost, the socket or the way of the media, both are made anew.
 *
 * `url`: of the WebSocket. `iceServers`: as for RTCPeerConnection. `tool`: the server's program, for the words that help.
 * onPeer(peer): adds to a new RTCPeerConnection what is to be offered. onConnected(peer): a way was found; also again
 * after an interruption. onMessage(message): one of the server's that is none of the session's own. onLost(problem): the
 * peer is closed, an Error says why; another one will come. onError(text): the server complains; returns whether the
 * session can go on all the same.
 */
export class PeerSession {
  peer = null;  // the one that there is now
  #socket;
  #iceServers;
  #tool;
  #on;
  #early = [];  // the server's candidates that came before its answer
  #timer = 0;

  constructor({url, iceServers, tool, onPeer, onConnected, onMessage, onLost, onError = () => false}) {
    this.#iceServers = iceServers;
    this.#tool = tool;
    this.#on = {peer: onPeer, connected: onConnected, message: onMessage, error: onError};
    this.#socket = new LastingSocket({
      url,
      onOpen: () => this.#begin(),
      onMessage: (message) => this.#receive(message),
      onLost: (problem) => { this.#hangUp(); onLost(problem); },
    });
  }

  /** The server's clock. */
  get clock() {
    return this.#socket.clock;
  }

  open() {
    this.#socket.open();
  }

  close() {
    this.#socket.close({type: 'bye'});
    this.#hangUp();
  }

  send(message) {
    return this.#socket.send(message);
  }

  /** It does not do what it is for: another one. */
  fail(problem) {
    this.#socket.fail(problem);
  }

  /** It does. */
  settle() {
    this.#socket.settle();
  }

  async #begin() {
    this.#hangUp();
    const peer = new RTCPeerConnection({iceServers: this.#iceServers});
    this.peer = peer;
    this.#on.peer(peer);
    peer.addEventListener('icecandidate', ({candidate}) => {
      if (peer === this.peer && candidate?.candidate) this.send({type: 'ice-candidate', candidate: candidate.toJSON()});
    });
    peer.addEventListener('connectionstatechange', () => this.#follow(peer));
    this.#expect(CONNECT_MS, 'the server answers, and no way was found for the pictures. Does a firewall stop UDP? '
        + `${this.#tool} --ice-address and --turn are for that`);
    try {
      await peer.setLocalDescription(await peer.createOffer());
      if (peer === this.peer) this.send({type: 'offer', sdp: peer.localDescription.sdp});
    } catch (error) {
      if (peer === this.peer) this.fail(error);
    }
  }

  async #receive(message) {
    const {peer} = this;
    if (!peer) return;
    try {
      switch (message.type) {
        case 'answer':
          await peer.setRemoteDescription({type: 'answer', sdp: message.sdp});
          await this.#takeEarly(peer);
          break;
        case 'offer':
          await peer.setRemoteDescription({type: 'offer', sdp: message.sdp});
          await this.#takeEarly(peer);
          await peer.setLocalDescription(await peer.createAnswer());
          if (peer === this.peer) this.send({type: 'answer', sdp: peer.localDescription.sdp});
          break;
        case 'ice-candidate':
        case 'candidate':
          await this.#takeCandidate(peer, message.candidate);
          break;
        case 'error':
          this.#takeError(String(message.error ?? 'the server refused'));
          break;
        default:
          this.#on.message(message);
      }
    } catch (error) {
      if (peer === this.peer) this.fail(new Error(`the server's ${message.type} is no use: ${error.message}`));
    }
  }

  #takeError(text) {
    if (!this.#on.error(text)) this.fail(new Error(text));
  }

  async #takeCandidate(peer, candidate) {
    if (!candidate?.candidate) return;
    if (peer.remoteDescription === null) this.#early.push(candidate);
    else await peer.addIceCandidate(candidate).catch(() => {});  // of another kind of network: others will do
  }

  async #takeEarly(peer) {
    for (const candidate of this.#early.splice(0)) await this.#takeCandidate(peer, candidate);
  }

  #follow(peer) {
    if (peer !== this.peer) return;
    switch (peer.connectionState) {
      case 'connected':
        clearTimeout(this.#timer);
        this.#on.connected(peer);
        break;
      case 'disconnected':
        this.#expect(INTERRUPTED_MS, 'the connection for the pictures was interrupted');
        break;
      case 'failed':
      case 'closed':
        this.fail(new Error('the connection for the pictures was lost'));
        break;
    }
  }

  #expect(milliseconds, text) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.fail(new Error(text)), milliseconds);
  }

  #hangUp() {
    clearTimeout(this.#timer);
    this.#early = [];
    const {peer} = this;
    this.peer = null;
    peer?.close();
  }
}
