import type { WorkerPort } from '../platform.js';
import type { WorkerMessage } from './worker-protocol.js';

/** A module worker by its URL, in the form that bundlers look for. */
export function spawnBrowserWorker(): WorkerPort {
  const worker = new Worker(new URL('./browser-worker.js', import.meta.url), { type: 'module' });
  return {
    post: (message) => worker.postMessage(message),
    listen(onMessage, onDeath) {
      worker.onmessage = (event) => onMessage(event.data);
      worker.onerror = (event) =>
        onDeath(event.error instanceof Error ? event.error : new Error(event.message || 'its script could not be loaded'));
    },
    keepAlive() {},
    async terminate() {
      // it closes itself, after what is under way
      worker.postMessage({ kind: 'stop' } satisfies WorkerMessage);
    },
  };
}
