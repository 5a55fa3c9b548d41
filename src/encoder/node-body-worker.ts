import { Worker } from 'node:worker_threads';
import { LemurError } from '../errors.js';
import type { BodyOutput, IdBatch } from './body.js';
import type { BodyRunner } from './encoder.js';
import { receiveError, type StartMessage, type WorkerMessage, type WorkerReply } from './worker-protocol.js';

interface Request {
  resolve: (output: BodyOutput | undefined) => void;
  reject: (error: unknown) => void;
}

/**
 * Starts a worker thread that holds the model: ONNX Runtime's WASM computes on the thread that calls it. It answers in order, and keeps the
 * process alive while it has something to answer. Rejects, with no worker left behind, when the model cannot be made.
 */
export async function startBodyWorker(start: StartMessage, batchTokens: number): Promise<BodyRunner> {
  // options of the parent's command line (--input-type, loaders) are not for our own file
  const worker = new Worker(new URL('./node-worker.js', import.meta.url), { execArgv: [] });
  const requests: Request[] = [];
  let closed: LemurError | undefined;

  const fail = (error: LemurError): void => {
    closed ??= error;
    for (const { reject } of requests.splice(0)) reject(closed);
  };
  const send = (message: WorkerMessage): Promise<BodyOutput | undefined> =>
    new Promise((resolve, reject) => {
      if (closed) return reject(closed);
      requests.push({ resolve, reject });
      worker.ref();
      worker.postMessage(message);
    });
  const crashed = (cause: unknown): void => {
    const message = `the encoder's worker failed: ${cause instanceof Error ? cause.message : String(cause)}`;
    fail(new LemurError('worker-failed', message, { where: 'encoder' }, { cause }));
  };
  worker.on('error', crashed);
  const exited = new Promise<void>((resolve) => {
    worker.on('exit', (code) => {
      crashed(new Error(`exit code ${code}`));
      resolve();
    });
  });
  worker.on('message', (reply: WorkerReply) => {
    const request = requests.shift();
    // while it is closing, whoever closes waits for its end
    if (requests.length === 0 && !closed) worker.unref();
    if ('error' in reply) request?.reject(receiveError(reply.error));
    else request?.resolve(reply.output);
  });

  const close = async (): Promise<void> => {
    fail(new LemurError('closed', 'the encoder is closed', { where: 'encoder' }));
    worker.postMessage({ kind: 'stop' } satisfies WorkerMessage);
    worker.ref();
    await exited;
  };
  try {
    await send(start);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    batchTokens,
    run: async (batch: IdBatch, pooled: boolean) => (await send({ kind: 'run', batch, pooled })) as BodyOutput,
    close,
  };
}
