import { fetchBytes } from '../bytes/fetch-bytes.js';
import { inProcessWorker } from '../device/cpu/worker/in-process-worker.js';
import { LemurError } from '../errors.js';
import type { Platform } from '../platform.js';
import { spawnBrowserWorker } from './browser-spawn-worker.js';

/** Service workers cannot start workers. */
const hasWorkers = typeof Worker === 'function';

/** Browsers: module workers; memory is shared where the page is cross-origin isolated. */
export const browserPlatform: Platform = {
  parallelism: hasWorkers ? (globalThis.navigator?.hardwareConcurrency ?? 1) : 1,
  kernels: 'simd',
  sharedMemory: hasWorkers && globalThis.crossOriginIsolated === true,
  readsFiles: false,
  openFolder(path) {
    throw new LemurError(
      'unsupported',
      `a page has no folder '${path}': pass a Storage, for example memoryStorage()`,
      {
        where: String(path),
      },
    );
  },
  readBytes: (at) => fetchBytes(at, globalThis.document?.baseURI ?? globalThis.location?.href),
  readTorchFile: async (bytes, where) =>
    (await import('../formats/torch/torch-file.js')).readTorchFile(bytes, where),
  loadCutter: async () => (await import('../passages/passages-of.js')).passagesOf,
  loadKeywords: () => import('../keywords/keywords.js'),
  spawnWorker: hasWorkers ? spawnBrowserWorker : inProcessWorker,
};
