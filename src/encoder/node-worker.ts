import { readFile } from 'node:fs/promises';
import { parentPort } from 'node:worker_threads';
import { folderStorage } from '../storage/node-folder.js';
import { openStoredSafetensors } from '../storage/stored-safetensors.js';
import type { Body } from './body.js';
import { type BodyFiles, makeBody } from './make-body.js';
import { type RunMessage, type StartMessage, sendError, type WorkerMessage, type WorkerReply } from './worker-protocol.js';

const files: BodyFiles = {
  weights: (folder, file) => openStoredSafetensors(folderStorage(folder), file),
  bytes: (path) => readFile(path),
};

// Messages are answered in order: each waits for the one before.
let body: Body | undefined;
let last: Promise<void> = Promise.resolve();
let stopped = false;

parentPort?.on('message', (message: WorkerMessage) => {
  if (message.kind === 'stop') {
    stopped = true;
    // native code must not be cut off in the middle of a batch: it would take the process with it
    last = last.then(() => process.exit(0));
  } else {
    last = last.then(() => answer(message));
  }
});

async function answer(message: StartMessage | RunMessage): Promise<void> {
  if (stopped) return;
  try {
    if (message.kind === 'start') {
      body = await makeBody(message, files);
      reply({ output: undefined });
    } else {
      const output = await (body as Body).run(message.batch, message.pooled);
      reply({ output }, [output.states.buffer as ArrayBuffer, output.pooled.buffer as ArrayBuffer]);
    }
  } catch (error) {
    reply({ error: sendError(error) });
  }
}

function reply(message: WorkerReply, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}
