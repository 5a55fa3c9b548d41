import type { RunOptions } from '../../../run-options.js';
import {
  type OperationArgs,
  type OperationName,
  operations,
} from '../operations/all-operations.js';
import type { Operation } from '../operations/operation.js';
import type { TensorStore } from './tensor-store.js';
import type { Pool } from './worker-pool.js';

/** Runs all blocks of an operation; `stage` names it in progress reports. */
export type Run = <N extends OperationName>(
  name: N,
  args: OperationArgs<N>,
  options?: RunOptions,
  stage?: string,
) => Promise<void>;

export function createRun(pool: Pool, store: TensorStore): Run {
  return async (name, args, options, stage) => {
    const operation = operations[name] as unknown as Operation<typeof args>;
    const blocks = operation.blocks(args);
    if (blocks === 0) return;
    const scratch = store.scratchFor(operation.scratchBytes(args));
    await pool.run(
      { operation: name, args, blocks, scratch, top: store.top },
      { ...options, stage },
    );
  };
}
