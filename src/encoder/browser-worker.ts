import { bodyWorker } from './body-worker.js';
import { openBlob } from './browser-files.js';
import type { OnnxRuntime } from './onnx-body.js';
import type { WorkerMessage } from './worker-protocol.js';

const scope = globalThis as unknown as { postMessage(message: unknown, transfer: Transferable[]): void; close(): void };
const worker = bodyWorker(
  { open: openBlob, importRuntime: async () => (await import('onnxruntime-web')) as OnnxRuntime },
  (message, transfer) => scope.postMessage(message, transfer),
  () => scope.close(),
);
addEventListener('message', (event) => worker((event as MessageEvent<WorkerMessage>).data));
