import type { Platform } from '../platform.js';
import { memoryStorage } from '../storage/memory.js';
import { createWorker } from './cpu/worker.js';

/** No workers, no WASM code: plain kernels on the caller's thread, a block at a time. The specification that devices are compared with. */
export const plainPlatform: Platform = {
  parallelism: 1,
  kernels: 'plain',
  sharedMemory: false,
  openFolder: memoryStorage,
  spawnWorker() {
    let receive: (message: unknown) => void = () => {};
    const worker = createWorker((message) => queueMicrotask(() => receive(message)));
    return {
      post: (message) => void setTimeout(() => worker(message as Parameters<typeof worker>[0]), 0),
      listen(onMessage) {
        receive = onMessage;
      },
      keepAlive() {},
      async terminate() {},
    };
  },
};
