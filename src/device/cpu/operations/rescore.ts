import { selectLargest } from '../../../kernels/select-largest.js';
import { selectTopK } from '../../../kernels/top-k.js';
import type { DeviceCodes } from '../../device-codes.js';
import type { Tensor } from '../../memory.js';
import { checkText } from './checksums.js';
import type { Context, Operation } from './operation.js';
import { SCRATCH_SLACK } from './operation.js';
import { queryCodes } from './query-codes.js';

/**
 * What `scanPrefix` has found: rows and scores, blocks x count x listed, a list that is not full
 * ending in -1.
 */
export interface PrefixLists {
  blocks: number;
  count: number;
  listed: number;
}

export interface RescoreArgs extends PrefixLists {
  documents: DeviceCodes;
  /** Queries x d'. */
  queries: Tensor<'f32'>;
  /** With lengths: <mean - base, q> for each query. */
  shifts: Tensor<'f32'> | null;
  rows: Tensor<'i32'>;
  prefixScores: Tensor<'f32'>;
  k: number;
  /** count x k. */
  indices: Tensor<'i32'>;
  scores: Tensor<'f32'>;
}

/**
 * Of each query's `listed` best rows by prefixes, the k best by full codes, ties by the lower row,
 * a query a block; scores estimate <w - mean, q>, or <w - base, q> with lengths.
 */
export const rescore: Operation<RescoreArgs> = {
  blocks: ({ count }) => count,
  scratchBytes: ({ documents: { dim }, blocks, listed }) =>
    SCRATCH_SLACK + 7 * dim + 64 + 4 * (listed * (3 * blocks + 2) + dim),
  run(context, args, query) {
    const { documents, queries, shifts, rows, prefixScores, k, indices, scores } = args;
    const numbers = bestListed(args, query, context.view(rows), context.view(prefixScores), {
      ints: (length) => context.at('i32', context.scratch(4 * length), length),
      floats: (length) => context.at('f32', context.scratch(4 * length), length),
    });
    const estimates = context.at('f32', context.scratch(4 * numbers.length), numbers.length);
    estimate(context, documents, queries, shifts, query, numbers, estimates);
    selectRows(estimates, numbers, k, context.view(indices), context.view(scores), query * k);
  },
};

/** Rows of a block. */
const ROWS = 64;

export interface ScoreRowsArgs {
  documents: DeviceCodes;
  /** Queries x d'. */
  queries: Tensor<'f32'>;
  /** As for `rescore`. */
  shifts: Tensor<'f32'> | null;
  count: number;
  listed: number;
  /** count x listed, a list that is not full ending in -1. */
  rows: Tensor<'i32'>;
  /** count x listed. */
  scores: Tensor<'f32'>;
}

/**
 * The part of `rescore` that reads codes, 64 rows of a query a block: for fewer queries than keep
 * all workers busy.
 */
export const scoreRows: Operation<ScoreRowsArgs> = {
  blocks: ({ count, listed }) => count * Math.ceil(listed / ROWS),
  scratchBytes: ({ documents: { dim } }) => SCRATCH_SLACK + 11 * dim + 64,
  run(context, { documents, queries, shifts, listed, rows, scores }, block) {
    const each = Math.ceil(listed / ROWS);
    const query = Math.floor(block / each);
    const from = query * listed + (block % each) * ROWS;
    const numbers = context.view(rows).subarray(from, Math.min(from + ROWS, (query + 1) * listed));
    const end = numbers.indexOf(-1);
    const used = end < 0 ? numbers.length : end;
    estimate(
      context,
      documents,
      queries,
      shifts,
      query,
      numbers.subarray(0, used),
      context.view(scores).subarray(from, from + used),
    );
  },
};

/**
 * estimates[i] = <w - mean, q>, with lengths <w - base, q>, by full codes of row numbers[i]. Raises
 * 'bad-file' where a row in a file cannot be read or is damaged.
 */
function estimate(
  context: Context,
  documents: DeviceCodes,
  queries: Tensor<'f32'>,
  shifts: Tensor<'f32'> | null,
  query: number,
  numbers: Int32Array,
  estimates: Float32Array,
): void {
  const { dim, full, checks, lengths } = documents;
  const { codes, scales } = queryCodes(context, queries, query, 1, dim);
  const rowScales = context.view(documents.scales);
  const queryScale = context.at('f32', scales, 1)[0];
  const product = context.scratch(4);
  const result = context.at('f32', product, 1);
  for (let i = 0; i < numbers.length; i++) {
    const mark = context.mark();
    const from = numbers[i] * dim;
    const row = context.stage(full, from, from + dim);
    if (checks) checkText(context, full, from, from + dim, row, checks, numbers[i]);
    context.kernels.scanI8(codes, row, 1, dim, product);
    context.rewind(mark);
    estimates[i] = result[0] * (queryScale * rowScales[numbers[i]]);
  }
  if (!lengths || !shifts) return;
  const [relative, shift] = [context.view(lengths.relative), context.view(shifts)[query]];
  for (let i = 0; i < numbers.length; i++)
    estimates[i] = relative[numbers[i]] * (estimates[i] + shift);
}

/** Where arrays for a while come from, content undefined. */
export interface ScratchArrays {
  ints(length: number): Int32Array;
  floats(length: number): Float32Array;
}

/**
 * The rows with the best prefixes in all blocks' lists for a query, ascending; the lists are
 * ascending, and their blocks are in order.
 */
export function bestListed(
  { blocks, count, listed }: PrefixLists,
  query: number,
  rows: Int32Array,
  prefixScores: Float32Array,
  scratch: ScratchArrays,
): Int32Array {
  const numbers = scratch.ints(blocks * listed);
  const values = scratch.floats(blocks * listed);
  let n = 0;
  for (let block = 0; block < blocks; block++) {
    for (let i = (block * count + query) * listed, end = i + listed; i < end && rows[i] >= 0; i++) {
      numbers[n] = rows[i];
      values[n++] = prefixScores[i];
    }
  }
  const best = scratch.ints(listed);
  const found = selectLargest(values, n, listed, scratch.floats(n), best, 0);
  for (let i = 0; i < found; i++) best[i] = numbers[best[i]];
  return best.subarray(0, found);
}

/**
 * The k rows with the largest estimates, best first, ties by the lower row, to `indices` and
 * `scores` at `at`; what is left is -1 and 0.
 */
export function selectRows(
  estimates: Float32Array,
  numbers: Int32Array,
  k: number,
  indices: Int32Array,
  scores: Float32Array,
  at: number,
): void {
  const found = selectTopK(estimates, numbers.length, k, 0, indices, scores, at);
  for (let i = at; i < at + found; i++) indices[i] = numbers[indices[i]];
  indices.fill(-1, at + found, at + k);
  scores.fill(0, at + found, at + k);
}
