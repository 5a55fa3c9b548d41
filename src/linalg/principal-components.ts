import { invalidArgument, LemurError } from '../errors.js';
import { pacer } from '../pacer.js';
import type { RunOptions } from '../run-options.js';
import { symmetricEigenAsync } from './symmetric-eigen.js';
import { addTransposedProduct } from './transposed-product.js';

/** Options of `principalComponents`. */
export interface PrincipalComponentsOptions extends RunOptions {
  /** At most so many rows, evenly spaced, enter the second moment. Default: 65,536. */
  sampleRows?: number | undefined;
}

/** Rows in one step: some milliseconds' work. */
const blockRows = 64;

/**
 * Uncentred principal components of token vectors (rows x dim, row-major): the `components` leading
 * eigenvectors of their second moment X^T X, as the columns of a dim x components matrix, in
 * descending order, each with its largest component positive. Uncentred, since MaxSim is made of
 * inner products, which a projection onto these vectors keeps best.
 *
 * Of more than `sampleRows` rows an even sample is taken (row floor(j * rows / sampleRows), no
 * randomness): the moment of some hundred dimensions needs no more, and time does not grow with the
 * corpus. Accumulated in float64 in a fixed order: the same input gives the same bytes on any
 * machine. Gives the thread away every 10 ms or so. Raises `invalid-argument` for shapes that do
 * not fit, `empty-corpus` for no rows, `not-finite` for NaN or infinite values among the sampled
 * rows.
 */
export async function principalComponents(
  vectors: Float32Array,
  dim: number,
  components: number,
  options: PrincipalComponentsOptions = {},
): Promise<Float32Array> {
  const where = 'principalComponents';
  const rows = checkShapes(vectors, dim, components, where);
  const sampleRows = options.sampleRows ?? 65_536;
  if (components > dim) {
    throw invalidArgument(where, `${components} components of ${dim} dimensions`);
  }
  if (!Number.isInteger(sampleRows) || sampleRows < 1) {
    throw invalidArgument(where, `sampleRows of ${sampleRows}, expected a positive integer`);
  }
  if (rows === 0)
    throw new LemurError('empty-corpus', `${where}: expected at least one row, got none`, {
      where,
    });
  const sampled = Math.min(rows, sampleRows);
  const pace = pacer(options.signal);
  const padded = padTo4(dim);
  const block = new Float64Array(blockRows * padded);
  const moment = new Float64Array(padded * padded); // upper tiles only
  for (let from = 0; from < sampled; from += blockRows) {
    if (from % 4096 === 0)
      options.onProgress?.({ stage: 'second moment', done: from, total: sampled });
    const count = Math.min(blockRows, sampled - from);
    for (let j = 0; j < count; j++) {
      const row = Math.floor(((from + j) * rows) / sampled);
      for (let c = 0, at = row * dim, to = j * padded; c < dim; c++) block[to++] = vectors[at++];
    }
    addTransposedProduct(block, block, moment, count, padded, padded, true);
    await pace();
  }
  options.onProgress?.({ stage: 'second moment', done: sampled, total: sampled });

  const lower = new Float64Array(dim * dim); // symmetricEigen reads the lower triangle
  for (let i = 0; i < dim; i++)
    for (let j = 0; j <= i; j++) lower[i * dim + j] = moment[j * padded + i];
  const { vectors: eigenvectors } = await symmetricEigenAsync(lower, dim, {
    signal: options.signal,
  });
  const projection = new Float32Array(dim * components);
  for (let i = 0; i < dim; i++)
    for (let c = 0; c < components; c++) projection[i * components + c] = eigenvectors[c * dim + i];
  return projection;
}

/**
 * Projects rows (rows x dim) by a dim x components matrix and, unless `unit` is false, scales each
 * to unit length: rows x components. Zero rows stay zero. Adds in float64, rounds once. Gives the
 * thread away every 10 ms or so. Raises `invalid-argument` for shapes that do not fit.
 */
export async function project(
  vectors: Float32Array,
  dim: number,
  projection: Float32Array,
  components: number,
  options: RunOptions = {},
  unit = true,
): Promise<Float32Array> {
  const where = 'project';
  const rows = checkShapes(vectors, dim, components, where);
  if (projection.length !== dim * components) {
    const expected = `${dim} x ${components} = ${dim * components}`;
    throw invalidArgument(
      where,
      `a projection of ${projection.length} values, expected ${expected}`,
    );
  }
  const pace = pacer(options.signal);
  const padded = padTo4(components);
  const matrix = new Float64Array(dim * padded);
  for (let i = 0; i < dim; i++)
    for (let c = 0; c < components; c++) matrix[i * padded + c] = projection[i * components + c];
  const block = new Float64Array(dim * blockRows); // transposed: a column is a row of `vectors`
  const sums = new Float64Array(blockRows * padded);
  const out = new Float32Array(rows * components);
  for (let from = 0; from < rows; from += blockRows) {
    if (from % 4096 === 0) options.onProgress?.({ stage: 'project', done: from, total: rows });
    const count = Math.min(blockRows, rows - from);
    for (let j = 0; j < count; j++) {
      for (let c = 0, at = (from + j) * dim; c < dim; c++) block[c * blockRows + j] = vectors[at++];
    }
    sums.fill(0);
    addTransposedProduct(block, matrix, sums, dim, blockRows, padded);
    for (let j = 0; j < count; j++) {
      const at = j * padded;
      let square = 0;
      for (let c = 0; c < components; c++) square += sums[at + c] * sums[at + c];
      const factor = !unit ? 1 : square === 0 ? 0 : 1 / Math.sqrt(square);
      for (let c = 0, to = (from + j) * components; c < components; c++)
        out[to++] = sums[at + c] * factor;
    }
    await pace();
  }
  options.onProgress?.({ stage: 'project', done: rows, total: rows });
  return out;
}

function padTo4(n: number): number {
  return Math.ceil(n / 4) * 4;
}

/** The number of rows. */
function checkShapes(
  vectors: Float32Array,
  dim: number,
  components: number,
  where: string,
): number {
  for (const [name, value] of Object.entries({ dim, components })) {
    if (!Number.isInteger(value) || value < 1) {
      throw invalidArgument(where, `${name} of ${value}, expected a positive integer`);
    }
  }
  if (vectors.length % dim !== 0) {
    throw invalidArgument(
      where,
      `${vectors.length} values, expected a multiple of the dimension ${dim}`,
    );
  }
  return vectors.length / dim;
}
