/** What the meaning counts for beside the keywords: by SciFact's train queries, as much. */
const MEANING = 0.5;

/** Documents by their numbers, with the MaxSim of each. */
interface Scored {
  readonly documents: Int32Array;
  readonly scores: Float32Array;
}

/** Documents, ascending, with one score of both, and what it is made of. */
export interface Fused extends Scored {
  readonly parts: { readonly meaning: Float32Array; readonly keywords: Float32Array };
}

/**
 * One score for each of some documents, whose MaxSim comes in lists: the mean of its similarity,
 * MaxSim by token of the query, and of its share of the BM25 that a text could reach. It is the
 * document's own, whatever else is found. `keywords`: BM25 of all documents, and the sum of the
 * weights of the query's words.
 */
export function fusedScores(
  lists: readonly Scored[],
  tokens: number,
  keywords: { readonly scores: Float32Array; readonly most: number },
): Fused {
  const own = new Map<number, number>();
  for (const { documents, scores } of lists)
    for (let i = 0; i < documents.length; i++) own.set(documents[i], scores[i]);
  const documents = Int32Array.from(own.keys()).sort();
  const meaning = Float32Array.from(documents, (document) => own.get(document) ?? 0);
  const words = Float32Array.from(documents, (document) => keywords.scores[document]);
  const most = keywords.most || 1;
  const scores = meaning.map(
    (score, i) => (MEANING * score) / tokens + ((1 - MEANING) * words[i]) / most,
  );
  return { documents, scores, parts: { meaning, keywords: words } };
}
