import { fetchBytes } from '../bytes/fetch-bytes.js';
import { inProcessWorker } from '../device/cpu/worker/in-process-worker.js';
import { LemurError } from '../errors.js';
import { readTorchFile } from '../formats/torch/torch-file.js';
import * as keywords from '../keywords/keywords.js';
import { passagesOf } from '../passages/passages-of.js';
import type { Platform } from '../platform.js';

/**
 * Edge runtimes (workerd and its kin): one thread, no files, and WebAssembly only as compiled
 * modules, which `init` takes.
 */
export const edgePlatform: Platform = {
  parallelism: 1,
  kernels: 'simd',
  sharedMemory: false,
  readsFiles: false,
  openFolder(path) {
    throw new LemurError(
      'unsupported',
      `there is no folder '${path}' here: pass a Storage, for example memoryStorage()`,
      {
        where: String(path),
      },
    );
  },
  readBytes: fetchBytes,
  readTorchFile,
  loadCutter: async () => passagesOf,
  loadKeywords: async () => keywords,
  spawnWorker: inProcessWorker,
};
