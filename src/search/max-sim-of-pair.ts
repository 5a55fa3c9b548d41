import { LemurError } from '../errors.js';
import { checkRow } from '../tokens/check-values.js';
import { isTensor, matrixShape, type TokenMatrix } from '../tokens/token-sets.js';

/**
 * MaxSim(Q, D) = sum over the query's tokens of the largest inner product with a token of the
 * document (Khattab and Zaharia, ColBERT). Sums in float64. For many documents at once see
 * `MaxSim`. Raises 'dimension-mismatch', 'empty-document', 'not-finite' and 'invalid-argument'.
 *
 * @example
 * maxSim([[1, 0], [0, 1]], [[0.6, 0.8]]); // 0.6 + 0.8
 */
export function maxSim(query: TokenMatrix, document: TokenMatrix): number {
  const q = rowsOf(query, 'query');
  const d = rowsOf(document, 'document');
  if (q[0].length !== d[0].length) {
    throw new LemurError(
      'dimension-mismatch',
      `document: token vectors have ${d[0].length} dimensions, those of the query ${q[0].length}`,
      {
        where: 'document',
        expected: q[0].length,
        got: d[0].length,
      },
    );
  }
  let score = 0;
  for (const x of q) {
    let best = -Infinity;
    for (const y of d) {
      let dot = 0;
      for (let i = 0; i < x.length; i++) dot += x[i] * y[i];
      best = Math.max(best, dot);
    }
    score += best;
  }
  return score;
}

function rowsOf(matrix: TokenMatrix, where: string): readonly ArrayLike<number>[] {
  const { rows, dim } = matrixShape(matrix, where);
  if (rows === 0)
    throw new LemurError('empty-document', `${where}: no token vectors`, { where, index: 0 });
  const all: readonly ArrayLike<number>[] = isTensor(matrix)
    ? Array.from({ length: rows }, (_, i) => matrix.data.subarray(i * dim, (i + 1) * dim))
    : matrix;
  for (let i = 0; i < rows; i++) checkRow(all[i], where, i);
  return all;
}
