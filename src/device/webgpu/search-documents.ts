import { sliceTexts } from '../../tokens/slice-texts.js';
import type { TokenSets } from '../../tokens/token-sets.js';
import { uploadTokens } from '../device-tokens.js';
import type { DocumentSearch, FoundDocuments, SearchDepths, TopOptions } from '../retriever.js';
import { withTensors } from '../with-tensors.js';
import type { GpuContext } from './gpu-context.js';
import { eachLanes, scoreEntries } from './max-sim.js';
import { isOnDevice } from './ranges.js';
import { reduceQueries } from './reduce-queries.js';
import { type Scratch, withScratch } from './scratch.js';
import {
  chooseByCodes,
  emptyTop,
  maskOf,
  putBest,
  queriesAtOnce,
  type ReadRows,
  readSelected,
} from './top-codes.js';

/**
 * Candidates of queries by codes and the best of these by exact MaxSim. What is computed stays on
 * the device from a query's tokens to its candidates' scores.
 */
export async function searchDocuments(
  context: GpuContext,
  search: DocumentSearch,
  queries: TokenSets,
  { rescored, candidates, k }: SearchDepths,
  options: TopOptions,
): Promise<FoundDocuments> {
  const count = queries.counts.length;
  const { rows } = search.codes;
  const depths = {
    listed: Math.min(Math.max(rescored, candidates), rows),
    k: Math.min(candidates, rows),
  };
  const top = { ...emptyTop(count, k), scored: new Int32Array(count) };
  const step = queriesAtOnce(rows);
  options.onProgress?.({ stage: 'candidates', done: 0, total: count });
  for (let from = 0; from < count; from += step) {
    const to = Math.min(count, from + step);
    await withScratch(context.queue, async (scratch) => {
      const part = sliceTexts(queries, from, to);
      const found = await scoredCandidates(context, scratch, search, part, depths, options);
      for (let q = from; q < to; q++) {
        const list = listOf(found, q - from, depths.k);
        top.scored[q] = list.numbers.length;
        putBest(top, q, k, list);
      }
    });
    options.onProgress?.({ stage: 'candidates', done: to, total: count });
  }
  return top;
}

/** Candidates of each query, in the order of rows, their scores by codes and by MaxSim. */
interface ScoredCandidates extends ReadRows {
  readonly maxSims: Float32Array;
}

async function scoredCandidates(
  context: GpuContext,
  scratch: Scratch,
  { codes, documents, ...reduction }: DocumentSearch,
  queries: TokenSets,
  depths: { listed: number; k: number },
  { allowed, signal }: TopOptions,
): Promise<ScoredCandidates> {
  const { queue, memory } = context;
  const { k } = depths;
  const count = queries.counts.length;
  return withTensors(memory, async (scope) => {
    const tokens = await uploadTokens(scope, queries);
    const mask = await maskOf(context, scratch, allowed, codes.rows);
    const { prefixDim } = codes;
    const of = await reduceQueries(context, scratch, reduction, tokens, prefixDim, signal);
    const options = { mask, signal };
    const chosen = await chooseByCodes(context, scratch, codes, of, depths, options);
    const resident = isOnDevice(memory.pieces(documents.vectors));
    const early = resident ? null : await readSelected(context, chosen, count * k);
    const maxSims = scratch.take(count * k * 4);
    await eachLanes(context, tokens, documents, async (scored, lanes) => {
      for (let query = lanes.first; query < lanes.last; query++) {
        const entries = { from: query * k, count: k, chosen: chosen.numbers };
        const wanted = early?.numbers.subarray(query * k, (query + 1) * k);
        const out = { buffer: maxSims, at: query * k };
        await scoreEntries(context, scored, lanes, query, entries, out, { wanted, signal });
      }
    });
    const [read, scores] = await Promise.all([
      early ?? readSelected(context, chosen, count * k),
      queue.read(maxSims, 0, count * k * 4),
    ]);
    return { ...read, maxSims: new Float32Array(scores) };
  });
}

/** Candidates of a query, best by codes first, with their scores by MaxSim. */
function listOf({ numbers, scores, maxSims }: ScoredCandidates, q: number, k: number): ReadRows {
  const order = emptyTop(1, k);
  const own = { numbers: numbers.subarray(q * k, (q + 1) * k), scores: scores.subarray(q * k) };
  const places = Int32Array.from(own.numbers, (number, i) => (number < 0 ? -1 : i));
  putBest(order, 0, k, { numbers: places, scores: own.scores });
  const found = order.indices.filter((place) => place >= 0);
  return {
    numbers: found.map((place) => own.numbers[place]),
    scores: Float32Array.from(found, (place) => maxSims[q * k + place]),
  };
}
