// What RTCPeerConnection.getStats() says about a video that is received, in a form that is easy to show.

/** From an RTCStatsReport: counts since the session began; null: no video has come. Times in milliseconds. */
export function readStats(report) {
  const entries = [...report.values()];
  const video = entries.find(({type, kind}) => type === 'inbound-rtp' && kind === 'video');
  if (!video) return null;
  const pair = entries.find((entry) => entry.type === 'candidate-pair' && entry.nominated && entry.state === 'succeeded');
  return {
    at: video.timestamp,
    frames: video.framesDecoded ?? 0,
    dropped: video.framesDropped ?? 0,
    packets: video.packetsReceived ?? 0,
    lost: video.packetsLost ?? 0,
    bytes: (video.bytesReceived ?? 0) + (video.headerBytesReceived ?? 0),
    freezes: video.freezeCount ?? 0,
    jitter: milliseconds(video.jitter),
    buffered: {delay: milliseconds(video.jitterBufferDelay) ?? 0, frames: video.jitterBufferEmittedCount ?? 0},
    decoding: {delay: milliseconds(video.totalDecodeTime) ?? 0, frames: video.framesDecoded ?? 0},
    roundTrip: milliseconds(pair?.currentRoundTripTime),
    width: video.frameWidth ?? 0,
    height: video.frameHeight ?? 0,
    codec: (report.get(video.codecId)?.mimeType ?? '').replace(/^video\//i, ''),
  };
}

/**
 * Of the time between two of those (`before` may be null: nothing is known of a second then): counts as they stand now,
 * and `fps`, `bitsPerSecond`, `bufferMs` and `decodeMs` of that time; null where there is too little to tell.
 */
export function figuresBetween(before, now) {
  const {frames, dropped, packets, lost, freezes, jitter, roundTrip, width, height, codec} = now;
  const span = before === null ? 0 : (now.at - before.at) / 1000;
  const perSecond = (amount) => (span > 0 ? Math.max(0, amount) / span : null);
  return {
    frames, dropped, packets, lost, freezes, jitterMs: jitter, roundTripMs: roundTrip, width, height, codec,
    fps: perSecond(now.frames - (before?.frames ?? 0)),
    bitsPerSecond: perSecond((now.bytes - (before?.bytes ?? 0)) * 8),
    bufferMs: meanBetween(before?.buffered, now.buffered),
    decodeMs: meanBetween(before?.decoding, now.decoding),
  };
}

const milliseconds = (value) => (Number.isFinite(value) ? value * 1000 : null);

function meanBetween(before, now) {
  const frames = now.frames - (before?.frames ?? 0);
  return frames > 0 ? (now.delay - (before?.delay ?? 0)) / frames : null;
}
