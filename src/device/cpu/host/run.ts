import type { RunOptions } from '../../../run-options.js';
import {
  type OperationArgs,
  type OperationName,
  operations,
} from '../operations/all-operations.js';
import type { Operation } from '../operations/operation.js';
import type { JobStep } from '../protocol.js';
import type { MemoryHeap } from './memory-heap.js';
import type { ScratchAreas } from './scratch-areas.js';
import type { Pool } from './worker-pool.js';

/** An operation of a job. */
export interface Step extends JobStep {
  readonly scratchBytes: number;
}

export function step<N extends OperationName>(name: N, args: OperationArgs<N>): Step {
  const operation = operations[name] as unknown as Operation<typeof args>;
  const [blocks, scratchBytes] = [operation.blocks(args), operation.scratchBytes(args)];
  return { operation: name, args, blocks, scratchBytes };
}

/**
 * Runs operations one after the other in one trip to the workers; each reads what those before it
 * have written. `stage` names them in progress reports.
 */
export type RunSteps = (
  steps: readonly Step[],
  options?: RunOptions,
  stage?: string,
) => Promise<void>;

export function createRunSteps(pool: Pool, heap: MemoryHeap, scratch: ScratchAreas): RunSteps {
  return async (steps, options, stage) => {
    const some = steps.filter(({ blocks }) => blocks > 0);
    if (some.length === 0) return;
    const most = some.reduce((bytes, { scratchBytes }) => Math.max(bytes, scratchBytes), 0);
    const areas = scratch.of(most);
    const sent = some.map(({ operation, args, blocks }) => ({ operation, args, blocks }));
    await pool.run({ steps: sent, scratch: areas, top: heap.top }, { ...options, stage });
  };
}

/** Runs all blocks of an operation; `stage` names it in progress reports. */
export type Run = <N extends OperationName>(
  name: N,
  args: OperationArgs<N>,
  options?: RunOptions,
  stage?: string,
) => Promise<void>;

export function createRun(runSteps: RunSteps): Run {
  return (name, args, options, stage) => runSteps([step(name, args)], options, stage);
}
