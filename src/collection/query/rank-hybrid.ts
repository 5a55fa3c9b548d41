import type { SearchDevice } from '../../device/device.js';
import type { KeywordScores } from '../../keywords/score-keywords.js';
import { platform } from '../../platform.js';
import { DeviceQueries } from '../../search/device-queries.js';
import type { Snapshot } from '../files/snapshot.js';
import { type Ranking, rankedAt, rankingOf } from './group-sources.js';
import { bestByKeywords, bestOf } from './rank-keywords.js';
import type { QuerySets } from './read-queries.js';
import { rerank } from './rerank.js';

/** A ranking, and how many documents were scored for it that had not been before. */
export interface HybridRanking extends Ranking {
  readonly added: number;
}

/**
 * The best k documents of one query by both: of the best by meaning and as many by keywords, each
 * by its exact MaxSim and its BM25. Equal scores rank by the order of the index.
 */
export async function hybridRanking(
  { device, snapshot }: { device: SearchDevice; snapshot: Snapshot },
  query: QuerySets,
  near: Ranking,
  words: KeywordScores,
  { k, depth, signal }: { k: number; depth: number; signal: AbortSignal | undefined },
): Promise<HybridRanking> {
  const best = rankingOf(await bestByKeywords(words, depth, signal), 0).documents;
  const known = new Set(near.documents);
  const others = best.filter((document) => !known.has(document)).sort();
  const also = await meaningOf(device, snapshot, query, others, signal);
  const { fusedScores } = await platform().loadKeywords();
  // ascending, so that equal scores keep the order of the index
  const found = fusedScores([near, also], query.counts[0], words);
  const { length } = found.scores;
  const { indices } = await bestOf(found.scores, Math.min(k, length), signal);
  return { ...rankedAt(found, [...indices]), added: others.length };
}

/** Exact MaxSim of documents. */
async function meaningOf(
  device: SearchDevice,
  snapshot: Snapshot,
  query: QuerySets,
  documents: Int32Array,
  signal: AbortSignal | undefined,
): Promise<Ranking> {
  const { length } = documents;
  if (length === 0) return { documents, scores: new Float32Array(0) };
  const queries = new DeviceQueries(device, query, { signal });
  try {
    return rankingOf(await rerank(device, snapshot, queries, [documents], length, signal), 0);
  } finally {
    await queries.close();
  }
}
