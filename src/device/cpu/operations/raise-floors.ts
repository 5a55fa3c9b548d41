import { kthLargest } from '../../../kernels/select-largest.js';
import type { Tensor } from '../../memory.js';
import type { Operation } from './operation.js';
import { SCRATCH_SLACK } from './operation.js';
import type { PrefixLists } from './rescore.js';

export interface RaiseFloorsArgs extends PrefixLists {
  /** Lists of the first blocks, as `scanPrefix` leaves them. */
  found: Tensor<'i32'>;
  foundScores: Tensor<'f32'>;
  /** A score of each query that `listed` rows are known to reach. */
  floors: Tensor<'f32'>;
}

/** Raises each query's floor to what the first blocks' lists reach together, a query a block. */
export const raiseFloors: Operation<RaiseFloorsArgs> = {
  blocks: ({ count }) => count,
  scratchBytes: ({ blocks, listed }) => SCRATCH_SLACK + 4 * blocks * listed,
  run(context, { blocks, count, listed, found, foundScores, floors }, query) {
    const rows = context.view(found);
    const scores = context.view(foundScores);
    const reached = context.at('f32', context.scratch(4 * blocks * listed), blocks * listed);
    let n = 0;
    for (let block = 0; block < blocks; block++) {
      const from = (block * count + query) * listed;
      for (let i = from; i < from + listed && rows[i] >= 0; i++) reached[n++] = scores[i];
    }
    if (n >= listed) context.view(floors)[query] = kthLargest(reached, n, listed);
  },
};
