import { type Crc32, plainCrc32 } from '../bytes/crc32.js';
import type { ToWorker } from '../device/cpu/protocol.js';
import { createWorker } from '../device/cpu/worker/worker.js';

/** What is used of Node's modules. */
interface NodeModules {
  'node:fs': {
    readSync(
      descriptor: number,
      target: Uint8Array,
      offset: number,
      length: number,
      position: number,
    ): number;
  };
  'node:worker_threads': {
    parentPort: {
      postMessage(message: unknown, transfer: readonly ArrayBufferLike[]): void;
      on(event: 'message', listener: (message: ToWorker) => void): void;
    } | null;
  };
  'node:zlib': { crc32?: Crc32 };
}
interface NodeProcess {
  getBuiltinModule?<N extends keyof NodeModules>(name: N): NodeModules[N];
}
interface WorkerScope {
  postMessage(message: unknown, transfer: readonly ArrayBufferLike[]): void;
  addEventListener(event: 'message', listener: (event: { data: ToWorker }) => void): void;
}

// node-kernels-worker.ts and browser-kernels-worker.ts as one, without imports: the text that takes
// over where their files cannot be had
const builtin = (globalThis as { process?: NodeProcess }).process?.getBuiltinModule;
const port = builtin?.('node:worker_threads').parentPort;
if (builtin && port) {
  const { readSync } = builtin('node:fs');
  const worker = createWorker((message, transfer = []) => port.postMessage(message, transfer), {
    read: (descriptor, target, position) =>
      readSync(descriptor, target, 0, target.length, position),
    crc32: builtin('node:zlib').crc32 ?? plainCrc32,
  });
  port.on('message', worker);
} else {
  const scope = globalThis as unknown as WorkerScope;
  const worker = createWorker((message, transfer = []) => scope.postMessage(message, transfer));
  scope.addEventListener('message', ({ data }) => worker(data));
}
