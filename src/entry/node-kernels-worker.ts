import { readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import * as zlib from 'node:zlib';
import { type Crc32, plainCrc32 } from '../bytes/crc32.js';
import type { ToWorker } from '../device/cpu/protocol.js';
import { createWorker } from '../device/cpu/worker/worker.js';
import type { WorkerFiles } from '../device/cpu/worker/worker-tensors.js';

const port = parentPort;
if (!port) throw new Error('this file is the worker thread of lemur; it is not for importing');
const files: WorkerFiles = {
  read: (descriptor, target, position) => readSync(descriptor, target, 0, target.length, position),
  // not in every runtime that calls itself Node's
  crc32: (zlib as { crc32?: Crc32 }).crc32 ?? plainCrc32,
};
const worker = createWorker(
  (message, transfer = []) => port.postMessage(message, transfer as ArrayBuffer[]),
  files,
);
port.on('message', (message: ToWorker) => worker(message));
