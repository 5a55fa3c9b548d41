import { createWorker } from '../device/cpu/worker/worker.js';

const scope = globalThis as unknown as {
  postMessage(message: unknown, transfer: Transferable[]): void;
};
const worker = createWorker((message, transfer = []) =>
  scope.postMessage(message, transfer as Transferable[]),
);
addEventListener('message', (event) => worker((event as MessageEvent).data));
