import { selectTopK } from '../kernels/top-k.js';

/** A search by one vector for each text, for comparison. */
export interface PooledSearch {
  scannedBytes: number;
  search(query: number, k: number): Promise<{ ids: string[]; scores: number[] }>;
}

/**
 * Inner products of a query's vector with those of all documents; both matrices are texts x dim.
 */
export function pooledSearch(
  documents: Float32Array,
  ids: readonly string[],
  queries: Float32Array,
): PooledSearch {
  const count = ids.length;
  const dim = documents.length / count;
  const products = new Float32Array(count);
  return {
    scannedBytes: 4 * dim,
    async search(query, k) {
      for (let document = 0, at = 0; document < count; document++) {
        let sum = 0;
        for (let c = 0; c < dim; c++) sum += queries[query * dim + c] * documents[at++];
        products[document] = sum;
      }
      const best = new Int32Array(Math.min(count, k));
      const scores = new Float32Array(best.length);
      selectTopK(products, count, best.length, 0, best, scores, 0);
      return { ids: Array.from(best, (document) => ids[document]), scores: [...scores] };
    },
  };
}
