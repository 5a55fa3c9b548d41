import { parentPort } from 'node:worker_threads';
import type { ToWorker } from './device/cpu/protocol.js';
import { createWorker } from './device/cpu/worker.js';

const port = parentPort;
if (!port) throw new Error('this file is the worker thread of lemur; it is not for importing');
const worker = createWorker((message, transfer = []) => port.postMessage(message, transfer as ArrayBuffer[]));
port.on('message', (message: ToWorker) => worker(message));
