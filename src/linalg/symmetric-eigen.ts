import { invalidArgument, LemurError } from '../errors.js';
import { pacer } from '../pacer.js';
import { reflectColumn, reflectRows } from './householder.js';
import { diagonalise } from './implicit-ql.js';

/** Eigenvalues and eigenvectors of a symmetric matrix. */
export interface SymmetricEigen {
  /** n values, descending. */
  readonly values: Float64Array;
  /**
   * n x n, row-major: row i is the unit eigenvector of `values[i]`, with its component of the
   * largest magnitude (the first of them) positive.
   */
  readonly vectors: Float64Array;
}

/**
 * All eigenvalues and eigenvectors of the dense symmetric n x n `matrix` (row-major, only its lower
 * triangle is read, left as it is), by Householder tridiagonalisation and implicit QL in float64.
 * Uses only + - * / and sqrt, so the same input gives the same bytes on any machine. About 0.4 s
 * for n = 384 and 5 s for 1024 on one core; `symmetricEigenAsync` does not hold up the thread.
 * Raises `invalid-argument` when the matrix has not n x n values, `not-finite` for a NaN or an
 * infinity.
 */
export function symmetricEigen(matrix: Float64Array, n: number): SymmetricEigen {
  const steps = eigenSteps(matrix, n);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/**
 * `symmetricEigen` in slices of some 10 ms, with the thread given away between them; the same
 * bytes. Rejects with the signal's reason when that is aborted.
 */
export async function symmetricEigenAsync(
  matrix: Float64Array,
  n: number,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<SymmetricEigen> {
  const pace = pacer(options.signal);
  const steps = eigenSteps(matrix, n);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await pace();
  }
}

/** Yields after every few milliseconds' work at most. */
function* eigenSteps(matrix: Float64Array, n: number): Generator<undefined, SymmetricEigen> {
  checkMatrix(matrix, n);
  const a = matrix.slice();
  const diagonal = new Float64Array(n);
  const off = new Float64Array(n); // off[i] couples i and i + 1; the last is 0
  const betas = new Float64Array(n);
  const scratch = new Float64Array(n);

  // A = Q T Q^T with T tridiagonal, Q a product of reflections I - beta u u^T
  for (let k = 0; k < n; k++) {
    reflectColumn(a, n, k, diagonal, off, betas, scratch);
    yield;
  }
  // rows of z: first the columns of Q, then the eigenvectors
  const z = new Float64Array(n * n);
  for (let i = 0; i < n; i++) z[i * n + i] = 1;
  for (let k = n - 3; k >= 0; k--) {
    if (betas[k] !== 0) reflectRows(z, a, n, k, betas[k]);
    yield;
  }
  yield* diagonalise(diagonal, off, z, n);
  return sorted(diagonal, z, n);
}

function sorted(diagonal: Float64Array, z: Float64Array, n: number): SymmetricEigen {
  const order = Array.from(diagonal.keys()).sort((i, j) => diagonal[j] - diagonal[i] || i - j);
  const values = new Float64Array(n);
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    values[i] = diagonal[order[i]];
    const at = order[i] * n;
    let largest = 0;
    for (let j = 1; j < n; j++) if (Math.abs(z[at + j]) > Math.abs(z[at + largest])) largest = j;
    const sign = z[at + largest] < 0 ? -1 : 1;
    for (let j = 0; j < n; j++) vectors[i * n + j] = sign * z[at + j];
  }
  return { values, vectors };
}

function checkMatrix(matrix: Float64Array, n: number): void {
  const where = 'symmetricEigen';
  if (!Number.isInteger(n) || n < 1)
    throw invalidArgument(where, `n of ${n}, expected a positive integer`);
  if (matrix.length !== n * n) {
    throw invalidArgument(where, `${matrix.length} values, expected ${n} x ${n} = ${n * n}`);
  }
  for (let row = 0; row < n; row++) {
    for (let column = 0; column <= row; column++) {
      const value = matrix[row * n + column];
      if (!Number.isFinite(value)) {
        throw new LemurError(
          'not-finite',
          `${where}: value ${value} in row ${row}, column ${column}`,
          { where, row, column },
        );
      }
    }
  }
}
