import type { SearchDevice } from '../device/device.js';
import type { DeviceTokens } from '../device/device-tokens.js';
import type { ScoreOptions } from '../device/retriever.js';
import { withTensors } from '../device/with-tensors.js';
import { selectTopKPaced } from '../kernels/top-k.js';
import { stepPacer } from '../pacer.js';
import type { RunOptions } from '../run-options.js';
import type { DeviceQueries } from './device-queries.js';
import { type FetchedTokens, scoreFetched } from './fetched-tokens.js';
import { emptyTopK, type TopK } from './top-documents.js';

/** Pairs of a query and a document in one call of the device; one query may have more. */
const PAIRS_AT_ONCE = 1 << 21;
/** From this share of the documents on, several queries score all of them together. */
const LEAST_SHARE = 1 / 4;
/** Scores that are copied in a step between two turns of the event loop. */
const STEP_ROWS = 256;

/** How many queries with so many candidates each, among so many documents, make one call. */
export function queriesAtOnce(candidates: number, documents: number): number {
  const scored = candidates >= LEAST_SHARE * documents ? documents : candidates;
  return Math.max(1, Math.floor(PAIRS_AT_ONCE / scored));
}

/**
 * The k best of each query's list of documents (numbers) by exact MaxSim; equal scores rank by the
 * order of the list. Where many queries share one list that is much of the documents, these are
 * read once for all of them. Rejects with the signal's reason.
 */
export async function scoreDocuments(
  device: SearchDevice,
  queries: DeviceQueries,
  documents: DeviceTokens | FetchedTokens,
  lists: readonly Int32Array[],
  k: number,
  options: RunOptions = {},
): Promise<TopK> {
  const step = stepPacer(options.signal);
  const top = emptyTopK(lists.length, k);
  const offsets = listOffsets(lists);
  if (offsets[lists.length] === 0) return top;
  if (!('fetch' in documents) && sharesMuch(lists, documents.documentCount)) {
    const rows = lists[0];
    const best = isAll(rows, documents.documentCount) ? k : undefined;
    const all = await scoreAll(device, queries, documents, { ...options, best });
    const scores = new Float32Array(rows.length);
    for (let q = 0; q < lists.length; q++) {
      const from = q * documents.documentCount;
      for (let i = 0; i < rows.length; i++) scores[i] = all[from + rows[i]];
      await step(rows.length / STEP_ROWS);
      await selectFrom(scores, rows, top, q, step);
    }
    return top;
  }
  const scores = await scoreLists(device, queries, documents, lists, offsets, {
    ...options,
    best: k,
  });
  for (let q = 0; q < lists.length; q++)
    await selectFrom(scores.subarray(offsets[q], offsets[q + 1]), lists[q], top, q, step);
  return top;
}

/** Exact MaxSim of each query with all documents, queries x documents; all, or the `best`. */
export async function scoreAll(
  device: SearchDevice,
  queries: DeviceQueries,
  documents: DeviceTokens,
  options: ScoreOptions = {},
): Promise<Float32Array> {
  const uploaded = await queries.uploaded();
  return withTensors(device, async (scope) => {
    const out = await scope.allocate('f32', queries.count * documents.documentCount);
    await device.maxSim(uploaded, documents, out, options);
    return device.read(out);
  });
}

/** Exact MaxSim of each query with its list, one list after the other. */
async function scoreLists(
  device: SearchDevice,
  queries: DeviceQueries,
  documents: DeviceTokens | FetchedTokens,
  lists: readonly Int32Array[],
  offsets: Int32Array,
  options: ScoreOptions,
): Promise<Float32Array> {
  const numbers = new Int32Array(offsets[lists.length]);
  for (const [q, list] of lists.entries()) numbers.set(list, offsets[q]);
  const uploaded = await queries.uploaded();
  if ('fetch' in documents)
    return scoreFetched(device, uploaded, documents, numbers, offsets, options.signal);
  return withTensors(device, async (scope) => {
    const chosen = await scope.upload('i32', numbers);
    const out = await scope.allocate('f32', numbers.length);
    await device.maxSimSubset(uploaded, documents, chosen, offsets, out, options);
    return device.read(out);
  });
}

/** Where each list begins when they lie one after the other, and where the last ends. */
function listOffsets(lists: readonly Int32Array[]): Int32Array {
  const offsets = new Int32Array(lists.length + 1);
  for (const [q, list] of lists.entries()) offsets[q + 1] = offsets[q] + list.length;
  return offsets;
}

function sharesMuch(lists: readonly Int32Array[], documents: number): boolean {
  const [rows] = lists;
  const much = rows.length >= (lists.length > 1 ? LEAST_SHARE * documents : documents);
  return much && lists.every((list) => list === rows);
}

/** Whether the rows are all documents, each once, in order. */
function isAll(rows: Int32Array, documents: number): boolean {
  return rows.length === documents && rows.every((row, i) => row === i);
}

/** The k best of these documents as the row of query q. */
async function selectFrom(
  scores: Float32Array,
  documents: Int32Array,
  { indices, scores: best, k }: TopK,
  q: number,
  step: (steps?: number) => Promise<void> | undefined,
): Promise<void> {
  const at = q * k;
  const kept = await selectTopKPaced(scores, documents.length, k, indices, best, at, step);
  for (let i = at; i < at + kept; i++) indices[i] = documents[indices[i]];
}
