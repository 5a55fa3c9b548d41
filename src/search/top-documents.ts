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

/**
 * Candidates of each query: what `Lemur.candidates` returns, or lists of document numbers from
 * anywhere. Negative numbers are skipped.
 */
export type Candidates = Pick<TopK, 'indices' | 'k'> | readonly ArrayLike<number>[];
