import type { SearchDevice } from '../../device/device.js';
import type { KeywordScores } from '../../keywords/score-keywords.js';
import { stepPacer } from '../../pacer.js';
import { platform } from '../../platform.js';
import { DeviceQueries } from '../../search/device-queries.js';
import type { Snapshot } from '../files/snapshot.js';
import { type Ranking, rankedAt, rankingOf } from './group-sources.js';
import { different } from './look-up.js';
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
  const step = stepPacer(signal);
  const best = rankingOf(await bestByKeywords(words, depth, signal), 0).documents;
  const others = await withoutThose(best, near.documents, snapshot.documents, signal);
  const also = await meaningOf(device, snapshot, query, others, signal);
  const { fusedScores } = await platform().loadKeywords();
  // ascending, so that equal scores keep the order of the index
  const found = await fusedScores([near, also], query.counts[0], words, step);
  const { length } = found.scores;
  const { indices } = await bestOf(found.scores, Math.min(k, length), signal);
  return { ...(await rankedAt(found, indices, step)), added: others.length };
}

/** Documents that are not among others, ascending; all are numbers below `count`. */
async function withoutThose(
  documents: Int32Array,
  others: Int32Array,
  count: number,
  signal: AbortSignal | undefined,
): Promise<Int32Array> {
  const step = stepPacer(signal);
  const known = new Set<number>();
  for (const document of others) {
    known.add(document);
    const wait = step(1 / 2);
    if (wait) await wait;
  }
  const left = new Int32Array(documents.length).fill(-1);
  for (const [i, document] of documents.entries()) {
    if (!known.has(document)) left[i] = document;
    const wait = step(1 / 2);
    if (wait) await wait;
  }
  return different(left, count, signal);
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
