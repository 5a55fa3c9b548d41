import { parentPort } from 'node:worker_threads';
import { bodyWorker } from './body-worker.js';
import { openPath } from './node-files.js';
import type { OnnxRuntime } from './onnx-body.js';
import type { WorkerMessage } from './worker-protocol.js';

const worker = bodyWorker(
  {
    open: openPath,
    async importRuntime(name, address) {
      // by a variable: it need not be installed, and its types are the same as those of the other
      const runtime: OnnxRuntime & { default?: OnnxRuntime } = await import(address ?? name);
      return runtime.default?.InferenceSession ? runtime.default : runtime;
    },
  },
  (message, transfer) => parentPort?.postMessage(message, transfer),
  () => process.exit(0),
);
parentPort?.on('message', (message: WorkerMessage) => worker(message));
