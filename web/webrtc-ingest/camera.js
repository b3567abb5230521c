// The camera of this machine, and in words why there is none.

const FACING = {back: 'environment', front: 'user'};

/** What getUserMedia() is asked for. `camera`: 'back', 'front', or 'id:' and a device's. `size`: '640x480'. */
export function constraintsOf({camera, size, fps}) {
  const [width, height] = size.split('x').map(Number);
  const which = camera.startsWith('id:') ? {deviceId: {exact: camera.slice(3)}} : {facingMode: {ideal: FACING[camera]}};
  return {video: {...which, width: {ideal: width}, height: {ideal: height}, frameRate: {ideal: fps}}, audio: false};
}

/** Why there is no picture, and what mends it. `error` as getUserMedia() throws it; null: the page is not allowed to ask. */
export function wordsFor(error, address) {
  if (error === null) {
    return `Browsers give a camera to pages of https:// alone, and this is ${address}. Start webrtc-ingest with --tls-cert `
        + 'and --tls-key (framepipe-dev-cert makes both), and open the page by https://';
  }
  switch (error.name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'The browser may not use the camera. Allow it for this page (the sign before its address, or the settings of '
          + 'the browser and of the device), then press Start';
    case 'NotFoundError':
      return 'No camera is to be found. Plug one in, then press Start';
    case 'NotReadableError':
    case 'AbortError':
      return 'The camera cannot be opened: another program or tab may have it. Close that, then press Start';
    case 'OverconstrainedError':
      return 'That camera is not there any more, or has no such pictures. Choose another one';
    default:
      return `The camera cannot be opened: ${error.message || error.name}`;
  }
}

/**
 * One stream at a time. onLost(words): the camera went away by itself. onList(cameras): those that there are, as
 * {id, label}; labels are '' before the user has allowed one.
 */
export class CameraSource {
  stream = null;
  #onLost;
  #onList;
  #attempt = 0;

  constructor({onLost, onList}) {
    this.#onLost = onLost;
    this.#onList = onList;
    navigator.mediaDevices?.addEventListener?.('devicechange', () => this.list());
  }

  /** Throws an Error whose message is for people. */
  async open(wishes) {
    this.close();
    if (!navigator.mediaDevices?.getUserMedia) throw new Error(wordsFor(null, location.origin));
    const attempt = this.#attempt;
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia(constraintsOf(wishes));
    } catch (error) {
      throw new Error(wordsFor(error, location.origin));
    }
    if (attempt !== this.#attempt) {  // closed, or opened anew meanwhile
      for (const track of stream.getTracks()) track.stop();
      return null;
    }
    this.stream = stream;
    const [track] = stream.getVideoTracks();
    track.addEventListener('ended', () => {
      if (stream !== this.stream) return;
      this.#onLost('The camera is gone: it was unplugged, or the device took it away. Press Start');
    });
    this.list();
    return stream;
  }

  close() {
    this.#attempt += 1;
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
  }

  /** Whether the pictures are of who looks at the screen. */
  get facesUser() {
    return this.stream?.getVideoTracks()[0]?.getSettings().facingMode === 'user';
  }

  async list() {
    const devices = await navigator.mediaDevices?.enumerateDevices().catch(() => []) ?? [];
    this.#onList(devices.filter(({kind}) => kind === 'videoinput').map(({deviceId: id, label}) => ({id, label})));
  }
}
