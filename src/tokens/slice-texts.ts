import { rowOffsets, type TokenSets } from './token-sets.js';

/** Texts from .. to, their vectors as views. */
export function sliceTexts(sets: TokenSets, from: number, to: number): TokenSets {
  if (from === 0 && to === sets.counts.length) return sets;
  const counts = sets.counts.slice(from, to);
  const vectors = sets.vectors.subarray(sets.offsets[from] * sets.dim, sets.offsets[to] * sets.dim);
  return { vectors, counts, offsets: rowOffsets(counts), dim: sets.dim };
}
