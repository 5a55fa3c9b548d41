import { fetchBytes } from '../../bytes/fetch-bytes.js';
import { readTorchFile } from '../../formats/torch/torch-file.js';
import * as keywords from '../../keywords/keywords.js';
import { passagesOf } from '../../passages/passages-of.js';
import type { Platform } from '../../platform.js';
import { memoryStorage } from '../../storage/memory.js';
import { inProcessWorker } from './worker/in-process-worker.js';

/**
 * No workers, no WASM code: plain kernels on the caller's thread, a block at a time. The
 * specification that devices are compared with.
 */
export const plainPlatform: Platform = {
  parallelism: 1,
  kernels: 'plain',
  sharedMemory: false,
  readsFiles: false,
  openFolder: (path) => memoryStorage(String(path)),
  readBytes: fetchBytes,
  readTorchFile,
  loadCutter: async () => passagesOf,
  loadKeywords: async () => keywords,
  spawnWorker: inProcessWorker,
};
