import { wholePanels } from '../../../kernels/kernels.js';
import { selectTopK } from '../../../kernels/top-k.js';
import type { DeviceTokens } from '../../device-tokens.js';
import type { Tensor } from '../../memory.js';
import { allowedRows, keepAllowed, reaches } from './allowed-rows.js';
import { largestProducts, packLanes, productScratch } from './largest-products.js';
import type { Context, Operation } from './operation.js';
import { SCRATCH_SLACK } from './operation.js';

/** Rows of W of a tile that stays in the cache while all queries pass. */
const TILE_ROWS = 64;

export interface TopArgs {
  queries: Tensor<'f32'>;
  count: number;
  w: Tensor<'f32'>;
  rows: number;
  dim: number;
  k: number;
  allowed: Tensor<'i8'> | null;
  /** Rows of a block. */
  blockRows: number;
  /** blocks x count x k. */
  indices: Tensor<'i32'>;
  scores: Tensor<'f32'>;
}

/**
 * For each query the k best inner products among the allowed rows of one block of w; unused places
 * stay -1.
 */
export const topInnerProducts: Operation<TopArgs> = {
  blocks: ({ rows, blockRows }) => Math.ceil(rows / blockRows),
  scratchBytes: ({ count, dim, blockRows }) =>
    SCRATCH_SLACK + 4 * (count * (dim + blockRows) + TILE_ROWS * dim + blockRows),
  run(context, { queries, count, w, rows, dim, k, allowed, blockRows, indices, scores }, block) {
    const first = block * blockRows;
    const used = Math.min(blockRows, rows - first);
    const positions = allowedRows(context, allowed, first, used);
    const q = context.stage(queries, 0, count * dim);
    const products = context.scratch(count * blockRows * 4);
    for (let tile = 0; tile < used; tile += TILE_ROWS) {
      const height = Math.min(TILE_ROWS, used - tile);
      if (!reaches(positions, tile, tile + height)) continue;
      const mark = context.mark();
      const address = context.stage(w, (first + tile) * dim, (first + tile + height) * dim);
      for (let i = 0; i < count; i++)
        context.kernels.scanF32(
          q + i * dim * 4,
          address,
          height,
          dim,
          products + (i * blockRows + tile) * 4,
        );
      context.rewind(mark);
    }
    const outIndices = context.view(indices);
    const outScores = context.view(scores);
    for (let i = 0; i < count; i++) {
      const at = (block * count + i) * k;
      const values = keepAllowed(context.at('f32', products + i * blockRows * 4, used), positions);
      const found = selectTopK(
        values,
        values.length,
        k,
        positions ? 0 : first,
        outIndices,
        outScores,
        at,
      );
      if (positions)
        for (let j = at; j < at + found; j++) outIndices[j] = first + positions[outIndices[j]];
      outIndices.fill(-1, at + found, at + k);
    }
  },
};

/** Query tokens that are scored together. */
const LANES_AT_ONCE = 2048;
/** Documents of a block. */
const DOCUMENTS = 64;

export interface MaxSimArgs {
  queries: DeviceTokens;
  documents: DeviceTokens;
  out: Tensor<'f32'>;
}

/**
 * out (queries x documents) = exact MaxSim, 64 documents a block; the tokens of many queries pass
 * over each tile of documents.
 */
export const maxSim: Operation<MaxSimArgs> = {
  blocks: ({ documents }) => Math.ceil(documents.documentCount / DOCUMENTS),
  scratchBytes({ queries, documents }) {
    const lanes = Math.max(LANES_AT_ONCE, wholePanels(queries.longest));
    return (
      SCRATCH_SLACK +
      productScratch(documents, lanes) +
      4 * lanes * (documents.dim + DOCUMENTS) +
      4 * DOCUMENTS
    );
  },
  run(context, { queries, documents, out }, block) {
    const total = documents.documentCount;
    const first = block * DOCUMENTS;
    const count = Math.min(DOCUMENTS, total - first);
    const offsets = context.view(queries.offsets);
    const result = context.view(out);
    for (let from = 0; from < queries.documentCount; ) {
      let to = from + 1;
      while (to < queries.documentCount && offsets[to + 1] - offsets[from] <= LANES_AT_ONCE) to++;
      const mark = context.mark();
      const sums = context.scratch(count * 4);
      const best = bestOfTokens(
        context,
        queries,
        documents,
        null,
        offsets[from],
        offsets[to] - offsets[from],
        first,
        first + count,
      );
      for (let q = from; q < to; q++) {
        context.kernels.sumRows(
          best + (offsets[q] - offsets[from]) * count * 4,
          offsets[q + 1] - offsets[q],
          count,
          count,
          0,
          sums,
        );
        const scores = context.at('f32', sums, count);
        for (let d = 0; d < count; d++) result[q * total + first + d] = scores[d];
      }
      context.rewind(mark);
      from = to;
    }
  },
};

/** Candidates of a block at most, and at least where there are more. */
const CANDIDATES = 16;
const LEAST_CANDIDATES = 4;

export interface MaxSimSubsetArgs extends MaxSimArgs {
  candidates: Tensor<'i32'>;
  /** Query, first candidate and last of each block. */
  plan: Tensor<'i32'>;
}

/**
 * The same for candidates of each query; out is parallel to them. Those of a block that end in -1
 * are left out.
 */
export const maxSimSubset: Operation<MaxSimSubsetArgs> = {
  blocks: ({ plan }) => plan.length / 3,
  scratchBytes({ queries, documents }) {
    const lanes = wholePanels(queries.longest);
    return (
      SCRATCH_SLACK +
      productScratch(documents, lanes) +
      4 * lanes * (documents.dim + CANDIDATES) +
      4 * CANDIDATES
    );
  },
  run(context, { queries, documents, out, candidates, plan }, block) {
    const { query, first, last, numbers } = plannedBlock(context, plan, candidates, block);
    if (last === first) return;
    const offsets = context.view(queries.offsets);
    const lanes = offsets[query + 1] - offsets[query];
    const sums = context.scratch((last - first) * 4);
    const best = bestOfTokens(
      context,
      queries,
      documents,
      numbers,
      offsets[query],
      lanes,
      first,
      last,
    );
    context.kernels.sumRows(best, lanes, last - first, last - first, 0, sums);
    const scores = context.at('f32', sums, last - first);
    const result = context.view(out);
    for (let i = first; i < last; i++) result[i] = scores[i - first];
  },
};

/** A block of a plan, less the places at its end that are -1. */
export function plannedBlock(
  context: Context,
  plan: Tensor<'i32'>,
  candidates: Tensor<'i32'>,
  block: number,
): { query: number; first: number; last: number; numbers: Int32Array } {
  const [query, first, end] = context.view(plan).subarray(3 * block, 3 * block + 3);
  const numbers = context.view(candidates);
  let last = end;
  while (last > first && numbers[last - 1] < 0) last--;
  return { query, first, last, numbers };
}

/**
 * Splits each query's candidates into blocks: (query, from, to) triples. Towards the end they are
 * smaller, so that no thread waits long for the last one.
 */
export function planSubset(candidateOffsets: Int32Array, threads: number): Int32Array {
  const plan: number[] = [];
  const all = candidateOffsets[candidateOffsets.length - 1];
  for (let q = 0; q + 1 < candidateOffsets.length; q++) {
    const end = candidateOffsets[q + 1];
    for (let from = candidateOffsets[q]; from < end; ) {
      const share = Math.ceil((all - from) / (2 * threads));
      const size = Math.min(Math.max(share, LEAST_CANDIDATES), CANDIDATES);
      const to = Math.min(from + size, end);
      plan.push(q, from, to);
      from = to;
    }
  }
  return Int32Array.from(plan);
}

/**
 * Address of lanes x (to - from): the largest inner product of each query token, rows `row` on,
 * with each document.
 */
function bestOfTokens(
  context: Context,
  queries: DeviceTokens,
  documents: DeviceTokens,
  numbers: Int32Array | null,
  row: number,
  lanes: number,
  from: number,
  to: number,
): number {
  const { dim } = documents;
  const best = context.scratch(lanes * (to - from) * 4);
  const packed = packLanes(
    context,
    documents,
    context.stage(queries.vectors, row * dim, (row + lanes) * dim),
    lanes,
  );
  largestProducts(context, documents, packed, numbers, from, to, best, to - from);
  return best;
}
