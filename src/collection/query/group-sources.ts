import type { WeightedQuery } from '../../keywords/score-keywords.js';
import { stepPacer } from '../../pacer.js';
import type { TopK } from '../../search/top-documents.js';
import type { Snapshot } from '../files/snapshot.js';
import type { Metadata } from '../metadata/metadata.js';
import type { Hit } from '../options/results.js';
import { sourceOf } from './passage.js';

/** Passages that a hit of a source carries at most. */
const MOST_PASSAGES = 3;
/** Steps that a passage, or a hit, counts as between two turns of the event loop. */
const STEPS_A_PASSAGE = 8;
/** Passages that are ranked first for each source that is wanted. */
const PASSAGES_A_SOURCE = 4;

/** The best documents of one query, best first. */
export interface Ranking {
  readonly documents: Int32Array;
  readonly scores: Float32Array;
  /** What the scores of a hybrid search are made of. */
  readonly parts?: RankingParts | undefined;
  /** What a search by keywords looked for. */
  readonly words?: WeightedQuery | undefined;
}

/** MaxSim and BM25 of ranked documents. */
export interface RankingParts {
  readonly meaning: Float32Array;
  readonly keywords: Float32Array;
}

/** The ranking of query q, as long as it is. */
export function rankingOf({ indices, scores, k }: TopK, q: number): Ranking {
  let found = 0;
  while (found < k && indices[q * k + found] >= 0) found++;
  const [from, to] = [q * k, q * k + found];
  return { documents: indices.subarray(from, to), scores: scores.subarray(from, to) };
}

/** How many passages are ranked at first, so that there are k sources among them. */
export function passagesFor(k: number, documents: number): number {
  return Math.min(documents, PASSAGES_A_SOURCE * k);
}

/**
 * How many passages are ranked next, of `most`, where those ranked are of fewer than k sources;
 * undefined: they are of enough, or there are no more.
 */
export async function morePassages(
  snapshot: Snapshot,
  { documents }: Ranking,
  ranked: number,
  k: number,
  most: number,
  signal?: AbortSignal | undefined,
): Promise<number | undefined> {
  if (documents.length < ranked || ranked >= most) return undefined;
  const sources = new Set<string>();
  const step = stepPacer(signal);
  for (const document of documents) {
    const wait = step(STEPS_A_PASSAGE);
    if (wait) await wait;
    sources.add(sourceOf(snapshot, document));
    if (sources.size >= k) return undefined;
  }
  return Math.min(most, PASSAGES_A_SOURCE * ranked);
}

/** The passages that are shown of the k best sources: those of each one together, best first. */
export interface SourceRanking extends Ranking {
  /** How many there are of each source. */
  readonly counts: readonly number[];
}

/** The k best sources of a ranking: by their best passages. */
export async function bestSources(
  snapshot: Snapshot,
  ranking: Ranking,
  k: number,
  signal?: AbortSignal | undefined,
): Promise<SourceRanking> {
  const step = stepPacer(signal);
  const places = new Map<string, number[]>();
  for (const [place, document] of ranking.documents.entries()) {
    const wait = step(STEPS_A_PASSAGE);
    if (wait) await wait;
    const source = sourceOf(snapshot, document);
    const own = places.get(source);
    if (!own && places.size < k) places.set(source, [place]);
    else if (own && own.length < MOST_PASSAGES) own.push(place);
  }
  const shown: number[] = [];
  const counts: number[] = [];
  for (const own of places.values()) {
    counts.push(own.length);
    for (const place of own) shown.push(place);
    const wait = step();
    if (wait) await wait;
  }
  return { ...(await rankedAt(ranking, shown, step)), counts };
}

/** Places whose values are taken in one go. */
const PLACES = 2048;

/** What has these places in a ranking. Gives way to other work. */
export async function rankedAt(
  { documents, scores, parts, words }: Ranking,
  places: ArrayLike<number>,
  step: (steps?: number) => Promise<void> | undefined,
): Promise<Ranking> {
  const picked = async <A extends Int32Array | Float32Array>(values: A, out: A): Promise<A> => {
    for (let from = 0; from < places.length; from += PLACES) {
      const to = Math.min(places.length, from + PLACES);
      for (let i = from; i < to; i++) out[i] = values[places[i]];
      const wait = step((to - from) / 4);
      if (wait) await wait;
    }
    return out;
  };
  const pick = (values: Float32Array): Promise<Float32Array> =>
    picked(values, new Float32Array(places.length));
  return {
    documents: await picked(documents, new Int32Array(places.length)),
    scores: await pick(scores),
    parts: parts && { meaning: await pick(parts.meaning), keywords: await pick(parts.keywords) },
    words,
  };
}

/** Hits of sources, of those of the passages that are shown. */
export async function sourceHits<M extends Metadata>(
  passages: readonly Hit<M>[],
  counts: readonly number[],
  signal?: AbortSignal | undefined,
): Promise<Hit<M>[]> {
  const step = stepPacer(signal);
  const hits: Hit<M>[] = [];
  let from = 0;
  for (const count of counts) {
    const wait = step(STEPS_A_PASSAGE);
    if (wait) await wait;
    const own = passages.slice(from, from + count);
    from += count;
    const [best] = own;
    hits.push({ ...best, id: best.passage?.source ?? best.id, passages: own });
  }
  return hits;
}
