import type { RunOptions } from '../../run-options.js';
import type { DeviceTokens } from '../device-tokens.js';
import type { Tensor } from '../memory.js';
import type { GpuContext } from './gpu-context.js';
import { folded, type GpuQueue } from './gpu-queue.js';
import { documentRanges, type Entries, type Lanes, maxDots } from './max-dots.js';
import { ascending, isOnDevice } from './ranges.js';
import { preparedLanes, type ScoredTokens, scoredTokens } from './scored-tokens.js';
import { withScratch } from './scratch.js';
import type { Span } from './transfer.js';

/** Query tokens that are scored at once, but for longer queries. */
const MOST_LANES = 16384;
/** Bytes of largest products by token. */
const BEST_BYTES = 64 * 2 ** 20;

/** Queries first .. last, and their tokens on the device. */
export interface QueryLanes extends Lanes {
  readonly first: number;
  readonly last: number;
  /** Where tokens of each query begin, of all queries. */
  readonly ends: Int32Array;
}

/** out (queries x documents) = exact MaxSim. */
export async function maxSim(
  context: GpuContext,
  queries: DeviceTokens,
  documents: DeviceTokens,
  out: Tensor<'f32'>,
  { signal, onProgress }: RunOptions = {},
): Promise<void> {
  const { queue, memory } = context;
  const { documentCount: total } = documents;
  const stage = { stage: 'exact MaxSim', total: queries.documentCount };
  onProgress?.({ ...stage, done: 0 });
  await eachLanes(context, queries, documents, async (scored, lanes) => {
    const columns = Math.max(1, Math.floor(BEST_BYTES / 4 / lanes.count));
    for (let from = 0; from < total; from += columns) {
      const count = Math.min(columns, total - from);
      await withScratch(queue, async (scratch) => {
        const best = { buffer: scratch.take(lanes.count * count * 4), at: 0 };
        const entries = { from, count, chosen: null };
        await maxDots(context, scored, lanes, entries, best, count, { signal });
        for (let query = lanes.first; query < lanes.last; query++) {
          const at = query * total + from;
          await memory.fill(out, at, at + count, scratch, (span) =>
            sumLanes(queue, lanes, query, best.buffer, entries, span),
          );
        }
      });
    }
    onProgress?.({ ...stage, done: lanes.last });
  });
}

/** out[i] = exact MaxSim of each query with candidates[i], i from ends[q] to ends[q + 1]. */
export async function maxSimSubset(
  context: GpuContext,
  queries: DeviceTokens,
  documents: DeviceTokens,
  candidates: Tensor<'i32'>,
  ends: Int32Array,
  out: Tensor<'f32'>,
  { signal, onProgress }: RunOptions = {},
): Promise<void> {
  const { queue, memory } = context;
  const stage = { stage: 'rerank', total: candidates.length };
  onProgress?.({ ...stage, done: 0 });
  await eachLanes(context, queries, documents, async (scored, lanes) => {
    for (let query = lanes.first; query < lanes.last; query++) {
      const [from, to] = [ends[query], ends[query + 1]];
      await withScratch(queue, async (scratch) => {
        const chosen = await memory.whole(candidates, scratch);
        const entries = { from, count: to - from, chosen };
        const wanted = isOnDevice(memory.pieces(documents.vectors))
          ? undefined
          : await memory.read(candidates, from, to);
        await memory.fill(out, from, to, scratch, (span) =>
          scoreEntries(context, scored, lanes, query, entries, span, { wanted, signal }),
        );
      });
    }
    onProgress?.({ ...stage, done: ends[lanes.last] });
  });
}

/** Queries in parts whose tokens are not too many, and documents as a shader reads them. */
export async function eachLanes(
  context: GpuContext,
  queries: DeviceTokens,
  documents: DeviceTokens,
  use: (scored: ScoredTokens, lanes: QueryLanes) => Promise<void>,
): Promise<void> {
  const ends = await context.memory.numbersOf(queries.offsets);
  const scored = await scoredTokens(context, documents);
  try {
    for (let first = 0; first < queries.documentCount; ) {
      let last = first + 1;
      while (last < queries.documentCount && ends[last + 1] - ends[first] <= MOST_LANES) last++;
      const [from, to] = [ends[first], ends[last]];
      await withScratch(context.queue, async (scratch) => {
        const rows = await preparedLanes(context, scratch, queries, from, to, scored);
        await use(scored, { rows, count: to - from, first, last, ends });
      });
      first = last;
    }
  } finally {
    scored.free();
  }
}

/** Scores of a query's chosen documents (of those in the host's memory the wanted), to a span. */
export async function scoreEntries(
  context: GpuContext,
  scored: ScoredTokens,
  { rows, first, ends }: QueryLanes,
  query: number,
  entries: Entries,
  out: Span,
  { wanted, signal }: { wanted: Int32Array | undefined; signal: AbortSignal | undefined },
): Promise<void> {
  if (entries.count === 0) return;
  const { queue } = context;
  const count = ends[query + 1] - ends[query];
  const at = rows.at + (ends[query] - ends[first]) * scored.laneLength;
  const own = { rows: { buffer: rows.buffer, at }, count, first: query, last: query + 1, ends };
  const ranges = wanted && documentRanges(context, scored, ascending(wanted));
  const columns = Math.max(1, Math.floor(BEST_BYTES / 4 / count));
  for (let from = 0; from < entries.count; from += columns) {
    const some = Math.min(columns, entries.count - from);
    const part = { ...entries, from: entries.from + from, count: some };
    await withScratch(queue, async (scratch) => {
      const best = { buffer: scratch.take(count * some * 4), at: 0 };
      await maxDots(context, scored, own, part, best, some, { ranges, signal });
      await sumLanes(queue, own, query, best.buffer, part, { ...out, at: out.at + from });
    });
  }
}

async function sumLanes(
  queue: GpuQueue,
  { first, ends }: QueryLanes,
  query: number,
  best: GPUBuffer,
  { from, count, chosen }: Entries,
  out: Span,
): Promise<void> {
  const lanes = [ends[query] - ends[first], ends[query + 1] - ends[first]];
  const numbers = [count, count, ...lanes, out.at, from, Number(chosen !== null)];
  await queue.dispatch(
    'sumLanes',
    numbers,
    [best, chosen, out.buffer],
    folded(Math.ceil(count / 64)),
  );
}
