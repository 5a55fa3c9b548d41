import { onAbort } from '../../../abortable.js';
import type { RunOptions } from '../../../run-options.js';
import { blocksDrawn, createBoard, stopJob } from '../board.js';
import type { FromWorker, JobStep, ToWorker } from '../protocol.js';
import type { ScratchArea } from '../scratch-area.js';

const PROGRESS_INTERVAL_MS = 100;

/** Steps that follow each other, as the pool sees them; each has blocks. */
export interface Job {
  steps: readonly JobStep[];
  /** Scratch of each worker and the bytes of memory that must exist. */
  scratch: readonly ScratchArea[];
  top: number;
}

/** `stage` names the job in progress reports; default: its first operation does. */
export interface JobOptions extends RunOptions {
  stage?: string | undefined;
}

/** What runs a job. */
export interface JobRunner {
  readonly threads: number;
  /** Sends a message to each of the first workers. */
  post(messages: readonly ToWorker[]): void;
  nextJob(): number;
  expect(id: number, replies: number): Promise<FromWorker[]>;
}

/**
 * All workers draw blocks of the first step, then, when these are done, of the next; an abort stops
 * them.
 */
export async function runShared(runner: JobRunner, job: Job, options: JobOptions): Promise<void> {
  const { steps, scratch, top } = job;
  const board = createBoard(steps.length);
  const id = runner.nextJob();
  const total = blocksOf(steps);
  const most = steps.reduce((sum, { blocks }) => Math.max(sum, blocks), 0);
  const workers = scratch.slice(0, Math.min(runner.threads, most));
  const replies = runner.expect(id, workers.length);
  const forget = options.signal && onAbort(options.signal, () => stopJob(board));
  const report = (): void =>
    options.onProgress?.({ stage: stageOf(job, options), done: blocksDrawn(board, steps), total });
  report();
  const timer = options.onProgress && setInterval(report, PROGRESS_INTERVAL_MS);
  try {
    runner.post(workers.map((own) => ({ type: 'run', job: id, steps, scratch: own, top, board })));
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
  const { steps, scratch, top } = job;
  const stage = stageOf(job, options);
  const total = blocksOf(steps);
  let done = 0;
  options.onProgress?.({ stage, done, total });
  for (const step of steps) {
    for (let block = 0; block < step.blocks; block++) {
      options.signal?.throwIfAborted();
      const id = runner.nextJob();
      const reply = runner.expect(id, 1);
      runner.post([{ type: 'block', job: id, step, block, scratch: scratch[0], top }]);
      await reply;
      options.onProgress?.({ stage, done: ++done, total });
    }
  }
}

function stageOf({ steps }: Job, { stage }: JobOptions): string {
  return stage ?? steps[0].operation;
}

function blocksOf(steps: readonly JobStep[]): number {
  return steps.reduce((sum, { blocks }) => sum + blocks, 0);
}
