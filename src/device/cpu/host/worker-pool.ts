import { onAbort } from '../../../abortable.js';
import { LemurError } from '../../../errors.js';
import { type KernelMemory, sendMemory } from '../../../kernels/memory.js';
import type { Platform, WorkerPort } from '../../../platform.js';
import type { RunOptions } from '../../../run-options.js';
import type { FromWorker, ToWorker } from '../protocol.js';

const PROGRESS_INTERVAL_MS = 100;
/** A worker that has not answered by then never will. */
const START_SECONDS = 60;

/** One run of an operation, as the pool sees it. */
export interface Job {
  operation: string;
  args: unknown;
  blocks: number;
  /** Scratch of each worker and the bytes of memory that must exist. */
  scratch: readonly number[];
  top: number;
}

/**
 * Workers that run jobs. Messages to a worker arrive in order, so what a job needs is simply sent
 * before it. When a worker ends that nobody has ended, calls under way reject with 'worker-failed';
 * where memory is shared, the next call starts workers anew.
 */
export interface Pool {
  readonly threads: number;
  /** Whether it was closed, or has lost the worker whose memory it was. */
  readonly dead: boolean;
  /** Whether jobs are under way. */
  readonly busy: boolean;
  /** To all workers. */
  broadcast(message: ToWorker, transfer?: readonly ArrayBufferLike[]): void;
  run(job: Job, options?: RunOptions & { stage?: string | undefined }): Promise<void>;
  /**
   * Asks a worker for values: of a file, or, where memory is not shared, of any tensor without
   * parts.
   */
  request(
    message: Extract<ToWorker, { type: 'read' }>,
  ): Promise<Extract<FromWorker, { type: 'data' }>>;
  /**
   * What workers that are started in place of lost ones are told, where memory is shared: the
   * tensors that there are.
   */
  onRestart(known: () => Iterable<ToWorker>): void;
  /** Resolves when every job under way now has ended. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

type Pending = { reply: (message: FromWorker) => void; fail: (error: LemurError) => void };

/**
 * Starts `threads` workers over `memory` (shared by all), or a single one with a memory of its own
 * when it is null.
 */
export async function createPool(
  platform: Platform,
  threads: number,
  module: WebAssembly.Module | null,
  memory: KernelMemory | null,
): Promise<Pool> {
  const pending = new Map<number, Pending>();
  const running = new Set<Promise<unknown>>();
  let ports: WorkerPort[] = [];
  /**
   * Why there are no workers any more: it was closed, or they have taken their memory with them.
   */
  let death: LemurError | undefined;
  /** Resolves when those that were lost have ended; undefined: they live. */
  let lost: { error: LemurError; ended: Promise<unknown> } | undefined;
  let restarted: Promise<void> | undefined;
  let restore: () => Iterable<ToWorker> = () => [];
  let nextJob = 1;
  /** Rejects the start of workers that have not answered yet. */
  let starting: ((error: LemurError) => void)[] = [];

  const failAll = (error: LemurError): void => {
    for (const { fail } of pending.values()) fail(error);
    pending.clear();
  };
  /**
   * One worker ended. The others may be in the middle of the same job: none goes on, and until all
   * have ended no memory is given to anybody else.
   */
  const lose = (error: LemurError): void => {
    if (death || lost) return;
    if (!memory) death = error;
    const ending = Promise.all(ports.map((port) => port.terminate()));
    lost = { error, ended: ending };
    failAll(error);
    void track(ending);
  };
  // workers keep the process alive while they have work, and only then
  const track = <T>(promise: Promise<T>): Promise<T> => {
    if (running.size === 0) for (const port of ports) port.keepAlive(true);
    const ended = promise
      .catch(() => undefined)
      .then(() => {
        running.delete(ended);
        if (running.size === 0) for (const port of ports) port.keepAlive(false);
      });
    running.add(ended);
    return promise;
  };

  /** New workers, which know the tensors of those before. */
  const start = async (): Promise<void> => {
    const own = Array.from({ length: threads }, () => platform.spawnWorker());
    ports = own;
    lost = undefined;
    starting = [];
    const started = own.map(
      (port) =>
        new Promise<void>((resolve, reject) => {
          starting.push(reject);
          port.listen(
            (message) => {
              if (ports !== own) return;
              const reply = message as FromWorker;
              if (reply.type === 'started') resolve();
              else pending.get(reply.type === 'data' ? reply.request : reply.job)?.reply(reply);
            },
            (cause) => {
              const what = cause instanceof Error ? cause.message : String(cause);
              const error = new LemurError(
                'worker-failed',
                `a worker thread ended: ${what}`,
                { where: 'worker' },
                { cause },
              );
              if (ports === own) lose(error);
              reject(error);
            },
          );
          port.post({
            type: 'start',
            module,
            memory: memory && sendMemory(memory),
          } satisfies ToWorker);
          for (const message of restore()) port.post(message);
        }),
    );
    if (running.size > 0) for (const port of own) port.keepAlive(true);
    // seconds of the event loop: while the thread is busy with something else, no answer can arrive
    let seconds = 0;
    const patience = setInterval(() => {
      if (++seconds < START_SECONDS) return;
      for (const reject of starting)
        reject(
          new LemurError('worker-failed', `no worker answered within ${START_SECONDS} s`, {
            where: 'worker',
          }),
        );
    }, 1000);
    try {
      await track(Promise.all(started));
    } catch (error) {
      lose(error as LemurError);
      throw error;
    } finally {
      clearInterval(patience);
    }
  };
  /** Starts workers anew when some were lost; a failure is for the next call to try again. */
  const restart = (): Promise<void> => {
    restarted ??= (async () => {
      try {
        await lost?.ended;
        if (death) throw death;
        await start();
      } finally {
        restarted = undefined;
      }
    })();
    return restarted;
  };
  await start();

  const expect = (id: number, replies: number): Promise<FromWorker[]> =>
    new Promise((resolve, reject) => {
      if (death ?? lost) return reject(death ?? lost?.error);
      const received: FromWorker[] = [];
      pending.set(id, {
        reply(message) {
          received.push(message);
          if (received.length < replies) return;
          pending.delete(id);
          const failed = received.find((reply) => reply.type === 'failed');
          if (!failed) return resolve(received);
          const cause = new Error(failed.message);
          cause.stack = failed.stack;
          if (failed.code)
            return reject(
              new LemurError(failed.code, failed.message, { where: failed.where }, { cause }),
            );
          reject(
            new LemurError(
              'worker-failed',
              `a worker thread failed: ${failed.message}`,
              { where: 'worker' },
              { cause },
            ),
          );
        },
        fail: reject,
      });
    });

  /** All workers draw block numbers from one counter; an abort exhausts it. */
  const runShared = async (
    job: Job,
    options: RunOptions & { stage?: string | undefined },
  ): Promise<void> => {
    const { operation, args, blocks, scratch, top } = job;
    const counter = new Int32Array(new SharedArrayBuffer(4));
    const id = nextJob++;
    const workers = ports.slice(0, Math.min(threads, blocks));
    const replies = expect(id, workers.length);
    const exhaust = (): void => void Atomics.store(counter, 0, blocks);
    const forget = options.signal && onAbort(options.signal, exhaust);
    const report = (): void =>
      options.onProgress?.({
        stage: options.stage ?? operation,
        done: Math.min(blocks, Atomics.load(counter, 0)),
        total: blocks,
      });
    report();
    const timer = options.onProgress && setInterval(report, PROGRESS_INTERVAL_MS);
    try {
      workers.forEach((port, i) => {
        port.post({
          type: 'run',
          job: id,
          operation,
          args,
          scratch: scratch[i],
          top,
          counter,
          from: 0,
          to: blocks,
        } satisfies ToWorker);
      });
      await replies;
    } finally {
      clearInterval(timer);
      forget?.();
    }
    options.signal?.throwIfAborted();
    report();
  };

  /** One worker, one block a message: between blocks it hears of an abort. */
  const runAlone = async (
    job: Job,
    options: RunOptions & { stage?: string | undefined },
  ): Promise<void> => {
    const { operation, args, blocks, scratch, top } = job;
    const report = (done: number): void =>
      options.onProgress?.({ stage: options.stage ?? operation, done, total: blocks });
    report(0);
    for (let block = 0; block < blocks; block++) {
      options.signal?.throwIfAborted();
      const id = nextJob++;
      const reply = expect(id, 1);
      ports[0].post({
        type: 'run',
        job: id,
        operation,
        args,
        scratch: scratch[0],
        top,
        counter: null,
        from: block,
        to: block + 1,
      } satisfies ToWorker);
      await reply;
      report(block + 1);
    }
  };

  return {
    threads,
    get dead() {
      return death !== undefined;
    },
    get busy() {
      return running.size > 0;
    },
    broadcast(message, transfer) {
      // new ones are told of what there is by then
      if (lost) return;
      for (const port of ports) port.post(message, transfer);
    },
    run(job, options = {}) {
      if (death) return Promise.reject(death);
      if (options.signal?.aborted) return Promise.reject(options.signal.reason);
      const go = (): Promise<void> => (memory ? runShared(job, options) : runAlone(job, options));
      return track(lost || restarted ? restart().then(go) : go());
    },
    onRestart(known) {
      restore = known;
    },
    async request(message) {
      if (!death && (lost || restarted)) await track(restart());
      const id = nextJob++;
      const reply = track(expect(id, 1));
      ports[0].post({ ...message, request: id } satisfies ToWorker);
      return (await reply)[0] as Extract<FromWorker, { type: 'data' }>;
    },
    async idle() {
      await Promise.all(running);
    },
    async close() {
      const closed = new LemurError('closed', 'the device was closed', { where: 'device' });
      death ??= closed;
      failAll(death);
      for (const reject of starting) reject(death);
      await Promise.all(ports.map((port: WorkerPort) => port.terminate()));
    },
  };
}
