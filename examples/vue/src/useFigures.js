import {onMounted, onUnmounted, ref} from 'vue';
import {BASE} from './server.js';

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 16000;

/**
 * The camera's figures, each second; null while there is no connection. Calls `connected` each time that there is one:
 * an <img> neither connects again nor tells that its stream has ended, an EventSource notices.
 */
export function useFigures(connected) {
  const camera = ref(null);
  let events = null;
  let timer = 0;
  let wait_ms = FIRST_WAIT_MS;

  function connect() {
    events = new EventSource(`${BASE}/events`);
    events.addEventListener('open', connected);
    events.addEventListener('figures', ({data}) => {
      camera.value = JSON.parse(data).cameras[0];
      wait_ms = FIRST_WAIT_MS;
    });
    events.addEventListener('error', () => {
      disconnect();
      timer = setTimeout(connect, wait_ms * (0.8 + 0.4 * Math.random()));  // not all pages at one moment
      wait_ms = Math.min(2 * wait_ms, LONGEST_WAIT_MS);
    });
  }

  function disconnect() {
    clearTimeout(timer);
    events?.close();
    camera.value = null;
  }

  onMounted(connect);
  onUnmounted(disconnect);
  return camera;
}
