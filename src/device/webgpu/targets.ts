import type { DeviceTokens } from '../device-tokens.js';
import type { TargetsOptions } from '../learner.js';
import type { Tensor } from '../memory.js';
import type { GpuContext } from './gpu-context.js';
import { folded } from './gpu-queue.js';
import { documentRanges, type Entries, maxDots } from './max-dots.js';
import { ascending } from './ranges.js';
import { preparedLanes, type ScoredTokens, scoredTokens } from './scored-tokens.js';
import { type Scratch, withScratch } from './scratch.js';
import type { Span } from './transfer.js';

/** Rows whose targets are computed at once, and bytes of these. */
const MOST_ROWS = 16384;
const TILE_BYTES = 128 * 2 ** 20;
/** Values whose sums a workgroup adds up, as moments.wgsl has them. */
const SUMMED = 4096;

/** out[i * columns + j] = largest inner product of x[i] with document select[j]; their sums. */
export async function targets(
  context: GpuContext,
  x: Tensor<'f32'>,
  rows: number,
  documents: DeviceTokens,
  select: Tensor<'i32'> | null,
  out: Tensor<'f32'>,
  { divisors, signal, onProgress }: TargetsOptions = {},
): Promise<{ sum: number; sumSquares: number }> {
  const { queue, memory } = context;
  const columns = select?.length ?? documents.documentCount;
  const step = rowsAtOnce(columns);
  const total = { sum: 0, sumSquares: 0 };
  const scored = await scoredTokens(context, documents);
  try {
    const numbers = select && (await memory.numbersOf(select));
    onProgress?.({ stage: 'targets', done: 0, total: rows });
    for (let from = 0; from < rows; from += step) {
      const to = Math.min(rows, from + step);
      await withScratch(queue, async (scratch) => {
        const entries = {
          ...{ from: 0, count: columns, tokens: tokensOf(scored, numbers) },
          chosen: select && (await memory.whole(select, scratch)),
          divisors: divisors && (await memory.whole(divisors, scratch)),
        };
        const x1 = { x, from, to };
        const values = (to - from) * columns;
        await memory.fill(out, from * columns, to * columns, scratch, async (span) => {
          await targetRows(context, scratch, scored, x1, entries, numbers, span, signal);
          const sums = await momentsOf(context, scratch, span, values);
          total.sum += sums.sum;
          total.sumSquares += sums.sumSquares;
        });
      });
      onProgress?.({ stage: 'targets', done: to, total: rows });
    }
  } finally {
    scored.free();
  }
  return total;
}

/** Rows that as many targets as `columns` of each have room for. */
export function rowsAtOnce(columns: number): number {
  return Math.min(MOST_ROWS, Math.max(1, Math.floor(TILE_BYTES / 4 / Math.max(1, columns))));
}

/** Targets of rows from .. to of x, rows x entries. */
export async function targetRows(
  context: GpuContext,
  scratch: Scratch,
  scored: ScoredTokens,
  { x, from, to }: { x: Tensor<'f32'>; from: number; to: number },
  entries: Entries,
  numbers: Int32Array | null,
  out: Span,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { documents } = scored;
  const given = { vectors: x, dim: documents.dim };
  const rows = await preparedLanes(context, scratch, given, from, to, scored);
  const ranges = documentRanges(context, scored, numbers ? ascending(numbers) : undefined);
  const lanes = { rows, count: to - from };
  await maxDots(context, scored, lanes, entries, out, entries.count, { ranges, signal });
}

/** Tokens of the selected documents, or of all. */
function tokensOf({ offsets, documents }: ScoredTokens, select: Int32Array | null): number {
  if (!select) return offsets[documents.documentCount];
  return select.reduce((sum, d) => sum + offsets[d + 1] - offsets[d], 0);
}

/** Sums of values: of each block on the device, in float64 across them. */
async function momentsOf(
  { queue }: GpuContext,
  scratch: Scratch,
  { buffer, at }: Span,
  values: number,
): Promise<{ sum: number; sumSquares: number }> {
  const blocks = Math.ceil(values / SUMMED);
  const sums = scratch.take(blocks * 8);
  await queue.dispatch('moments', [values, at, 0], [buffer, sums], folded(blocks));
  const read = new Float32Array(await queue.read(sums, 0, blocks * 8));
  const total = { sum: 0, sumSquares: 0 };
  for (let block = 0; block < blocks; block++) {
    total.sum += read[2 * block];
    total.sumSquares += read[2 * block + 1];
  }
  return total;
}
