import { onAbort } from '../../../abortable.js';
import type { WorkerPort } from '../../../platform.js';
import type { RunOptions } from '../../../run-options.js';
import type { FromWorker, ToWorker } from '../protocol.js';
import type { ScratchArea } from '../scratch-area.js';

const PROGRESS_INTERVAL_MS = 100;

/** One run of an operation, as the pool sees it. */
export interface Job {
  operation: string;
  args: unknown;
  blocks: number;
  /** Scratch of each worker and the bytes of memory that must exist. */
  scratch: readonly ScratchArea[];
  top: number;
}

/** `stage` names the job in progress reports; default: its operation does. */
export interface JobOptions extends RunOptions {
  stage?: string | undefined;
}

/** What runs a job. */
export interface JobRunner {
  readonly threads: number;
  ports(): readonly WorkerPort[];
  nextJob(): number;
  expect(id: number, replies: number): Promise<FromWorker[]>;
}

/** All workers draw block numbers from one counter; an abort exhausts it. */
export async function runShared(runner: JobRunner, job: Job, options: JobOptions): Promise<void> {
  const { operation, args, blocks, scratch, top } = job;
  const counter = new Int32Array(new SharedArrayBuffer(4));
  const id = runner.nextJob();
  const workers = runner.ports().slice(0, Math.min(runner.threads, blocks));
  const replies = runner.expect(id, workers.length);
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
  const run = { type: 'run', job: id, operation, args, top, counter, from: 0, to: blocks } as const;
  try {
    for (const [i, port] of workers.entries())
      port.post({ ...run, scratch: scratch[i] } satisfies ToWorker);
    await replies;
  } finally {
    clearInterval(timer);
    forget?.();
  }
  options.signal?.throwIfAborted();
  report();
}

/** One worker, one block a message: between blocks it hears of an abort. */
export async function runAlone(runner: JobRunner, job: Job, options: JobOptions): Promise<void> {
  const { operation, args, blocks, scratch, top } = job;
  const report = (done: number): void =>
    options.onProgress?.({ stage: options.stage ?? operation, done, total: blocks });
  report(0);
  for (let block = 0; block < blocks; block++) {
    options.signal?.throwIfAborted();
    const id = runner.nextJob();
    const reply = runner.expect(id, 1);
    runner.ports()[0].post({
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
}
