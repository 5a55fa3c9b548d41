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

export interface ChooseRowsArgs extends PrefixLists {
  found: Tensor<'i32'>;
  foundScores: Tensor<'f32'>;
  /** count x listed, ascending; a list that is not full ends in -1. */
  rows: Tensor<'i32'>;
}

/** The `listed` rows of each query with the best prefixes in all blocks, a query a block. */
export const chooseRows: Operation<ChooseRowsArgs> = {
  blocks: ({ count }) => count,
  scratchBytes: ({ blocks, listed }) => SCRATCH_SLACK + 4 * listed * (3 * blocks + 1),
  run(context, args, query) {
    const { listed, found, foundScores, rows } = args;
    const best = bestListed(context, args, query, context.view(found), context.view(foundScores));
    const out = context.view(rows);
    out.set(best, query * listed);
    out.fill(-1, query * listed + best.length, (query + 1) * listed);
  },
};

export interface ScoreRowsArgs {
  documents: DeviceCodes;
  /** Queries x d'. */
  queries: Tensor<'f32'>;
  /** With lengths: <mean - base, q> for each query. */
  shifts: Tensor<'f32'> | null;
  count: number;
  listed: number;
  /** count x listed, a list that is not full ending in -1. */
  rows: Tensor<'i32'>;
  /** count x listed. */
  scores: Tensor<'f32'>;
  /** Rows of a block. */
  blockRows: number;
}

/**
 * scores = <w - mean, q>, with lengths <w - base, q>, by full codes of the rows of each query,
 * `blockRows` of them a block.
 */
export const scoreRows: Operation<ScoreRowsArgs> = {
  blocks: ({ count, listed, blockRows }) => count * Math.ceil(listed / blockRows),
  scratchBytes: ({ documents: { dim }, blockRows }) =>
    SCRATCH_SLACK + 11 * dim + 4 * blockRows + 64,
  run(context, { documents, queries, shifts, listed, rows, scores, blockRows }, block) {
    const each = Math.ceil(listed / blockRows);
    const query = Math.floor(block / each);
    const from = query * listed + (block % each) * blockRows;
    const to = Math.min(from + blockRows, (query + 1) * listed);
    const numbers = context.view(rows).subarray(from, to);
    const used = filled(numbers);
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
  const products = context.scratch(4 * numbers.length);
  // rows with checks are those of collections: of several segments, in files or not
  const resident = checks ? -1 : context.address(full);
  for (let i = 0; i < numbers.length; i++) {
    const from = numbers[i] * dim;
    const mark = context.mark();
    const to = from + dim;
    let row = resident < 0 ? context.address(full, from, to) : resident + from;
    if (row < 0) {
      row = context.stage(full, from, to);
      if (checks) checkText(context, full, from, to, row, checks, numbers[i]);
    }
    context.kernels.scanI8(codes, row, 1, dim, products + 4 * i);
    context.rewind(mark);
  }
  const values = context.at('f32', products, numbers.length);
  for (let i = 0; i < numbers.length; i++)
    estimates[i] = values[i] * (queryScale * rowScales[numbers[i]]);
  if (!lengths || !shifts) return;
  const [relative, shift] = [context.view(lengths.relative), context.view(shifts)[query]];
  for (let i = 0; i < numbers.length; i++)
    estimates[i] = relative[numbers[i]] * (estimates[i] + shift);
}

export interface SelectScoredArgs {
  count: number;
  listed: number;
  /** As `scoreRows` takes and leaves them. */
  rows: Tensor<'i32'>;
  scores: Tensor<'f32'>;
  k: number;
  /** count x k: rows, best first, ties by the lower row; short ones end in -1, score 0. */
  indices: Tensor<'i32'>;
  best: Tensor<'f32'>;
}

/** Of each query's rows the k with the best scores, a query a block. */
export const selectScored: Operation<SelectScoredArgs> = {
  blocks: ({ count }) => count,
  scratchBytes: ({ listed, k }) => SCRATCH_SLACK + 4 * listed + 8 * Math.min(k, listed),
  run(context, { listed, rows, scores, k, indices, best }, query) {
    const [from, to, at] = [query * listed, (query + 1) * listed, query * k];
    const numbers = context.view(rows).subarray(from, to);
    const values = context.view(scores).subarray(from, to);
    const [outRows, outScores] = [context.view(indices), context.view(best)];
    // a set first, in time that does not depend on k, and only that is ordered
    const kept = Math.min(k, listed);
    const places = context.at('i32', context.scratch(4 * kept), kept);
    const chosen = context.at('f32', context.scratch(4 * kept), kept);
    const moved = context.at('f32', context.scratch(4 * listed), listed);
    const many = selectLargest(values, filled(numbers), k, moved, places, 0);
    for (let i = 0; i < many; i++) chosen[i] = values[places[i]];
    const found = selectTopK(chosen, many, k, 0, outRows, outScores, at);
    for (let i = at; i < at + found; i++) outRows[i] = numbers[places[outRows[i]]];
    outRows.fill(-1, at + found, at + k);
    outScores.fill(0, at + found, at + k);
  },
};

/** Places of a list before the first -1. */
function filled(numbers: Int32Array): number {
  const end = numbers.indexOf(-1);
  return end < 0 ? numbers.length : end;
}

/**
 * The rows with the best prefixes in all blocks' lists for a query, ascending; the lists are
 * ascending, and their blocks are in order.
 */
function bestListed(
  context: Context,
  { blocks, count, listed }: PrefixLists,
  query: number,
  rows: Int32Array,
  prefixScores: Float32Array,
): Int32Array {
  const room = blocks * listed;
  const numbers = context.at('i32', context.scratch(4 * room), room);
  const values = context.at('f32', context.scratch(4 * room), room);
  let n = 0;
  for (let block = 0; block < blocks; block++) {
    for (let i = (block * count + query) * listed, end = i + listed; i < end && rows[i] >= 0; i++) {
      numbers[n] = rows[i];
      values[n++] = prefixScores[i];
    }
  }
  const best = context.at('i32', context.scratch(4 * listed), listed);
  const moved = context.at('f32', context.scratch(4 * n), n);
  const found = selectLargest(values.subarray(0, n), n, listed, moved, best, 0);
  for (let i = 0; i < found; i++) best[i] = numbers[best[i]];
  return best.subarray(0, found);
}
