import type { RunOptions } from '../../../run-options.js';
import {
  type OperationArgs,
  type OperationName,
  operations,
} from '../operations/all-operations.js';
import type { Operation } from '../operations/operation.js';
import type { MemoryHeap } from './memory-heap.js';
import type { ScratchAreas } from './scratch-areas.js';
import type { Pool } from './worker-pool.js';

/** Runs all blocks of an operation; `stage` names it in progress reports. */
export type Run = <N extends OperationName>(
  name: N,
  args: OperationArgs<N>,
  options?: RunOptions,
  stage?: string,
) => Promise<void>;

export function createRun(pool: Pool, heap: MemoryHeap, scratch: ScratchAreas): Run {
  return async (name, args, options, stage) => {
    const operation = operations[name] as unknown as Operation<typeof args>;
    const blocks = operation.blocks(args);
    if (blocks === 0) return;
    const areas = scratch.of(operation.scratchBytes(args));
    await pool.run(
      { operation: name, args, blocks, scratch: areas, top: heap.top },
      { ...options, stage },
    );
  };
}
