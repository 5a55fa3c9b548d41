import type { SearchDevice } from '../../device/device.js';
import { platform } from '../../platform.js';
import type { RunOptions } from '../../run-options.js';
import type { AllowedDocuments } from '../../search/allowed-documents.js';
import type { CandidateSource } from '../../search/candidate-source.js';
import type { Snapshot } from '../files/snapshot.js';
import type { Filter } from '../metadata/filter.js';
import type { SearchMode } from '../options/options.js';
import type { CandidateCount } from './candidate-count.js';
import { type CandidateChoice, chooseCandidates } from './choose-candidates.js';
import { findDocuments } from './find-documents.js';
import { type Ranking, rankingOf } from './group-sources.js';
import { hybridRanking } from './rank-hybrid.js';
import { bestByKeywords } from './rank-keywords.js';
import { oneQuery, type QuerySets } from './read-queries.js';
import type { SearchMethod } from './search-result.js';
import { wordSegments } from './word-segments.js';

/** Documents that are taken of each ranking of a hybrid search that says nothing. */
const HYBRID_DEPTH = 200;

/** What all queries of a search have in common. */
export interface Search {
  readonly device: SearchDevice;
  readonly snapshot: Snapshot;
  readonly mode: SearchMode;
  readonly wanted: CandidateCount;
  readonly exact: boolean | undefined;
  readonly source: CandidateSource | undefined;
  readonly allowed: AllowedDocuments;
  readonly filter: Filter | undefined;
  readonly signal: AbortSignal | undefined;
}

/** The best `k` documents of each query, and how they were found. */
export interface Ranked {
  readonly k: number;
  readonly rankings: readonly Ranking[];
  /** Documents that were scored, of each query. */
  readonly scored: ArrayLike<number>;
  readonly method: Pick<SearchMethod, 'method' | 'source' | 'mode'>;
}

/** Ranks the best `k` documents of each query, by what the search ranks by. */
export function rank(
  search: Search,
  queries: QuerySets,
  k: number,
  onProgress?: RunOptions['onProgress'],
): Promise<Ranked> {
  const ranked = search.mode === 'meaning' ? rankByMeaning : rankByWords;
  return ranked(search, queries, k, onProgress);
}

/** Among candidates that are k at least. */
async function rankByMeaning(
  { device, snapshot, wanted, source, allowed, filter, signal }: Search,
  queries: QuerySets,
  k: number,
  onProgress: RunOptions['onProgress'],
): Promise<Ranked> {
  const enough = wanted === 'all' ? wanted : Math.max(wanted, k);
  const choice = chooseCandidates(snapshot, allowed.count, enough, source);
  const { text } = queries;
  const run = { k, choice, allowed, filter, text, signal, onProgress };
  const { top, scored } = await findDocuments(device, snapshot, queries, run);
  const rankings = Array.from(scored, (_, q) => rankingOf(top, q));
  return { k, rankings, scored, method: methodOf(choice) };
}

/** By keywords alone, or by both. */
async function rankByWords(
  search: Search,
  queries: QuerySets,
  k: number,
  onProgress: RunOptions['onProgress'],
): Promise<Ranked> {
  const { snapshot, mode, allowed, signal } = search;
  const depth = hybridDepth(search, k);
  const near =
    mode === 'hybrid' ? await rankByMeaning(search, queries, depth, onProgress) : undefined;
  const { scoreKeywords } = await platform().loadKeywords();
  const segments = wordSegments(snapshot);
  const mask = allowed.mask();
  const rankings: Ranking[] = [];
  const scored: number[] = [];
  const { text = [] } = queries;
  for (const [q, query] of text.entries()) {
    if (!near) onProgress?.({ stage: 'search', done: q, total: text.length });
    const found = await scoreKeywords(segments, snapshot.documents, query, mask, signal);
    if (near) {
      const own = oneQuery(queries, q);
      const ranking = await hybridRanking(search, own, near.rankings[q], found, {
        k,
        depth,
        signal,
      });
      rankings.push(ranking);
      scored.push(near.scored[q] + ranking.added);
    } else {
      const { scores, ...words } = found;
      rankings.push({ ...rankingOf(await bestByKeywords(found, k, signal), 0), words });
      scored.push(scores.reduce((count, score) => count + (score > 0 ? 1 : 0), 0));
    }
  }
  if (near) return { k, rankings, scored, method: { ...near.method, mode: 'hybrid' } };
  onProgress?.({ stage: 'search', done: text.length, total: text.length });
  return { k, rankings, scored, method: { method: 'keywords', mode: 'keywords' } };
}

/** How many of the best by meaning, and as many by keywords, a hybrid ranking of k is made of. */
export function hybridDepth(
  { wanted, exact, allowed }: Pick<Search, 'wanted' | 'exact' | 'allowed'>,
  k: number,
): number {
  if (exact) return Math.max(1, allowed.count);
  return Math.max(k, wanted === 'all' ? HYBRID_DEPTH : wanted);
}

function methodOf(choice: CandidateChoice): Pick<SearchMethod, 'method' | 'source'> {
  const { method } = choice;
  return method === 'source' ? { method, source: choice.source.name } : { method };
}
