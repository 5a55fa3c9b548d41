import { naiveMaxSim, rowsOfTexts, type Texts } from '../numbers.js';

export const COUNTS = Array.from({ length: 90 }, (_, i) => (i === 60 ? 2000 : 1 + ((i * 11) % 60)));

/** queries x documents, in float64. */
export const naiveScores = (queries: Texts, documents: Texts): number[][] => {
  const rows = rowsOfTexts(documents);
  return rowsOfTexts(queries).map((query) => rows.map((document) => naiveMaxSim(query, document)));
};

/** Numbers of the k best of some candidates, equal scores by their order. */
export const best = (scores: readonly number[], among: readonly number[], k: number): number[] =>
  among
    .map((d, place) => ({ d, place }))
    .sort((a, b) => scores[b.d] - scores[a.d] || a.place - b.place)
    .slice(0, k)
    .map(({ d }) => d);
