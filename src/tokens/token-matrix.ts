import { isNumberArray, newFloats, ownFloats, typeName } from '../bytes/typed-array.js';
import { invalidArgument, LemurError } from '../errors.js';
import { checkRow, checkValues } from './check-values.js';
import { isCount, shapeText } from './shape-text.js';

/**
 * One text as its token vectors: `{ data, dims: [tokens, dim] }` (a leading dimension of 1 is
 * allowed) or nested arrays.
 */
export type TokenMatrix =
  | {
      /** Row after row, tokens x dim. */
      data: Float32Array;
      /** [tokens, dim], or [1, tokens, dim]. */
      dims: readonly number[];
    }
  | readonly (readonly number[] | Float32Array)[];

/**
 * One text through the gate: its vectors, rows x dim, the caller's own array where it gave one.
 * Rejects as `tokenSets` does.
 */
export async function tokenRows(
  matrix: TokenMatrix,
  where: string,
  signal?: AbortSignal | undefined,
): Promise<Float32Array> {
  const { rows, dim } = matrixShape(matrix, where);
  if (rows === 0) throw emptyDocument(where, 0);
  const own = isTensor(matrix);
  const vectors = own ? ownFloats(matrix.data, `${where}.data`) : newFloats(rows * dim, where);
  if (!own) copyMatrix(matrix, where, dim, vectors, 0);
  await checkValues({ vectors, dim }, where, signal);
  return vectors;
}

/** Tokens and dimension of one text, checked; values are not. */
export function matrixShape(matrix: TokenMatrix, where: string): { rows: number; dim: number } {
  if (isTensor(matrix)) {
    const { length } = ownFloats(matrix.data, `${where}.data`);
    const given = isNumberArray(matrix.dims) ? Array.from(matrix.dims) : [];
    const dims = given.length === 3 && given[0] === 1 ? given.slice(1) : given;
    if (
      dims.length !== 2 ||
      !dims.every(isCount) ||
      dims[0] * dims[1] !== length ||
      dims[1] === 0
    ) {
      throw new LemurError(
        'invalid-argument',
        `${where}.dims: expected [tokens, dim] with ${length} values in all, ` +
          `got ${shapeText(matrix.dims)}`,
        { where },
      );
    }
    return { rows: dims[0], dim: dims[1] };
  }
  if (!Array.isArray(matrix)) {
    throw invalidArgument(
      where,
      `expected { data, dims } or an array of token vectors, got ${typeName(matrix)}`,
    );
  }
  const rows = matrix as readonly ArrayLike<number>[];
  for (let r = 0; r < rows.length; r++) {
    if (!isNumberArray(rows[r]) || rows[r].length === 0) {
      throw new LemurError(
        'invalid-argument',
        `${where}[${r}]: expected a token vector, got ${typeName(rows[r])}`,
        { where },
      );
    }
    if (rows[r].length !== rows[0].length) {
      throw new LemurError(
        'dimension-mismatch',
        `${where}[${r}]: token vector has ${rows[r].length} dimensions, ` +
          `those before it ${rows[0].length}`,
        {
          where: `${where}[${r}]`,
          expected: rows[0].length,
          got: rows[r].length,
        },
      );
    }
  }
  return { rows: rows.length, dim: rows.length === 0 ? 0 : rows[0].length };
}

/** Whether a text comes as `{ data, dims }`. */
export function isTensor(
  matrix: TokenMatrix,
): matrix is { data: Float32Array; dims: readonly number[] } {
  return (
    typeof matrix === 'object' && matrix !== null && !Array.isArray(matrix) && 'data' in matrix
  );
}

/** Writes the rows of a text from `at` on. Returns where they end. */
export function copyMatrix(
  matrix: TokenMatrix,
  where: string,
  dim: number,
  out: Float32Array,
  at: number,
): number {
  if (isTensor(matrix)) {
    out.set(matrix.data, at);
    return at + matrix.data.length;
  }
  for (let row = 0; row < matrix.length; row++) {
    // values of typed arrays are numbers
    if (Array.isArray(matrix[row])) checkRow(matrix[row], where, at / dim);
    out.set(matrix[row], at);
    at += dim;
  }
  return at;
}

/** The error for a text without token vectors. */
export function emptyDocument(where: string, index: number): LemurError {
  return new LemurError(
    'empty-document',
    `${where}: text ${index} has no token vectors; every text needs at least one`,
    { where, index },
  );
}
