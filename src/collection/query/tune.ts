import type { SearchDevice } from '../../device/device.js';
import { encodeTexts } from '../../encoder/encode-texts.js';
import type { Encoder } from '../../encoder/encoder.js';
import { LemurError } from '../../errors.js';
import type { RunOptions } from '../../run-options.js';
import { joinTexts } from '../../tokens/join.js';
import { createRandom, type Random } from '../../tokens/random.js';
import { STREAM } from '../../tokens/random-streams.js';
import { sliceTexts } from '../../tokens/slice-texts.js';
import type { TokenSets } from '../../tokens/token-sets.js';
import type { Curve } from '../files/manifest.js';
import type { Snapshot } from '../files/snapshot.js';
import { sampleDocuments } from '../learn/sample.js';
import { type Found, featureCandidates, find, usesFeatures } from './find.js';
import { statsOf } from './stats.js';

/** Words, or tokens, of a query that is drawn from the collection. */
const QUERY_TOKENS = 6;
/** Documents behind the best that may score as the last of them does. */
const TIES = 10;
/** Most candidates that are tried. */
const MOST_CANDIDATES = 8192;

/**
 * Queries to measure with, and for each the document that it must not find, since it was drawn from
 * it; -1: none.
 */
export interface HeldOutQueries {
  queries: TokenSets;
  own: Int32Array;
}

/**
 * Queries drawn from documents chosen at random: with an encoder runs of words of their texts, read
 * as queries are, else runs of their consecutive token vectors.
 */
export async function drawQueries(
  snapshot: Snapshot,
  encoder: Encoder | undefined,
  count: number,
  seed: number,
  signal: AbortSignal | undefined,
): Promise<HeldOutQueries> {
  const random = createRandom(seed, STREAM.heldOutQueries);
  const documents = sampleDocuments(snapshot, count, seed, STREAM.heldOutQueries);
  const texts = encoder && (await drawTexts(snapshot, documents, random));
  const { dim } = snapshot.manifest;
  if (texts)
    return { queries: await encodeTexts(encoder, 'query', texts, { dim, signal }), own: documents };
  const parts: Float32Array[] = [];
  for (const document of documents) {
    signal?.throwIfAborted();
    const vectors = await snapshot.vectors(document);
    const rows = vectors.length / dim;
    const some = Math.min(rows, QUERY_TOKENS);
    const first = random.integer(rows - some + 1);
    parts.push(vectors.slice(first * dim, (first + some) * dim));
  }
  return { queries: await joinTexts(parts, dim, signal), own: documents };
}

/** Words of each document; undefined where one has none. */
async function drawTexts(
  snapshot: Snapshot,
  documents: Int32Array,
  random: Random,
): Promise<string[] | undefined> {
  const texts: string[] = [];
  for (const document of documents) {
    const { text = '' } = await snapshot.record(document);
    const words = text.split(/\s+/).filter((word) => word !== '');
    if (words.length === 0) return undefined;
    const some = Math.min(words.length, QUERY_TOKENS);
    const first = random.integer(words.length - some + 1);
    texts.push(words.slice(first, first + some).join(' '));
  }
  return texts;
}

/** Queries of the caller's, `count` of them at most. */
export function givenQueries(queries: TokenSets, count: number): HeldOutQueries {
  const some = sliceTexts(queries, 0, Math.min(queries.counts.length, count));
  return { queries: some, own: new Int32Array(some.counts.length).fill(-1) };
}

/**
 * Recall of the exact top k among the candidates of the first stage, for growing numbers of
 * candidates, on queries that the features were not learned from. Ends where all of them are found,
 * or with 8,192 candidates. Raises 'unsupported' where searches are exact anyway.
 */
export async function measureCurve(
  device: SearchDevice,
  snapshot: Snapshot,
  { queries, own }: HeldOutQueries,
  k: number,
  { signal, onProgress }: RunOptions,
): Promise<Pick<Curve, 'points' | 'queries' | 'documents' | 'k'>> {
  if (!snapshot.model) {
    const { why } = statsOf(snapshot).refit;
    const message = `tune: there is nothing to measure without features, exact searches find everything; ${why}`;
    throw new LemurError('unsupported', message, { where: 'tune' });
  }
  const count = queries.counts.length;
  const grid = candidateGrid(k, snapshot.live);
  const report = (done: number): void =>
    onProgress?.({ stage: 'tune', done, total: grid.length + 1 });
  report(0);
  // one more than k, since a query's own document does not count, and some that may score as the
  // last one does
  const width = k + 1 + TIES;
  const exact = await find(device, snapshot, queries, {
    k: width,
    numCandidates: width,
    filter: null,
    exact: true,
    signal,
  });
  const wanted = Array.from({ length: count }, (_, q) => wantedOf(exact, q, own[q], k));
  const points: Curve['points'] = [];
  for (const [i, numCandidates] of grid.entries()) {
    report(i + 1);
    // what is reranked exactly is found where it is among the candidates
    const lists = usesFeatures(snapshot, snapshot.live, numCandidates + 1)
      ? await featureCandidates(
          device,
          snapshot,
          queries,
          numCandidates + 1,
          snapshot.allowed,
          signal,
        )
      : null;
    const shares = wanted.map(({ documents, few }, q) => {
      if (!lists || few === 0) return 1;
      return (
        Math.min(
          few,
          lists[q].reduce((sum, document) => sum + (documents.has(document) ? 1 : 0), 0),
        ) / few
      );
    });
    const mean = shares.reduce((sum, share) => sum + share, 0) / count;
    const variance =
      shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / Math.max(1, count - 1);
    points.push([numCandidates, mean, Math.sqrt(variance / count)]);
    if (mean === 1) break;
  }
  report(grid.length + 1);
  return { points, queries: count, documents: snapshot.live, k };
}

/**
 * The best documents of a query but its own: those that score no less than the k-th, and how many
 * of them there is room for. What scores as the last does is as good as it: texts that occur twice
 * have equal scores.
 */
function wantedOf(
  { top: { indices, scores, k: width } }: Found,
  query: number,
  own: number,
  k: number,
): { documents: Set<number>; few: number } {
  const others = Array.from({ length: width }, (_, i) => query * width + i).filter(
    (at) => indices[at] >= 0 && indices[at] !== own,
  );
  const few = Math.min(k, others.length);
  const least = few > 0 ? scores[others[few - 1]] : 0;
  return {
    documents: new Set(others.filter((at) => scores[at] >= least).map((at) => indices[at])),
    few,
  };
}

/** k, then half as many again each time. */
function candidateGrid(k: number, documents: number): number[] {
  const grid: number[] = [];
  for (let n = k; n <= Math.min(MOST_CANDIDATES, documents); n = Math.ceil(n * 1.5)) grid.push(n);
  return grid;
}
