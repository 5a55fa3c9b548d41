import { selectLargest, selectTopK } from '../../../kernels/top-k.js';
import type { DeviceCodes, EncodeRowsArgs, Tensor } from '../../device.js';
import type { Context, Operation } from '../operation.js';
import { SCRATCH_SLACK } from '../operation.js';
import { gemmScratch } from './forward.js';

/** Rows of a block that is encoded. */
const ROWS = 64;
/** Bytes of prefixes that stay in the cache while all queries pass. */
const TILE_BYTES = 1 << 17;

/** Prefixes and full codes of document weights, 64 rows a block. */
export const encodeRows: Operation<EncodeRowsArgs & { out: DeviceCodes }> = {
  blocks: ({ out }) => Math.ceil(out.rows / ROWS),
  scratchBytes: ({ out: { dim, prefixDim } }) =>
    SCRATCH_SLACK + 4 * (gemmScratch(ROWS) + dim * (2 * ROWS + prefixDim + 1) + ROWS * prefixDim) + ROWS * (dim + prefixDim),
  run(context, { w, negativeMean, map, step, out }, block) {
    const { kernels } = context;
    const { rows, dim, prefixDim } = out;
    const first = block * ROWS;
    const count = Math.min(ROWS, rows - first);
    const centred = context.scratch(count * dim * 4);
    context.at('f32', centred, count * dim).set(context.view(w).subarray(first * dim, (first + count) * dim));
    kernels.addBias(centred, count, dim, context.stage(negativeMean, 0, dim));

    const projected = context.scratch(count * prefixDim * 4);
    const matrix = context.stage(map, 0, prefixDim * dim);
    const scratch = context.scratch(gemmScratch(count) * 4);
    kernels.gemmF32(count, prefixDim, dim, centred, dim, 1, matrix, 1, dim, projected, prefixDim, 0, scratch);
    const prefix = context.scratch(count * prefixDim);
    kernels.quantizeI8(projected, count * prefixDim, 1 / step, prefix);
    context.view(out.prefix).set(context.at('i8', prefix, count * prefixDim), first * prefixDim);

    const codes = context.scratch(count * dim);
    const factors = context.view(out.factors);
    for (let r = 0; r < count; r++) {
      const row = centred + r * dim * 4;
      const largest = kernels.largestAbs(row, dim);
      kernels.quantizeI8(row, dim, largest > 0 ? 127 / largest : 0, codes + r * dim);
      factors[first + r] = largest / 127;
    }
    context.view(out.codes).set(context.at('i8', codes, count * dim), first * dim);
  },
};

export interface ScanPrefixArgs {
  documents: DeviceCodes;
  /** Queries x prefix dimension. */
  queries: Tensor<'f32'>;
  count: number;
  k: number;
  /** Rows of a block. */
  blockRows: number;
  /** Rows and scores, blocks x count x k. */
  rows: Tensor<'i32'>;
  scores: Tensor<'f32'>;
}

/** For each query the k rows of one block whose prefixes have the largest products with it, ascending; what is left of a list is -1. */
export const scanPrefix: Operation<ScanPrefixArgs> = {
  blocks: ({ documents, blockRows }) => Math.ceil(documents.rows / blockRows),
  scratchBytes: ({ documents: { prefixDim }, count, blockRows }) =>
    SCRATCH_SLACK + count * (4 * blockRows + 6 * prefixDim + 8) + TILE_BYTES + prefixDim + 4 * blockRows,
  run(context, { documents, queries, count, k, blockRows, rows, scores }, block) {
    const { prefix, prefixDim } = documents;
    const first = block * blockRows;
    const used = Math.min(blockRows, documents.rows - first);
    const { codes, bytes } = queryCodes(context, queries, 0, count, prefixDim);
    const products = context.scratch(count * blockRows * 4);
    const tileRows = Math.max(1, Math.floor(TILE_BYTES / prefixDim));
    for (let tile = 0; tile < used; tile += tileRows) {
      const mark = context.mark();
      const height = Math.min(tileRows, used - tile);
      const address = context.stage(prefix, (first + tile) * prefixDim, (first + tile + height) * prefixDim);
      for (let i = 0; i < count; i++)
        context.kernels.scanI8(codes + i * bytes, address, height, prefixDim, products + (i * blockRows + tile) * 4);
      context.rewind(mark);
    }
    const outRows = context.view(rows);
    const outScores = context.view(scores);
    const moved = context.at('f32', context.scratch(4 * used), used);
    for (let i = 0; i < count; i++) {
      const at = (block * count + i) * k;
      const values = context.at('f32', products + i * blockRows * 4, used);
      const end = at + selectLargest(values, used, k, moved, outRows, at);
      for (let j = at; j < end; j++) {
        outScores[j] = values[outRows[j]];
        outRows[j] += first;
      }
      outRows.fill(-1, end, at + k);
    }
  },
};

export interface RescoreArgs {
  documents: DeviceCodes;
  /** Queries x d'. */
  queries: Tensor<'f32'>;
  count: number;
  /** What `scanPrefix` has found: blocks x count x listed. */
  rows: Tensor<'i32'>;
  prefixScores: Tensor<'f32'>;
  blocks: number;
  listed: number;
  k: number;
  /** count x k. */
  indices: Tensor<'i32'>;
  scores: Tensor<'f32'>;
}

/** Of each query's `listed` best rows by prefixes, the k best by full codes, ties by the lower row, a query a block; scores estimate <w - mean, q>. */
export const rescore: Operation<RescoreArgs> = {
  blocks: ({ count }) => count,
  scratchBytes: ({ documents: { dim }, blocks, listed }) => SCRATCH_SLACK + 7 * dim + 64 + 4 * (listed * (3 * blocks + 2) + dim),
  run(context, args, query) {
    const { documents, queries, k, indices, scores } = args;
    const { dim } = documents;
    const { codes, factors } = queryCodes(context, queries, query, 1, dim);
    const numbers = bestListed(context, args, query);
    const candidates = numbers.length;
    const products = context.scratch(candidates * 4);
    for (let i = 0; i < candidates; i++) {
      const mark = context.mark();
      const row = context.stage(documents.codes, numbers[i] * dim, (numbers[i] + 1) * dim);
      context.kernels.scanI8(codes, row, 1, dim, products + i * 4);
      context.rewind(mark);
    }
    const estimates = context.at('f32', products, candidates);
    const rowFactors = context.view(documents.factors);
    const queryFactor = context.at('f32', factors, 1)[0];
    for (let i = 0; i < candidates; i++) estimates[i] *= queryFactor * rowFactors[numbers[i]];
    const outIndices = context.view(indices);
    const at = query * k;
    const found = selectTopK(estimates, candidates, k, 0, outIndices, context.view(scores), at);
    for (let i = at; i < at + found; i++) outIndices[i] = numbers[outIndices[i]];
  },
};

/** The rows with the best prefixes in all blocks' lists for a query, ascending; the lists are ascending, and their blocks are in order. */
function bestListed(context: Context, { rows, prefixScores, blocks, count, listed }: RescoreArgs, query: number): Int32Array {
  const numbers = context.at('i32', context.scratch(4 * blocks * listed), blocks * listed);
  const values = context.at('f32', context.scratch(4 * blocks * listed), blocks * listed);
  const allRows = context.view(rows);
  const allScores = context.view(prefixScores);
  let n = 0;
  for (let block = 0; block < blocks; block++) {
    for (let i = (block * count + query) * listed, end = i + listed; i < end && allRows[i] >= 0; i++) {
      numbers[n] = allRows[i];
      values[n++] = allScores[i];
    }
  }
  const best = context.at('i32', context.scratch(4 * listed), listed);
  const found = selectLargest(values, n, listed, context.at('f32', context.scratch(4 * n), n), best, 0);
  for (let i = 0; i < found; i++) best[i] = numbers[best[i]];
  return best.subarray(0, found);
}

/** Codes of float32 queries first .. first + count, `bytes` apart, and what each query's are worth. */
function queryCodes(
  context: Context,
  queries: Tensor<'f32'>,
  first: number,
  count: number,
  dim: number,
): { codes: number; bytes: number; factors: number } {
  const bytes = 2 * (dim + (dim & 1));
  const codes = context.scratch(count * bytes);
  const factors = context.scratch(count * 4);
  const mark = context.mark();
  const q = context.stage(queries, first * dim, (first + count) * dim);
  // with int8 on the other side the sum must fit int32
  const limit = Math.min(4095, Math.floor((2 ** 31 - 1) / (127 * dim)));
  context.kernels.quantizeRowsI16(q, count, dim, limit, 0, codes, factors);
  context.rewind(mark);
  return { codes, bytes, factors };
}
