import type { TokenMatrix } from '../tokens/token-matrix.js';
import type { TokenSets } from '../tokens/token-sets.js';

/** The token vectors of one query of many. */
export function queryMatrix(
  { vectors, counts, dim, offsets }: TokenSets,
  query: number,
): TokenMatrix {
  return {
    data: vectors.subarray(offsets[query] * dim, offsets[query + 1] * dim),
    dims: [counts[query], dim],
  };
}
