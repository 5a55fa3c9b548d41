import type { Device } from '../../device/device.js';
import type { Tensor } from '../../device/memory.js';
import { withTensors } from '../../device/with-tensors.js';
import { symmetricEigenAsync } from '../../linalg/symmetric-eigen.js';
import { transposed } from '../../linalg/transposed.js';
import { pacer } from '../../pacer.js';
import type { RunOptions } from '../../run-options.js';
import type { Random } from '../../tokens/random.js';

/**
 * Multiplications by the matrix; each shrinks what does not belong by the ratio of the eigenvalues.
 */
const PASSES = 3;
/** Directions beyond those asked for, which make the last of these converge. */
const extra = (count: number): number => Math.max(16, Math.ceil(count / 4));
/** Below this share of the largest, an eigenvalue counts as zero. */
const NOTHING = 1e-9;
/**
 * A unit vector of which less than the root of this is left after taking away its projections
 * counts as dependent on those before.
 */
const DEPENDENT = 1e-12;

export interface LeadingEigenvectors {
  /** Descending, positive; fewer than asked for where the rank is lower. */
  readonly values: Float64Array;
  /** One unit vector of n components for each value, row after row. */
  readonly vectors: Float32Array;
}

/**
 * The leading eigenpairs of a symmetric positive semidefinite matrix (n x n), by subspace iteration
 * and a Rayleigh-Ritz step. Pairs far from the last one asked for are exact up to float32; the last
 * ones are a good basis of what is left.
 */
export async function leadingEigenvectors(
  device: Device,
  matrix: Tensor<'f32'>,
  n: number,
  count: number,
  random: Random,
  options: RunOptions = {},
): Promise<LeadingEigenvectors> {
  const { signal } = options;
  const rows = Math.min(n, count + extra(count));
  const pace = pacer(signal);
  let x: Float32Array = Float32Array.from({ length: rows * n }, () => random.normal());
  let image = x;
  for (let pass = 0; pass <= PASSES; pass++) {
    options.onProgress?.({ stage: 'first stage', done: pass, total: PASSES + 1 });
    x = await orthonormalised(device, image, rows, n, options);
    image = await rowProducts(device, x, matrix, n, options);
  }
  const small = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j <= i; j++) small[i * rows + j] = dot(x, i * n, image, j * n, n);
    await pace();
  }
  const { values, vectors: rotation } = await symmetricEigenAsync(small, rows, { signal });
  const kept = Math.min(count, values.filter((value) => value > NOTHING * values[0]).length);
  return withTensors(device, async (scope) => {
    const columns = await scope.upload('f32', transposed(x, rows, n));
    const chosen = Float32Array.from(rotation.subarray(0, kept * rows));
    const vectors = await rowProducts(device, chosen, columns, rows, options);
    return { values: values.slice(0, kept), vectors };
  });
}

/** A B^T, both with rows of `dim` values. */
export async function rowProducts(
  device: Device,
  a: Float32Array,
  b: Tensor<'f32'>,
  dim: number,
  { signal }: RunOptions,
): Promise<Float32Array> {
  const [rows, columns] = [a.length / dim, b.length / dim];
  return withTensors(device, async (scope) => {
    const left = await scope.upload('f32', a);
    const out = await scope.allocate('f32', rows * columns);
    await device.innerProducts(left, rows, b, columns, dim, out, { signal });
    return device.read(out);
  });
}

/**
 * Rows that span the same, orthonormal up to float32; rows that depend on those before them become
 * zero. By the Cholesky factor of their Gram matrix.
 */
async function orthonormalised(
  device: Device,
  x: Float32Array,
  rows: number,
  n: number,
  { signal }: RunOptions,
): Promise<Float32Array> {
  for (let i = 0; i < rows; i++) {
    const length = Math.sqrt(dot(x, i * n, x, i * n, n));
    for (let at = i * n; at < (i + 1) * n; at++) x[at] /= length || 1;
  }
  return withTensors(device, async (scope) => {
    const columns = await scope.upload('f32', transposed(x, rows, n));
    const gram = scope.own(await device.gram(columns, n, rows, { signal }));
    const inverse = inverseFactor(await gram.read(), rows);
    return rowProducts(device, inverse, columns, rows, { signal });
  });
}

/**
 * L^-1 of A = L L^T (lower triangle of `a`, which it overwrites); rows of dependent pivots are
 * zero.
 */
function inverseFactor(a: Float64Array, n: number): Float32Array {
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const pivot = a[j * n + j];
      a[i * n + j] = pivot > 0 ? (a[i * n + j] - dot(a, i * n, a, j * n, j)) / pivot : 0;
    }
    const rest = a[i * n + i] - dot(a, i * n, a, i * n, i);
    a[i * n + i] = rest > DEPENDENT ? Math.sqrt(rest) : 0;
    if (a[i * n + i] === 0) continue;
    const row = inverse.subarray(i * n, i * n + i + 1);
    for (let j = 0; j < i; j++) {
      const factor = a[i * n + j];
      if (factor !== 0) for (let k = 0; k <= j; k++) row[k] -= factor * inverse[j * n + k];
    }
    row[i] = 1;
    for (let k = 0; k <= i; k++) row[k] /= a[i * n + i];
  }
  return Float32Array.from(inverse);
}

function dot(
  a: Float32Array | Float64Array,
  i: number,
  b: Float32Array | Float64Array,
  j: number,
  n: number,
): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let k = 0;
  for (; k + 4 <= n; k += 4) {
    s0 += a[i + k] * b[j + k];
    s1 += a[i + k + 1] * b[j + k + 1];
    s2 += a[i + k + 2] * b[j + k + 2];
    s3 += a[i + k + 3] * b[j + k + 3];
  }
  for (; k < n; k++) s0 += a[i + k] * b[j + k];
  return s0 + s1 + (s2 + s3);
}
