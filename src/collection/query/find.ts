import type { SearchDevice } from '../../device/device.js';
import { uploadTokens } from '../../device/device-tokens.js';
import { withTensors } from '../../device/with-tensors.js';
import { selectTopKPaced } from '../../kernels/top-k.js';
import { stepPacer } from '../../pacer.js';
import type { RunOptions } from '../../run-options.js';
import { scoreFetched } from '../../search/fetched-tokens.js';
import { firstStageCandidates } from '../../search/prefix/first-stage.js';
import type { TopK } from '../../search/top-documents.js';
import { sliceTexts } from '../../tokens/slice-texts.js';
import type { TokenSets } from '../../tokens/token-sets.js';
import type { Snapshot } from '../files/snapshot.js';
import type { CompiledFilter } from '../metadata/compile-filter.js';

/**
 * With no more documents passing than this, or than twice the candidates, all are scored exactly.
 */
const EXACT_DOCUMENTS = 512;
/** Full codes looked at for every candidate (docs/benchmarks/first-stage.md). */
const RESCORED = 4;
/** Several queries that want no less of the collection than this score all of it. */
const LEAST_SHARE = 1 / 4;
/** Scores that are copied in a step between two turns of the event loop. */
const STEP_ROWS = 256;
/**
 * Documents that are looked at by full codes in one call, those of all queries together: 8 bytes
 * each.
 */
const RESCORED_AT_ONCE = 1 << 22;
/** Pairs of a query and a document that are scored in one call. */
const PAIRS_AT_ONCE = 1 << 21;

/** How an answer was found. */
export interface SearchMethod {
  /**
   * `exact`: every document that passes was scored by MaxSim; `features`: the candidates of the
   * learned reduction were.
   */
  method: 'exact' | 'features';
  /** Documents that were scored by exact MaxSim. */
  candidates: number;
  /** Documents that pass the filter; all without one. */
  passing: number;
  /** Documents in the collection. */
  documents: number;
}

export interface Found {
  /** Numbers of documents; -1 where there are fewer than k. */
  top: TopK;
  how: SearchMethod;
}

export interface FindOptions extends RunOptions {
  k: number;
  numCandidates: number;
  filter: CompiledFilter | null;
  exact: boolean;
}

/**
 * The k best documents of each query: by exact MaxSim of all that pass, or of the candidates that
 * the first stage finds among them.
 */
export async function find(
  device: SearchDevice,
  snapshot: Snapshot,
  queries: TokenSets,
  options: FindOptions,
): Promise<Found> {
  const { k, numCandidates, filter, exact, signal } = options;
  const mask = filter ? await passing(snapshot, filter, signal) : snapshot.allowed;
  const passes = mask ? countOf(mask) : snapshot.documents;
  const how = { passing: passes, documents: snapshot.live };
  if (exact || !usesFeatures(snapshot, passes, numCandidates)) {
    const rows = mask ? listed(mask, passes) : allRows(snapshot.documents);
    const top = await scoreAll(device, snapshot, queries, rows, k, options);
    return { top, how: { method: 'exact', candidates: passes, ...how } };
  }
  const count = queries.counts.length;
  const top = emptyTop(count, k);
  const atOnce = Math.max(1, Math.floor(RESCORED_AT_ONCE / (RESCORED * numCandidates)));
  for (let from = 0; from < count; from += atOnce) {
    const some = sliceTexts(queries, from, Math.min(count, from + atOnce));
    const lists = await featureCandidates(device, snapshot, some, numCandidates, mask, signal);
    const found = await scoreLists(
      device,
      snapshot,
      some,
      lists,
      k,
      reportFrom(from, count, options),
    );
    top.indices.set(found.indices, from * k);
    top.scores.set(found.scores, from * k);
  }
  return { top, how: { method: 'features', candidates: numCandidates, ...how } };
}

/** Progress of some queries as that of all. */
function reportFrom(from: number, total: number, { signal, onProgress }: RunOptions): RunOptions {
  return {
    signal,
    onProgress:
      onProgress && (({ stage, done }) => onProgress({ stage, done: from + done, total })),
  };
}

/**
 * Whether candidates are found by features, or all documents that pass are scored, since there is
 * no model or they are few.
 */
export function usesFeatures(
  { model, codes }: Snapshot,
  passes: number,
  numCandidates: number,
): boolean {
  return model !== null && codes !== null && passes > Math.max(EXACT_DOCUMENTS, 2 * numCandidates);
}

/**
 * Numbers of the documents with the best estimates for each query, at most `numCandidates`, among
 * those that the mask allows. Only where `usesFeatures`.
 */
export async function featureCandidates(
  device: SearchDevice,
  { model, codes }: Snapshot,
  queries: TokenSets,
  numCandidates: number,
  mask: Uint8Array | null,
  signal: AbortSignal | undefined,
): Promise<Int32Array[]> {
  if (!model || !codes) throw new Error('there are no features');
  const count = queries.counts.length;
  return withTensors(device, async (scope) => {
    const uploaded = await uploadTokens(scope, queries);
    const features = await scope.allocate('f32', count * model.map.layout.latentDim);
    await device.queryFeatures(model.map, uploaded, features, { signal });
    const allowed =
      mask && (await scope.upload('i8', new Int8Array(mask.buffer, mask.byteOffset, mask.length)));
    const stage = { map: model.prefixMap, codes, queryProjection: model.queryProjection };
    const rescored = RESCORED * numCandidates;
    const { indices } = await firstStageCandidates(
      device,
      stage,
      features,
      count,
      rescored,
      numCandidates,
      { signal, allowed },
    );
    return Array.from({ length: count }, (_, q) =>
      indices.subarray(q * numCandidates, (q + 1) * numCandidates).filter((row) => row >= 0),
    );
  });
}

/** Numbers of documents that pass a filter and are not deleted, as a byte each. */
export async function passing(
  snapshot: Snapshot,
  filter: CompiledFilter,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const mask = new Uint8Array(snapshot.documents);
  for (const [i, { segment, deleted }] of snapshot.segments.entries()) {
    signal?.throwIfAborted();
    const found = await filter.evaluate(segment.columns, signal);
    const at = snapshot.firsts[i];
    mask.set(found, at);
    if (deleted)
      for (let row = 0; row < deleted.length; row++) if (deleted[row]) mask[at + row] = 0;
  }
  return mask;
}

/**
 * The k best of the same documents for each query. Where several queries want much of the
 * collection, all of it is read, once for many of them.
 */
async function scoreAll(
  device: SearchDevice,
  snapshot: Snapshot,
  queries: TokenSets,
  rows: Int32Array,
  k: number,
  options: RunOptions,
): Promise<TopK> {
  const count = queries.counts.length;
  const { documents } = snapshot;
  const { tokens } = snapshot;
  if ('fetch' in tokens || count === 1 || rows.length < LEAST_SHARE * documents)
    return scoreLists(
      device,
      snapshot,
      queries,
      new Array<Int32Array>(count).fill(rows),
      k,
      options,
    );
  const { signal, onProgress } = options;
  const step = stepPacer(signal);
  const top = emptyTop(count, k);
  const some = new Float32Array(rows.length);
  const queriesAtOnce = Math.max(1, Math.floor(PAIRS_AT_ONCE / documents));
  for (let from = 0; from < count; from += queriesAtOnce) {
    onProgress?.({ stage: 'search', done: from, total: count });
    const to = Math.min(count, from + queriesAtOnce);
    const scores = await withTensors(device, async (scope) => {
      const uploaded = await uploadTokens(scope, sliceTexts(queries, from, to));
      const out = await scope.allocate('f32', (to - from) * documents);
      await device.maxSim(uploaded, tokens, out, { signal });
      return device.read(out);
    });
    for (let q = from; q < to; q++) {
      const all = scores.subarray((q - from) * documents, (q - from + 1) * documents);
      for (let i = 0; i < rows.length; i++) some[i] = all[rows[i]];
      await step(rows.length / STEP_ROWS);
      await selectFrom(some, rows, k, top, q, step);
    }
  }
  onProgress?.({ stage: 'search', done: count, total: count });
  return top;
}

/**
 * The k best by exact MaxSim of a list of documents for each query, ties by the lower number where
 * the lists are ascending.
 */
export async function scoreLists(
  device: SearchDevice,
  snapshot: Snapshot,
  queries: TokenSets,
  lists: readonly Int32Array[],
  k: number,
  { signal, onProgress }: RunOptions,
): Promise<TopK> {
  const count = lists.length;
  const step = stepPacer(signal);
  const top = emptyTop(count, k);
  for (let from = 0; from < count; ) {
    onProgress?.({ stage: 'search', done: from, total: count });
    let to = from + 1;
    let pairs = lists[from].length;
    while (to < count && pairs + lists[to].length <= PAIRS_AT_ONCE) pairs += lists[to++].length;
    if (pairs > 0) {
      const numbers = new Int32Array(pairs);
      const offsets = new Int32Array(to - from + 1);
      for (let q = from; q < to; q++) {
        numbers.set(lists[q], offsets[q - from]);
        offsets[q - from + 1] = offsets[q - from] + lists[q].length;
      }
      const scores = await subsetScores(
        device,
        snapshot,
        sliceTexts(queries, from, to),
        numbers,
        offsets,
        signal,
      );
      for (let q = from; q < to; q++) {
        const [begin, end] = [offsets[q - from], offsets[q - from + 1]];
        await selectFrom(
          scores.subarray(begin, end),
          numbers.subarray(begin, end),
          k,
          top,
          q,
          step,
        );
      }
    }
    from = to;
  }
  onProgress?.({ stage: 'search', done: count, total: count });
  return top;
}

function subsetScores(
  device: SearchDevice,
  snapshot: Snapshot,
  queries: TokenSets,
  numbers: Int32Array,
  offsets: Int32Array,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const { tokens } = snapshot;
  return withTensors(device, async (scope) => {
    const uploaded = await uploadTokens(scope, queries);
    if ('fetch' in tokens) return scoreFetched(device, uploaded, tokens, numbers, offsets, signal);
    const chosen = await scope.upload('i32', numbers);
    const out = await scope.allocate('f32', numbers.length);
    await device.maxSimSubset(uploaded, tokens, chosen, offsets, out, { signal });
    return device.read(out);
  });
}

function emptyTop(queries: number, k: number): TopK {
  return {
    indices: new Int32Array(queries * k).fill(-1),
    scores: new Float32Array(queries * k).fill(-Infinity),
    k,
  };
}

/** The k largest scores of these documents as the answer to query q, ties by their order. */
async function selectFrom(
  scores: Float32Array,
  documents: Int32Array,
  k: number,
  top: TopK,
  q: number,
  step: (steps?: number) => Promise<void> | undefined,
): Promise<void> {
  const kept = await selectTopKPaced(
    scores,
    documents.length,
    k,
    top.indices,
    top.scores,
    q * k,
    step,
  );
  for (let i = q * k; i < q * k + kept; i++) top.indices[i] = documents[top.indices[i]];
}

function allRows(count: number): Int32Array {
  const rows = new Int32Array(count);
  for (let row = 0; row < count; row++) rows[row] = row;
  return rows;
}

function countOf(mask: Uint8Array): number {
  let count = 0;
  for (const byte of mask) count += byte;
  return count;
}

/** Where a mask is 1. */
export function listed(mask: Uint8Array, count: number = countOf(mask)): Int32Array {
  const rows = new Int32Array(count);
  let at = 0;
  for (let row = 0; row < mask.length; row++) if (mask[row] === 1) rows[at++] = row;
  return rows;
}
