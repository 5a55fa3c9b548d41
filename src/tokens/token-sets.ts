import { LemurError } from '../errors.js';
import { pacer } from '../pacer.js';

/** One text as its token vectors: `{ data, dims: [tokens, dim] }` (a leading dimension of 1 is allowed) or nested arrays. */
export type TokenMatrix = { data: Float32Array; dims: readonly number[] } | readonly (readonly number[] | Float32Array)[];

/** Texts of equal length, or one text: `dims` is [texts, tokens, dim] or [tokens, dim]. */
export type DenseTokens = { data: Float32Array; dims: readonly number[] };

/** Many texts: ragged pairs as the Python reference takes them, one matrix for each text, or a dense tensor. */
export type TokenInput = { vectors: Float32Array; counts: ArrayLike<number>; dim: number } | DenseTokens | readonly TokenMatrix[];

/**
 * Many texts, checked: `vectors` is row-major, sum(counts) x dim; text i owns the rows `offsets[i]` up to `offsets[i + 1]`.
 * Offsets count rows, not floats; they are float64 since a corpus may have more than 2^31 of them.
 */
export interface TokenSets {
  readonly vectors: Float32Array;
  readonly counts: Int32Array;
  readonly offsets: Float64Array;
  readonly dim: number;
}

/** The same for vectors that are stored as int8: value = code x factor of its text + mean. */
export interface Int8TokenSets {
  readonly codes: Int8Array;
  readonly counts: Int32Array;
  readonly offsets: Float64Array;
  readonly dim: number;
  readonly factors: Float32Array;
  /** What was taken off every vector: dim values. */
  readonly mean: Float32Array;
}

/** What the gate lets through but the caller may want to know. */
export interface TokenReport {
  /** Rows that are zero throughout: padding that was not cut off, most likely. */
  zeroRows: number;
  /** Rows whose norm is further than 1e-2 from 1. Allowed: MaxSim is an inner product, not a cosine. */
  nonUnitRows: number;
}

/** Row offsets of the given counts: offsets[0] = 0, offsets[i + 1] = offsets[i] + counts[i]. */
export function rowOffsets(counts: Int32Array): Float64Array {
  const offsets = new Float64Array(counts.length + 1);
  for (let i = 0; i < counts.length; i++) offsets[i + 1] = offsets[i] + counts[i];
  return offsets;
}

/** The gate that every caller's vectors pass once: shapes, counts and finiteness are right behind it. `where` names the argument in errors. */
export async function tokenSets(input: TokenInput, where: string, signal?: AbortSignal | undefined): Promise<TokenSets> {
  const sets = isRagged(input) ? fromRagged(input, where) : isDense(input) ? fromDense(input, where) : fromMatrices(input, where);
  await checkFinite(sets, where, signal);
  return sets;
}

/** Like `tokenSets`, for vectors that must have a known dimension. */
export async function tokenSetsOfDim(input: TokenInput, dim: number, where: string, signal?: AbortSignal | undefined): Promise<TokenSets> {
  const sets = await tokenSets(input, where, signal);
  if (sets.dim !== dim) {
    throw new LemurError('dimension-mismatch', `${where}: token vectors have ${sets.dim} dimensions, expected ${dim}`, {
      where,
      expected: dim,
      got: sets.dim,
    });
  }
  return sets;
}

/** Counts zero rows and rows that are not of unit length. */
export async function reportTokens({ vectors, dim }: TokenSets, signal?: AbortSignal | undefined): Promise<TokenReport> {
  const pace = pacer(signal);
  const rows = vectors.length / dim;
  let zeroRows = 0;
  let nonUnitRows = 0;
  for (let row = 0, at = 0; row < rows; row++) {
    if (row % 8192 === 0) await pace();
    let square = 0;
    for (let c = 0; c < dim; c++, at++) square += vectors[at] * vectors[at];
    if (square === 0) zeroRows++;
    else if (Math.abs(Math.sqrt(square) - 1) > 1e-2) nonUnitRows++;
  }
  return { zeroRows, nonUnitRows };
}

function isRagged(input: TokenInput): input is { vectors: Float32Array; counts: ArrayLike<number>; dim: number } {
  return typeof input === 'object' && input !== null && 'vectors' in input;
}

function isDense(input: TokenInput): input is DenseTokens {
  return typeof input === 'object' && input !== null && 'data' in input;
}

function fromDense({ data, dims }: DenseTokens, where: string): TokenSets {
  const shape = dims?.length === 2 ? [1, ...dims] : [...(dims ?? [])];
  const [texts, tokens, dim] = shape;
  if (!(data instanceof Float32Array)) {
    throw new LemurError('invalid-argument', `${where}.data: expected a Float32Array, got ${typeName(data)}`, { where });
  }
  if (shape.length !== 3 || !shape.every(isCount) || texts * tokens * dim !== data.length || dim === 0) {
    throw new LemurError(
      'invalid-argument',
      `${where}.dims: expected [texts, tokens, dim] with ${data.length} values in all, got [${dims}]`,
      { where },
    );
  }
  return fromRagged({ vectors: data, counts: new Int32Array(texts).fill(tokens), dim }, where);
}

function fromRagged(input: { vectors: Float32Array; counts: ArrayLike<number>; dim: number }, where: string): TokenSets {
  const { vectors, dim } = input;
  if (!(vectors instanceof Float32Array)) {
    throw new LemurError('invalid-argument', `${where}.vectors: expected a Float32Array, got ${typeName(vectors)}`, { where });
  }
  if (!Number.isInteger(dim) || dim < 1)
    throw new LemurError('invalid-argument', `${where}.dim: expected a positive integer, got ${dim}`, { where });
  if (input.counts === null || typeof input.counts !== 'object' || typeof input.counts.length !== 'number') {
    throw new LemurError('invalid-argument', `${where}.counts: expected an array of integers, got ${typeName(input.counts)}`, { where });
  }
  const counts = new Int32Array(input.counts.length);
  let rows = 0;
  for (let i = 0; i < counts.length; i++) {
    const count = Number(input.counts[i]);
    if (!Number.isInteger(count) || count < 0 || count > 0x7fffffff) {
      throw new LemurError('invalid-argument', `${where}.counts[${i}]: expected a non-negative integer, got ${input.counts[i]}`, { where });
    }
    if (count === 0) throw emptyDocument(where, i);
    counts[i] = count;
    rows += count;
  }
  if (rows * dim !== vectors.length) {
    throw new LemurError(
      'invalid-argument',
      `${where}: counts add up to ${rows} rows of ${dim} = ${rows * dim} values, but vectors has ${vectors.length}`,
      { where },
    );
  }
  if (counts.length === 0) throw new LemurError('empty-corpus', `${where}: expected at least one text, got none`, { where });
  return { vectors, counts, offsets: rowOffsets(counts), dim };
}

function fromMatrices(input: readonly TokenMatrix[], where: string): TokenSets {
  if (!Array.isArray(input)) {
    throw new LemurError(
      'invalid-argument',
      `${where}: expected { vectors, counts, dim } or an array of token matrices, got ${typeName(input)}`,
      { where },
    );
  }
  if (input.length === 0) throw new LemurError('empty-corpus', `${where}: expected at least one text, got none`, { where });
  const counts = new Int32Array(input.length);
  let dim = 0;
  let rows = 0;
  for (let i = 0; i < input.length; i++) {
    const shape = matrixShape(input[i], `${where}[${i}]`);
    if (shape.rows === 0) throw emptyDocument(where, i);
    if (i === 0) dim = shape.dim;
    else if (shape.dim !== dim) {
      throw new LemurError('dimension-mismatch', `${where}[${i}]: token vectors have ${shape.dim} dimensions, those before it ${dim}`, {
        where: `${where}[${i}]`,
        expected: dim,
        got: shape.dim,
      });
    }
    counts[i] = shape.rows;
    rows += shape.rows;
  }
  const vectors = new Float32Array(rows * dim);
  let at = 0;
  for (const matrix of input) at = copyMatrix(matrix, dim, vectors, at);
  return { vectors, counts, offsets: rowOffsets(counts), dim };
}

/** One text through the gate: its vectors, rows x dim, the caller's own array where it gave one. Rejects as `tokenSets` does. */
export async function tokenRows(matrix: TokenMatrix, where: string, signal?: AbortSignal | undefined): Promise<Float32Array> {
  const { rows, dim } = matrixShape(matrix, where);
  if (rows === 0) throw emptyDocument(where, 0);
  const own = 'data' in matrix;
  const vectors = own ? matrix.data : new Float32Array(rows * dim);
  if (!own) copyMatrix(matrix, dim, vectors, 0);
  await checkFinite({ vectors, dim }, where, signal);
  return vectors;
}

/** Tokens and dimension of one text, checked; values are not. */
export function matrixShape(matrix: TokenMatrix, where: string): { rows: number; dim: number } {
  if (typeof matrix === 'object' && matrix !== null && 'data' in matrix) {
    const { data } = matrix;
    const dims = matrix.dims?.length === 3 && matrix.dims[0] === 1 ? matrix.dims.slice(1) : matrix.dims;
    if (!(data instanceof Float32Array))
      throw new LemurError('invalid-argument', `${where}.data: expected a Float32Array, got ${typeName(data)}`, { where });
    if (dims?.length !== 2 || !dims.every(isCount) || dims[0] * dims[1] !== data.length || dims[1] === 0) {
      throw new LemurError(
        'invalid-argument',
        `${where}.dims: expected [tokens, dim] with ${data.length} values in all, got [${matrix.dims}]`,
        { where },
      );
    }
    return { rows: dims[0], dim: dims[1] };
  }
  if (!Array.isArray(matrix)) {
    throw new LemurError('invalid-argument', `${where}: expected { data, dims } or an array of token vectors, got ${typeName(matrix)}`, {
      where,
    });
  }
  const rows = matrix as readonly ArrayLike<number>[];
  for (let r = 0; r < rows.length; r++) {
    if (rows[r] === null || typeof rows[r] !== 'object' || !(rows[r].length >= 1)) {
      throw new LemurError('invalid-argument', `${where}[${r}]: expected a token vector, got ${typeName(rows[r])}`, { where });
    }
    if (rows[r].length !== rows[0].length) {
      throw new LemurError(
        'dimension-mismatch',
        `${where}[${r}]: token vector has ${rows[r].length} dimensions, those before it ${rows[0].length}`,
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

function copyMatrix(matrix: TokenMatrix, dim: number, out: Float32Array, at: number): number {
  if ('data' in matrix) {
    out.set(matrix.data, at);
    return at + matrix.data.length;
  }
  for (const row of matrix) {
    out.set(row, at);
    at += dim;
  }
  return at;
}

/** Values checked between two chances for everything else that waits on this thread. */
const CHECK_SLICE = 1 << 21;

async function checkFinite(
  { vectors, dim }: Pick<TokenSets, 'vectors' | 'dim'>,
  where: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const pace = pacer(signal);
  for (let from = 0; from < vectors.length; from += CHECK_SLICE) {
    await pace();
    const to = Math.min(vectors.length, from + CHECK_SLICE);
    // x - x is 0 for finite x and NaN otherwise, and one NaN makes the sum NaN
    let sum = 0;
    for (let i = from; i < to; i++) sum += vectors[i] - vectors[i];
    if (sum === 0) continue;
    const at = from + vectors.subarray(from, to).findIndex((value) => !Number.isFinite(value));
    const [row, column] = [Math.floor(at / dim), at % dim];
    throw new LemurError('not-finite', `${where}: value ${vectors[at]} in row ${row}, column ${column}; every value must be finite`, {
      where,
      row,
      column,
    });
  }
}

function emptyDocument(where: string, index: number): LemurError {
  return new LemurError('empty-document', `${where}: text ${index} has no token vectors; every text needs at least one`, { where, index });
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value;
  return value.constructor?.name ?? 'object';
}
