import { LemurError } from '../../../errors.js';
import type { RunOptions } from '../../../run-options.js';
import type { Tensor } from '../../memory.js';
import type { TopRows } from '../../retriever.js';
import type { SearchTensors } from './kept-tensors.js';
import type { TensorStore } from './tensor-store.js';

/** Queries of one pass over the document weights. */
const QUERIES_AT_ONCE = 256;
/** Blocks of a pass at most, so that merging stays small. */
const BLOCKS = 64;

/**
 * Passes of at most 256 queries, or `most`: `find` gets the first one's number and how many there
 * are.
 */
export async function inPasses(
  count: number,
  options: RunOptions,
  most: number,
  find: (from: number, some: number) => Promise<void>,
): Promise<void> {
  const step = Math.min(QUERIES_AT_ONCE, most);
  options.onProgress?.({ stage: 'candidates', done: 0, total: count });
  for (let from = 0; from < count; from += step) {
    const some = Math.min(step, count - from);
    await find(from, some);
    options.onProgress?.({ stage: 'candidates', done: from + some, total: count });
  }
}

/** Queries from .. from + some, `dim` wide each, as a tensor of their own, or as they are. */
export async function queriesOfPass(
  store: TensorStore,
  tensors: SearchTensors,
  queries: Tensor<'f32'>,
  dim: number,
  from: number,
  some: number,
): Promise<Tensor<'f32'>> {
  if (queries.length === some * dim) return queries;
  return tensors.upload('f32', await store.read(queries, from * dim, (from + some) * dim));
}

/** Blocks of at least `least` rows, a multiple of 64. */
export function blocksOf(rows: number, least: number): { blockRows: number; blocks: number } {
  const blockRows = Math.max(least, Math.ceil(rows / BLOCKS / 64) * 64);
  return { blockRows, blocks: Math.ceil(rows / blockRows) };
}

/** A mask of so many rows, or none. Raises 'invalid-argument'. */
export function maskOf(
  allowed: Tensor<'i8'> | null | undefined,
  rows: number,
): Tensor<'i8'> | null {
  if (!allowed || allowed.length === rows) return allowed ?? null;
  const message = `allowed: expected a value for each of ${rows} rows, got ${allowed.length}`;
  throw new LemurError('invalid-argument', message, { where: 'allowed' });
}

/** The rows of queries from .. from + some, as many of each as there are, to a top of k each. */
export function putRows(
  { indices, scores }: TopRows,
  k: number,
  from: number,
  some: number,
  rows: Int32Array,
  best: Float32Array,
): void {
  const found = rows.length / some;
  for (let q = 0; q < some; q++) {
    indices.set(rows.subarray(q * found, (q + 1) * found), (from + q) * k);
    scores.set(best.subarray(q * found, (q + 1) * found), (from + q) * k);
  }
}

/** No rows yet: queries x k. */
export function emptyTop(count: number, k: number): TopRows {
  return { indices: new Int32Array(count * k).fill(-1), scores: new Float32Array(count * k) };
}
