import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Platform } from './platform.js';
import { folderStorage } from './storage/node-folder.js';

/** Node, Deno and Bun: worker threads. */
export const nodePlatform: Platform = {
  parallelism: availableParallelism(),
  kernels: 'simd',
  sharedMemory: true,
  openFolder: folderStorage,
  spawnWorker() {
    // the flags of the parent (--input-type, --import, ...) are not for this thread
    const worker = new Worker(new URL('./node-worker.js', import.meta.url), { execArgv: [] });
    let wanted = true;
    worker.unref();
    return {
      post: (message, transfer = []) => worker.postMessage(message, transfer as ArrayBuffer[]),
      listen(onMessage, onDeath) {
        worker.on('message', onMessage);
        worker.on('error', onDeath);
        worker.on('exit', (code) => {
          if (wanted) onDeath(new Error(`exit code ${code}`));
        });
      },
      keepAlive(alive) {
        if (alive) worker.ref();
        else worker.unref();
      },
      async terminate() {
        wanted = false;
        await worker.terminate();
      },
    };
  },
};
