import type { RunOptions } from '../../../run-options.js';
import type { DeviceCodes } from '../../device-codes.js';
import type { EncodeRowsArgs, Retriever } from '../../retriever.js';
import { planSubset } from '../operations/search.js';
import type { Run } from './run.js';
import type { TensorStore } from './tensor-store.js';
import { topRows } from './top-rows.js';

/** `threads` says how the work is cut, not what comes out. */
export function cpuRetriever(store: TensorStore, run: Run, threads: number): Retriever {
  return {
    queryFeatures: (map, queries, out, options) =>
      run('queryFeatures', { map, queries, out }, options),
    innerProducts: (a, rows, b, columns, dim, out, options) =>
      run('innerProducts', { a, rows, b, columns, dim, out }, options),
    encodeRows: (args, rows, dim, prefixDim, options) =>
      encodeRows(store, run, args, { rows, dim, prefixDim }, options),
    ...topRows(store, run, threads),
    maxSim: (queries, documents, out, options) =>
      run('maxSim', { queries, documents, out }, options, 'exact MaxSim'),
    async maxSimSubset(queries, documents, candidates, candidateOffsets, out, options) {
      const plan = await store.upload('i32', planSubset(candidateOffsets));
      try {
        await run('maxSimSubset', { queries, documents, out, candidates, plan }, options, 'rerank');
      } finally {
        store.free(plan);
      }
    },
  };
}

async function encodeRows(
  store: TensorStore,
  run: Run,
  args: EncodeRowsArgs,
  shape: Pick<DeviceCodes, 'rows' | 'dim' | 'prefixDim'>,
  options: RunOptions | undefined,
): Promise<DeviceCodes> {
  const { rows, dim, prefixDim } = shape;
  // every query reads all of it
  const prefix = await store.allocate('i8', rows * prefixDim, 'preferred');
  const full = await store.allocate('i8', rows * dim);
  const scales = await store.allocate('f32', rows);
  const out = { ...shape, prefix, full, scales, checks: null };
  try {
    await run('encodeRows', { ...args, out }, options, 'first stage');
    return out;
  } catch (error) {
    store.free(prefix, full, scales);
    throw error;
  }
}
