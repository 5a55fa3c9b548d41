import * as runtime from 'onnxruntime-web';
import { openBlob } from '../encoder/files/browser-files.js';
import { bodyWorker } from '../encoder/runtime/body-worker.js';
import type { OnnxRuntime } from '../encoder/runtime/onnx-body.js';
import type { WorkerMessage } from '../encoder/runtime/worker-protocol.js';

const scope = globalThis as unknown as {
  name: string;
  postMessage(message: unknown, transfer: Transferable[]): void;
  close(): void;
};

// a bundler may put ONNX Runtime into this file; its own threads begin with the same file then, and
// are not ours
if (!scope.name.startsWith('em-pthread')) {
  const worker = bodyWorker(
    { open: openBlob, importRuntime: async () => runtime as OnnxRuntime },
    (message, transfer) => scope.postMessage(message, transfer),
    () => scope.close(),
  );
  addEventListener('message', (event) => worker((event as MessageEvent<WorkerMessage>).data));
}
