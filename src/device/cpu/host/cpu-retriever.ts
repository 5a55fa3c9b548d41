import type { RunOptions } from '../../../run-options.js';
import type { DeviceCodes } from '../../device-codes.js';
import type { EncodeRowsArgs, Retriever, TopOptions } from '../../retriever.js';
import { withTensors } from '../../with-tensors.js';
import { planSubset } from '../operations/max-sim.js';
import { bestScores } from './best-scores.js';
import { KeptTensors } from './kept-tensors.js';
import { createRun, type Run, type RunSteps } from './run.js';
import { searchDocuments } from './search-documents.js';
import type { TensorStore } from './tensor-store.js';
import { CodeSearch } from './top-codes.js';
import { topInnerProducts } from './top-inner-products.js';

/**
 * `threads` says how the work is cut, and `firstLook` whether documents get one where the best are
 * asked for; neither says what comes out.
 */
export function cpuRetriever(
  store: TensorStore,
  runSteps: RunSteps,
  threads: number,
  firstLook: boolean,
): Retriever {
  const run = createRun(runSteps);
  const host = { store, kept: new KeptTensors(store), run: runSteps, threads, firstLook };
  const codeSearch = (documents: DeviceCodes, options: TopOptions): CodeSearch =>
    new CodeSearch(host, documents, options);
  return {
    queryFeatures: (featureMap, queries, out, options) =>
      run('queryFeatures', { featureMap, queries, out }, options),
    innerProducts: (a, rows, b, columns, dim, out, options) =>
      run('innerProducts', { a, rows, b, columns, dim, out }, options),
    encodeRows: (args, rows, dim, prefixDim, options) =>
      encodeRows(store, run, args, { rows, dim, prefixDim }, options),
    topInnerProducts: (queries, count, w, rows, dim, k, options = {}) =>
      topInnerProducts(store, run, { queries, count, w, rows, dim }, k, options),
    async topCodes(documents, queries, prefixes, count, rescored, k, options = {}) {
      const search = codeSearch(documents, options);
      const shifts = options.shifts ?? null;
      return search.top({ queries, prefixes, shifts, count, steps: [] }, rescored, k);
    },
    async topCodesOfTokens(documents, queries, rescored, k, options = {}) {
      return codeSearch(documents, options).topOfTokens(queries, rescored, k);
    },
    async searchDocuments(search, queries, depths, options = {}) {
      return searchDocuments(host, search, queries, depths, options);
    },
    maxSim: (queries, documents, out, options) =>
      withTensors(store, async (scope) => {
        const args = { queries, documents, out };
        const best = firstLook ? await bestScores(store, scope, args, options) : null;
        if (best) await run('bestMaxSim', { ...args, ...best }, options, 'exact MaxSim');
        else await run('maxSim', args, options, 'exact MaxSim');
      }),
    maxSimSubset: (queries, documents, candidates, candidateOffsets, out, options) =>
      withTensors(store, async (scope) => {
        const plan = await scope.upload('i32', planSubset(candidateOffsets, threads));
        const args = { queries, documents, out, candidates, plan };
        const best = firstLook ? await bestScores(store, scope, args, options) : null;
        if (!best) return run('maxSimSubset', args, options, 'rerank');
        const ranges = await scope.upload('i32', candidateOffsets);
        await run('bestMaxSimSubset', { ...args, ...best, ranges }, options, 'rerank');
      }),
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
