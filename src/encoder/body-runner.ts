import { LemurError } from '../errors.js';
import type { WorkerPort } from '../platform.js';
import type { BodyOutput, IdBatch } from './body.js';
import type { BodyRunner } from './encoder.js';
import { receiveError, type StartMessage, type WorkerMessage, type WorkerReply } from './worker-protocol.js';

interface Request {
  resolve: (output: BodyOutput | undefined) => void;
  reject: (error: unknown) => void;
}

/**
 * Has a worker hold the model: ONNX Runtime's WASM computes on the thread that calls it. It answers in order, and keeps the process alive while it has
 * something to answer. `terminate` of the port lets it end what is under way. Rejects, with no worker left behind, when the model cannot be made.
 */
export async function startBody(worker: WorkerPort, start: StartMessage, batchTokens: number): Promise<BodyRunner> {
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
      worker.keepAlive(true);
      worker.post(message);
    });
  worker.listen(
    (reply) => {
      const request = requests.shift();
      // while it is closing, whoever closes waits for its end
      if (requests.length === 0 && !closed) worker.keepAlive(false);
      const { error, output } = reply as WorkerReply & { error?: undefined; output?: undefined };
      if (error) request?.reject(receiveError(error));
      else request?.resolve(output);
    },
    (cause) => {
      const message = `the encoder's worker failed: ${cause instanceof Error ? cause.message : String(cause)}`;
      fail(new LemurError('worker-failed', message, { where: 'encoder' }, { cause }));
    },
  );
  const close = (): Promise<void> => {
    fail(new LemurError('closed', 'the encoder is closed', { where: 'encoder' }));
    return worker.terminate();
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
