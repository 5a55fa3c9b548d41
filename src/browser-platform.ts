import { LemurError } from './errors.js';
import type { Platform } from './platform.js';

/** Browsers: module workers; memory is shared where the page is cross-origin isolated. */
export const browserPlatform: Platform = {
  parallelism: globalThis.navigator?.hardwareConcurrency ?? 1,
  kernels: 'simd',
  sharedMemory: globalThis.crossOriginIsolated === true,
  openFolder(path) {
    throw new LemurError('unsupported', `a page has no folder '${path}': pass a Storage, for example memoryStorage()`, { where: path });
  },
  spawnWorker() {
    const worker = new Worker(new URL('./browser-worker.js', import.meta.url), { type: 'module' });
    return {
      post: (message, transfer = []) => worker.postMessage(message, transfer as Transferable[]),
      listen(onMessage, onDeath) {
        worker.onmessage = (event) => onMessage(event.data);
        worker.onerror = (event) => onDeath(event.error ?? new Error(event.message));
      },
      keepAlive() {},
      async terminate() {
        worker.terminate();
      },
    };
  },
};
