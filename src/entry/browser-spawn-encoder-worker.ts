import type { WorkerMessage } from '../encoder/runtime/worker-protocol.js';
import type { WorkerPort } from '../platform.js';

/** A worker whose script is not there says nothing. */
const UNLOADED =
  'its script could not be loaded; the page must be served lemur/encoder/worker as ' +
  'browser-encoder-worker.js beside lemur/encoder (docs/encoders/pages.md)';

/** A module worker by its URL, in the form that bundlers look for. */
export function spawnBrowserWorker(): WorkerPort {
  const worker = new Worker(new URL('./browser-encoder-worker.js', import.meta.url), {
    type: 'module',
  });
  return {
    post: (message) => worker.postMessage(message),
    listen(onMessage, onDeath) {
      worker.onmessage = (event) => onMessage(event.data);
      worker.onerror = (event) =>
        onDeath(event.error instanceof Error ? event.error : new Error(event.message || UNLOADED));
    },
    keepAlive() {},
    async terminate() {
      // it closes itself, after what is under way
      worker.postMessage({ kind: 'stop' } satisfies WorkerMessage);
    },
  };
}
