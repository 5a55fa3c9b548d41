import { invalidArgument } from '../errors.js';
import { checkK } from './check-k.js';

/**
 * An exact ranking, best first, with the scores that decide ties. It may go on behind k: the more
 * of the ties at the cut it holds, the better.
 */
export interface ExactRanking<Id extends string | number> {
  readonly ids: ArrayLike<Id>;
  /** Descending, one for each id. Without scores no ties are assumed. */
  readonly scores?: ArrayLike<number> | undefined;
}

/**
 * nDCG at k as trec_eval (`ndcg_cut`) and BEIR compute it: sum over ranks r = 1..k of grade /
 * log2(r + 1), divided by the same sum of the best possible ranking. Documents without a judgement
 * and grades below 0 count 0. Between 0 and 1; 0 for a query without relevant documents. Raises
 * `invalid-argument` when a document occurs twice among the first k.
 */
export function ndcgAt(
  ranking: readonly string[],
  judgements: ReadonlyMap<string, number>,
  k: number,
): number {
  checkRanking(ranking, k, 'ndcgAt');
  let gain = 0;
  for (let i = 0; i < Math.min(k, ranking.length); i++)
    gain += discounted(judgements.get(ranking[i]) ?? 0, i);
  const grades = [...judgements.values()].sort((a, b) => b - a);
  let ideal = 0;
  for (let i = 0; i < Math.min(k, grades.length); i++) ideal += discounted(grades[i], i);
  return ideal === 0 ? 0 : gain / ideal;
}

/**
 * The part of the relevant documents (grade above 0) among the first k, as trec_eval's `recall`.
 * Between 0 and 1; 0 for a query without relevant documents. Raises `invalid-argument` when a
 * document occurs twice among the first k.
 */
export function recallAt(
  ranking: readonly string[],
  judgements: ReadonlyMap<string, number>,
  k: number,
): number {
  checkRanking(ranking, k, 'recallAt');
  let found = 0;
  for (let i = 0; i < Math.min(k, ranking.length); i++)
    if ((judgements.get(ranking[i]) ?? 0) > 0) found++;
  let relevant = 0;
  for (const grade of judgements.values()) if (grade > 0) relevant++;
  return relevant === 0 ? 0 : found / relevant;
}

/**
 * The part of the exact top k that is among the candidates, as sets. Any document whose score
 * equals that of rank k may stand for another such: of a documents above that score and b ties at
 * it, found are a' and b', so the recall is (a' + min(b', k - a)) / k. With fewer than k documents
 * in all, k is their number; with none, 1. Candidates in any order; the caller cuts them to the
 * first k'. Raises `invalid-argument` when k is no positive integer, or scores and ids differ in
 * number or scores ascend.
 */
export function overlapAt<Id extends string | number>(
  candidates: ArrayLike<Id>,
  exact: ExactRanking<Id>,
  k: number,
): number {
  const where = 'overlapAt';
  checkK(k, `${where}: k`);
  const { ids, scores } = exact;
  if (scores !== undefined && scores.length !== ids.length) {
    throw invalidArgument(where, `${scores.length} scores for ${ids.length} ids`);
  }
  const wanted = Math.min(k, ids.length);
  if (wanted === 0) return 1;
  const found = new Set<Id>(Array.from(candidates));

  let above = wanted; // documents above the score of rank k
  let end = wanted; // end of the ties with it
  if (scores !== undefined) {
    for (let i = 1; i < scores.length; i++) {
      if (!(scores[i] <= scores[i - 1])) {
        throw invalidArgument(
          where,
          `score ${scores[i]} behind ${scores[i - 1]}, expected descending scores`,
        );
      }
    }
    while (above > 0 && scores[above - 1] === scores[wanted - 1]) above--;
    while (end < scores.length && scores[end] === scores[wanted - 1]) end++;
  }
  let sure = 0;
  for (let i = 0; i < above; i++) if (found.has(ids[i])) sure++;
  let tied = 0;
  for (let i = above; i < end; i++) if (found.has(ids[i])) tied++;
  return (sure + Math.min(tied, wanted - above)) / wanted;
}

/** The gain of a grade at rank `index + 1`. */
function discounted(grade: number, index: number): number {
  return grade > 0 ? grade / Math.log2(index + 2) : 0;
}

function checkRanking(ranking: readonly string[], k: number, where: string): void {
  checkK(k, `${where}: k`);
  const seen = new Set<string>();
  for (const id of ranking.slice(0, k)) {
    if (seen.has(id)) throw invalidArgument(where, `document "${id}" occurs twice in the ranking`);
    seen.add(id);
  }
}
