// What the server says of itself, and what changes it for everybody. Each throws what reason() can word.
import {Refusal} from '../refusal.js';

const URL_OF_SETTINGS = 'api/webrtc/settings';
const PATIENCE_MS = 5000;

export const readSettings = () => ask({});

export const changeBitrate = (kbps) => ask({
  method: 'POST',
  headers: {'Content-Type': 'application/json'},
  body: JSON.stringify({bitrate_kbps: kbps}),
});

async function ask(wish) {
  const response = await fetch(URL_OF_SETTINGS, {cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS), ...wish});
  if (!response.ok) throw await Refusal.from(response);
  return response.json();
}
