/**
 * Why a document scored: for each query token the number of the document token with the largest
 * inner product, and that product.
 */
export interface TokenMatches {
  readonly tokens: Int32Array;
  readonly scores: Float32Array;
}

/**
 * The terms of MaxSim between one query and one document, both row-major with `dim` columns,
 * dequantised where they were stored in fewer bits: the sum of `scores` is `maxSim` up to rounding
 * to float32. Of equal products the document token of the lower number counts. Products are summed
 * in float64. The values must have passed the gate (finite, whole rows); without a document token
 * the numbers are -1 and the scores -Infinity.
 */
export function evidenceOf(query: Float32Array, document: Float32Array, dim: number): TokenMatches {
  const rows = query.length / dim;
  const tokens = new Int32Array(rows).fill(-1);
  const scores = new Float32Array(rows);
  const whole = dim - (dim % 4);
  for (let row = 0, from = 0; row < rows; row++, from += dim) {
    let best = -Infinity;
    for (let token = 0, at = 0; at < document.length; token++, at += dim) {
      // four sums: each addition would wait for the one before
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      for (let c = 0; c < whole; c += 4) {
        s0 += query[from + c] * document[at + c];
        s1 += query[from + c + 1] * document[at + c + 1];
        s2 += query[from + c + 2] * document[at + c + 2];
        s3 += query[from + c + 3] * document[at + c + 3];
      }
      for (let c = whole; c < dim; c++) s0 += query[from + c] * document[at + c];
      const product = s0 + s1 + (s2 + s3);
      if (product > best) {
        best = product;
        tokens[row] = token;
      }
    }
    scores[row] = best;
  }
  return { tokens, scores };
}
