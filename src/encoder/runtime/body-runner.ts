import { abortable } from '../../abortable.js';
import { LemurError } from '../../errors.js';
import type { WorkerPort } from '../../platform.js';
import type { BodyOutput, BodyRunner, IdBatch } from './body.js';
import {
  receiveError,
  type StartMessage,
  type WorkerMessage,
  type WorkerReply,
} from './worker-protocol.js';

interface Request {
  resolve: (output: BodyOutput | undefined) => void;
  reject: (error: unknown) => void;
}

/** A worker that holds the model. */
interface BodyThread {
  /** Whether it has died. */
  readonly dead: boolean;
  run(batch: IdBatch, pooled: boolean): Promise<BodyOutput>;
  close(): Promise<void>;
}

/**
 * Has a worker hold the model: ONNX Runtime's WASM computes on the thread that calls it. It answers
 * in order, and keeps the process alive while it has something to answer. `terminate` of the port
 * lets it end what is under way. When it dies, what it has not answered rejects with
 * 'worker-failed' and the next batch starts another. Rejects, with no worker left behind, when the
 * model cannot be made, or the signal's reason.
 */
export async function startBody(
  spawn: () => WorkerPort,
  start: StartMessage,
  batchTokens: number,
  signal?: AbortSignal,
): Promise<BodyRunner> {
  let thread = startThread(spawn(), start, signal);
  let closed = false;
  await thread;

  /**
   * Several batches wait for one new worker; one that cannot be started is tried again by the next.
   */
  const living = async (): Promise<BodyThread> => {
    const current = thread;
    const alive = await current.then(
      ({ dead }) => !dead,
      () => false,
    );
    if (!alive && thread === current && !closed) thread = startThread(spawn(), start);
    return thread;
  };
  return {
    batchTokens,
    async run(batch, pooled) {
      if (closed) throw closedError();
      return (await living()).run(batch, pooled);
    },
    async close() {
      closed = true;
      const last = await thread.catch(() => undefined);
      await last?.close();
    },
  };
}

async function startThread(
  worker: WorkerPort,
  start: StartMessage,
  signal?: AbortSignal,
): Promise<BodyThread> {
  const requests: Request[] = [];
  let ended: LemurError | undefined;

  const fail = (error: LemurError): void => {
    ended ??= error;
    for (const { reject } of requests.splice(0)) reject(ended);
  };
  const send = (message: WorkerMessage): Promise<BodyOutput | undefined> =>
    new Promise((resolve, reject) => {
      if (ended) return reject(ended);
      requests.push({ resolve, reject });
      worker.keepAlive(true);
      worker.post(message);
    });
  worker.listen(
    (reply) => {
      const request = requests.shift();
      // while it is closing, whoever closes waits for its end
      if (requests.length === 0 && !ended) worker.keepAlive(false);
      const { error, output } = reply as WorkerReply & { error?: undefined; output?: undefined };
      if (error) request?.reject(receiveError(error));
      else request?.resolve(output);
    },
    (cause) => {
      const message =
        "the encoder's worker failed: " +
        `${cause instanceof Error ? cause.message : String(cause)}`;
      fail(new LemurError('worker-failed', message, { where: 'encoder' }, { cause }));
    },
  );
  const close = (): Promise<void> => {
    fail(closedError());
    return worker.terminate();
  };
  try {
    await abortable(send(start), signal);
  } catch (error) {
    const end = close();
    // one that is still busy with a model ends when it is done
    if (signal?.aborted) end.catch(() => {});
    else await end;
    throw error;
  }
  return {
    get dead() {
      return ended !== undefined;
    },
    run: async (batch, pooled) => (await send({ kind: 'run', batch, pooled })) as BodyOutput,
    close,
  };
}

function closedError(): LemurError {
  return new LemurError('closed', 'the encoder is closed', { where: 'encoder' });
}
