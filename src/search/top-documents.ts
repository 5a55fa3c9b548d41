/**
 * The best k of each query, best first: row q holds places q * k to (q + 1) * k. Where there are
 * fewer, rows end in index -1, score -Infinity.
 */
export interface TopK {
  /** Numbers of documents, queries x k. */
  readonly indices: Int32Array;
  /** Their scores, queries x k. */
  readonly scores: Float32Array;
  /** Places of each query. */
  readonly k: number;
}

/** Room for the best k of each query: no document yet. */
export function emptyTopK(queries: number, k: number): TopK {
  return {
    indices: new Int32Array(queries * k).fill(-1),
    scores: new Float32Array(queries * k).fill(-Infinity),
    k,
  };
}
