import { selectTopK } from '../../../kernels/top-k.js';
import type { Tensor } from '../../memory.js';
import type { TopOptions, TopRows } from '../../retriever.js';
import { withTensors } from '../../with-tensors.js';
import { blocksOf, emptyTop, inPasses, maskOf, queriesOfPass } from './query-passes.js';
import type { Run } from './run.js';
import type { TensorStore } from './tensor-store.js';

/** Rows of a block at least. */
const LEAST_ROWS = 512;

/** What is searched for what. */
export interface InnerProductSearch {
  /** count x dim. */
  queries: Tensor<'f32'>;
  count: number;
  /** rows x dim. */
  w: Tensor<'f32'>;
  rows: number;
  dim: number;
}

/** The k best rows of all of W for each query. */
export async function topInnerProducts(
  store: TensorStore,
  run: Run,
  { queries, count, w, rows, dim }: InnerProductSearch,
  k: number,
  options: TopOptions,
): Promise<TopRows> {
  const allowed = maskOf(options.allowed, rows);
  const top = emptyTop(count, k);
  const kept = Math.min(k, rows);
  const { blockRows, blocks } = blocksOf(rows, LEAST_ROWS);
  await inPasses(count, options, Infinity, (from, some) =>
    withTensors(store, async (scope) => {
      const indices = await scope.allocate('i32', blocks * some * kept);
      const scores = await scope.allocate('f32', blocks * some * kept);
      const part = await queriesOfPass(store, scope, queries, dim, from, some);
      const shape = { count: some, w, rows, dim, k: kept, allowed, blockRows };
      const { signal } = options;
      await run('topInnerProducts', { queries: part, ...shape, indices, scores }, { signal });
      const lists = { indices: await store.read(indices), scores: await store.read(scores) };
      mergeTop({ ...lists, blocks, count: some, k: kept }, k, top, from * k);
    }),
  );
  return top;
}

/**
 * Best rows of each block for each query: blocks x count x k, a list that is not full ending in -1.
 */
interface BlockLists extends TopRows {
  blocks: number;
  count: number;
  k: number;
}

/**
 * The best of all blocks' lists, query q at `at` + q * stride. Equal scores rank by row, since the
 * blocks are in order.
 */
function mergeTop(
  { indices, scores, blocks, count, k }: BlockLists,
  stride: number,
  out: TopRows,
  at: number,
): void {
  const pooledScores = new Float32Array(blocks * k);
  const pooledIndices = new Int32Array(blocks * k);
  for (let q = 0; q < count; q++) {
    let n = 0;
    for (let block = 0; block < blocks; block++) {
      for (let i = (block * count + q) * k, end = i + k; i < end && indices[i] >= 0; i++) {
        pooledIndices[n] = indices[i];
        pooledScores[n++] = scores[i];
      }
    }
    const first = at + q * stride;
    const kept = selectTopK(pooledScores, n, k, 0, out.indices, out.scores, first);
    for (let i = first; i < first + kept; i++) out.indices[i] = pooledIndices[out.indices[i]];
  }
}
