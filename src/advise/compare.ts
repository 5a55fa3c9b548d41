import type { Snapshot } from '../collection/files/snapshot.js';
import type { Ranking } from '../collection/query/group-sources.js';
import { sourceOf } from '../collection/query/passage.js';
import { pacer } from '../pacer.js';
import { ndcgAt, overlapAt } from '../search/metrics.js';
import type { ComparedSearch, Judgements } from './compared.js';
import { latencyOf } from './latency.js';
import type { Measured } from './rounds.js';

/**
 * Holds what was found to the first setting, which is exact, and to the judgements, one for each
 * query. Documents that were cut count once, by their best passages.
 */
export async function compare(
  measured: readonly Measured[],
  judgements: readonly (Judgements | undefined)[],
  snapshot: Snapshot,
  k: number,
  signal: AbortSignal | undefined,
): Promise<ComparedSearch[]> {
  const pace = pacer(signal);
  const exact = measured[0].rankings.map((ranking) => named(ranking, snapshot));
  const rows: ComparedSearch[] = [];
  for (const { setting, rankings, times } of measured) {
    const shares: number[] = [];
    const gains: number[] = [];
    for (const [q, ranking] of rankings.entries()) {
      await pace();
      const found = named(ranking, snapshot).ids.slice(0, k);
      shares.push(overlapAt(found, exact[q], k));
      const grades = judgements[q];
      if (grades) gains.push(ndcgAt(found, grades, k));
    }
    const { method, name, numCandidates, stageBytes, tokenBytes } = setting;
    rows.push({
      ...{ method, name, numCandidates },
      recall: meanOf(shares),
      ndcg: gains.length > 0 ? meanOf(gains) : null,
      latency: latencyOf(times),
      ...{ stageBytes, tokenBytes },
    });
  }
  return rows;
}

/** Ids of documents, each once with its best score, best first. */
function named(
  { documents, scores }: Ranking,
  snapshot: Snapshot,
): { ids: string[]; scores: number[] } {
  const best = new Map<string, number>();
  for (const [i, document] of documents.entries()) {
    const id = sourceOf(snapshot, document);
    if (!best.has(id)) best.set(id, scores[i]);
  }
  return { ids: [...best.keys()], scores: [...best.values()] };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
