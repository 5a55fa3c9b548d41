import { parentPort } from 'node:worker_threads';
import type { Body } from './body.js';
import { makeBody } from './make-body.js';
import { sendError, type WorkerMessage, type WorkerReply } from './worker-protocol.js';

// Messages are answered in order: each waits for the one before.
let body: Body | undefined;

let last: Promise<void> = Promise.resolve();

parentPort?.on('message', (message: WorkerMessage) => {
  last = last.then(() => answer(message));
});

async function answer(message: WorkerMessage): Promise<void> {
  try {
    if (message.kind === 'start') {
      body = await makeBody(message);
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
