import { selectTopKPaced } from '../../kernels/top-k.js';
import type { KeywordScores } from '../../keywords/score-keywords.js';
import { stepPacer } from '../../pacer.js';
import { emptyTopK, type TopK } from '../../search/top-documents.js';

/** The k best scores and their places, equal ones in their order. */
export async function bestOf(
  scores: Float32Array,
  k: number,
  signal: AbortSignal | undefined,
): Promise<TopK> {
  const top = emptyTopK(1, k);
  await selectTopKPaced(scores, scores.length, k, top.indices, top.scores, 0, stepPacer(signal));
  return top;
}

/** The k best documents by keywords; those without a word of the query are none. */
export async function bestByKeywords(
  { scores }: KeywordScores,
  k: number,
  signal: AbortSignal | undefined,
): Promise<TopK> {
  const top = await bestOf(scores, k, signal);
  // those without a word are last
  for (let i = k - 1; i >= 0 && !(top.scores[i] > 0); i--) top.indices[i] = -1;
  return top;
}
