import { parentPort } from 'node:worker_threads';
import { openPath } from '../encoder/files/node-files.js';
import { bodyWorker } from '../encoder/runtime/body-worker.js';
import type { OnnxRuntime } from '../encoder/runtime/onnx-body.js';
import type { WorkerMessage } from '../encoder/runtime/worker-protocol.js';

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
