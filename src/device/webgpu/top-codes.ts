import { LemurError } from '../../errors.js';
import { selectTopK } from '../../kernels/top-k.js';
import type { DeviceCodes } from '../device-codes.js';
import type { Tensor } from '../memory.js';
import type { TopRows } from '../retriever.js';
import type { GpuContext } from './gpu-context.js';
import { float } from './gpu-queue.js';
import { byRows, product } from './product.js';
import { ascending, isOnDevice, rangesOf } from './ranges.js';
import { type Scratch, withScratch } from './scratch.js';
import { type SelectedRows, selectRows } from './select-rows.js';
import type { Span } from './transfer.js';

/** Bytes of scores of a pass over the rows, but for one query. */
const SCORE_BYTES = 128 * 2 ** 20;
/** Queries of a pass. */
const MOST_QUERIES = 256;
/** Rows of a dispatch that looks at full codes. */
const MOST_ITEMS = 32768;

/** Queries of one pass. */
export interface CodeQueries {
  readonly count: number;
  /** count x d'. */
  readonly queries: Span;
  /** count x prefixDim. */
  readonly prefixes: Span;
  /** Of codes with lengths; null: without. */
  readonly shifts: GPUBuffer | null;
}

/** Queries that a pass takes, each with a score for so many rows. */
export function queriesAtOnce(rows: number): number {
  return Math.min(MOST_QUERIES, Math.max(1, Math.floor(SCORE_BYTES / 4 / Math.max(1, rows))));
}

/** A mask of so many rows, or none. Raises 'invalid-argument'. */
export async function maskOf(
  { memory }: GpuContext,
  scratch: Scratch,
  allowed: Tensor<'i8'> | null | undefined,
  rows: number,
): Promise<GPUBuffer | null> {
  if (!allowed) return null;
  if (allowed.length === rows) return memory.whole(allowed, scratch);
  const message = `allowed: expected a value for each of ${rows} rows, got ${allowed.length}`;
  throw new LemurError('invalid-argument', message, { where: 'allowed' });
}

/** The k best by full codes of the `listed` rows with the best prefixes, in the order of rows. */
export async function chooseByCodes(
  context: GpuContext,
  scratch: Scratch,
  documents: DeviceCodes,
  of: CodeQueries,
  { listed, k }: { listed: number; k: number },
  { mask, signal }: { mask: GPUBuffer | null; signal: AbortSignal | undefined },
): Promise<SelectedRows> {
  const { queue, memory } = context;
  const { rows, prefixDim, prefix, lengths } = documents;
  const { count, prefixes, shifts } = of;
  const scores = scratch.take(count * rows * 4);
  const startOf = (row: number): number => row * prefixDim;
  for (const { first, last } of rangesOf(memory.pieces(prefix), rows, startOf))
    await withScratch(queue, async (own) => {
      const codes = await memory.span(prefix, startOf(first), startOf(last), own);
      const sizes = { rows: count, columns: last - first, depth: prefixDim, outRow: rows };
      const [left, right] = [byRows(prefixes, prefixDim), byRows(codes, prefixDim)];
      const out = { buffer: scores, at: first };
      await product(queue, { ...sizes, left, right, out, codes: true }, signal);
    });
  if (lengths && shifts) {
    const relative = await memory.whole(lengths.relative, scratch);
    const groups = Math.ceil(rows / 64);
    const across = Math.min(groups, MOST_ITEMS);
    const numbers = [rows, float(lengths.step)];
    const shape = [across, count, Math.ceil(groups / across)];
    await queue.dispatch('stretch', numbers, [relative, shifts, scores], shape);
  }
  const lists = { scores, lists: count, items: rows, mask, numbers: null };
  const chosen = await selectRows(queue, scratch, lists, listed);
  const estimates = await rescore(context, scratch, documents, of, chosen.numbers, listed, signal);
  const again = { lists: count, items: listed, mask: null, numbers: chosen.numbers };
  return selectRows(queue, scratch, { ...again, scores: estimates }, k);
}

/** Scores of the listed rows of each query by full codes, count x listed. */
async function rescore(
  context: GpuContext,
  scratch: Scratch,
  { rows, dim, full, scales, lengths }: DeviceCodes,
  { count, queries, shifts }: CodeQueries,
  numbers: GPUBuffer,
  listed: number,
  signal: AbortSignal | undefined,
): Promise<GPUBuffer> {
  const { queue, memory } = context;
  const estimates = scratch.take(count * listed * 4);
  const pieces = memory.pieces(full);
  const wanted = isOnDevice(pieces)
    ? undefined
    : ascending(new Int32Array(await queue.read(numbers, 0, count * listed * 4)));
  const stretches = lengths && shifts ? 1 : 0;
  const relative = stretches && lengths ? await memory.whole(lengths.relative, scratch) : null;
  const worth = await memory.whole(scales, scratch);
  const startOf = (row: number): number => row * dim;
  for (const { first, last } of rangesOf(pieces, rows, startOf, wanted))
    await withScratch(queue, async (own) => {
      const codes = await memory.span(full, startOf(first), startOf(last), own);
      for (let item = 0; item < listed; item += MOST_ITEMS) {
        const some = Math.min(MOST_ITEMS, listed - item);
        await queue.dispatch(
          'rescore',
          [dim, listed, first, last - first, codes.at, stretches, item, queries.at],
          [codes.buffer, worth, queries.buffer, numbers, relative, shifts, estimates],
          [some, count],
        );
        await queue.turn(2 * some * count * dim, signal);
      }
    });
  return estimates;
}

/** Selected rows of each query, in the order of rows. */
export interface ReadRows {
  readonly numbers: Int32Array;
  readonly scores: Float32Array;
}

export async function readSelected(
  { queue }: GpuContext,
  { numbers, scores }: SelectedRows,
  length: number,
): Promise<ReadRows> {
  const [rows, values] = await Promise.all([
    queue.read(numbers, 0, length * 4),
    queue.read(scores, 0, length * 4),
  ]);
  return { numbers: new Int32Array(rows), scores: new Float32Array(values) };
}

/** No rows yet: queries x k. */
export function emptyTop(count: number, k: number): TopRows {
  return { indices: new Int32Array(count * k).fill(-1), scores: new Float32Array(count * k) };
}

/**
 * The k best of a list, best first, ties by their order, as query `q` of a top; what is -1 in the
 * list ends it.
 */
export function putBest(top: TopRows, q: number, k: number, list: ReadRows): void {
  const end = list.numbers.indexOf(-1);
  const many = end < 0 ? list.numbers.length : end;
  const at = q * k;
  const found = selectTopK(list.scores, many, k, 0, top.indices, top.scores, at);
  for (let i = at; i < at + found; i++) top.indices[i] = list.numbers[top.indices[i]];
}
