import { isNumberArray, newFloats, ownFloats, typeName } from '../bytes/typed-array.js';
import { invalidArgument, LemurError } from '../errors.js';
import { checkValues } from './check-values.js';
import { isCount, shapeText, shown } from './shape-text.js';
import { copyMatrix, emptyDocument, matrixShape, type TokenMatrix } from './token-matrix.js';

/** Texts of equal length, or one text: `dims` is [texts, tokens, dim] or [tokens, dim]. */
export type DenseTokens = {
  /** Row after row, text after text. */
  data: Float32Array;
  /** [texts, tokens, dim] or [tokens, dim]. */
  dims: readonly number[];
};

/**
 * Many texts: ragged pairs as the Python reference takes them, one matrix for each text, or a dense
 * tensor.
 */
export type TokenInput =
  | {
      /** Row after row, all texts end to end: sum(counts) x dim. */
      vectors: Float32Array;
      /** Rows of each text. */
      counts: ArrayLike<number>;
      /** Dimension of the vectors. */
      dim: number;
    }
  | DenseTokens
  | readonly TokenMatrix[];

/**
 * Many texts, checked: `vectors` is row-major, sum(counts) x dim; text i owns the rows `offsets[i]`
 * up to `offsets[i + 1]`. Offsets count rows, not floats; they are float64 since a corpus may have
 * more than 2^31 of them.
 */
export interface TokenSets {
  /** Row after row, all texts end to end. */
  readonly vectors: Float32Array;
  /** Rows of each text. */
  readonly counts: Int32Array;
  /** Where the rows of each text begin, and the end: one more than there are texts. */
  readonly offsets: Float64Array;
  /** Dimension of the vectors. */
  readonly dim: number;
}

/** Row offsets of the given counts: offsets[0] = 0, offsets[i + 1] = offsets[i] + counts[i]. */
export function rowOffsets(counts: Int32Array): Float64Array {
  const offsets = new Float64Array(counts.length + 1);
  for (let i = 0; i < counts.length; i++) offsets[i + 1] = offsets[i] + counts[i];
  return offsets;
}

/**
 * The gate that every caller's vectors pass once: behind it shapes and counts are right, values
 * finite and no larger than `MOST_VALUE`, arrays of this realm. `where` names the argument in
 * errors.
 */
export async function tokenSets(
  input: TokenInput,
  where: string,
  signal?: AbortSignal | undefined,
): Promise<TokenSets> {
  const sets = isRagged(input)
    ? fromRagged(input, where)
    : isDense(input)
      ? fromDense(input, where)
      : fromMatrices(input, where);
  await checkValues(sets, where, signal);
  return sets;
}

/** Like `tokenSets`, for vectors that must have a known dimension. */
export async function tokenSetsOfDim(
  input: TokenInput,
  dim: number,
  where: string,
  signal?: AbortSignal | undefined,
): Promise<TokenSets> {
  const sets = await tokenSets(input, where, signal);
  if (sets.dim !== dim) {
    throw new LemurError(
      'dimension-mismatch',
      `${where}: token vectors have ${sets.dim} dimensions, expected ${dim}`,
      {
        where,
        expected: dim,
        got: sets.dim,
      },
    );
  }
  return sets;
}

function isRagged(
  input: TokenInput,
): input is { vectors: Float32Array; counts: ArrayLike<number>; dim: number } {
  return typeof input === 'object' && input !== null && 'vectors' in input;
}

function isDense(input: TokenInput): input is DenseTokens {
  return typeof input === 'object' && input !== null && 'data' in input;
}

function fromDense({ data, dims }: DenseTokens, where: string): TokenSets {
  const vectors = ownFloats(data, `${where}.data`);
  const given = isNumberArray(dims) ? Array.from(dims) : [];
  const shape = given.length === 2 ? [1, ...given] : given;
  const [texts, tokens, dim] = shape;
  if (
    shape.length !== 3 ||
    !shape.every(isCount) ||
    texts * tokens * dim !== vectors.length ||
    dim === 0
  ) {
    throw new LemurError(
      'invalid-argument',
      `${where}.dims: expected [texts, tokens, dim] with ${vectors.length} values in all, ` +
        `got ${shapeText(dims)}`,
      { where },
    );
  }
  if (texts === 0) throw emptyCorpus(where);
  if (tokens === 0) throw emptyDocument(where, 0);
  return fromRagged({ vectors, counts: new Int32Array(texts).fill(tokens), dim }, where);
}

/** Raises what `tokenSets` rejects with, values aside. */
export function fromRagged(
  input: { vectors: Float32Array; counts: ArrayLike<number>; dim: number },
  where: string,
): TokenSets {
  const { dim } = input;
  const vectors = ownFloats(input.vectors, `${where}.vectors`);
  if (!Number.isInteger(dim) || dim < 1)
    throw new LemurError(
      'invalid-argument',
      `${where}.dim: expected a positive integer, got ${shown(dim)}`,
      { where },
    );
  const given = input.counts;
  if (given === null || typeof given !== 'object' || !isCount(given.length)) {
    throw new LemurError(
      'invalid-argument',
      `${where}.counts: expected an array of integers, got ${typeName(given)}`,
      { where },
    );
  }
  if (given.length === 0) throw emptyCorpus(where);
  // before anything of that length is made
  if (given.length > vectors.length) {
    const problem =
      `${given.length} counts of at least 1, but vectors has ${vectors.length} ` + 'values';
    throw invalidArgument(where, problem);
  }
  const counts = new Int32Array(given.length);
  let rows = 0;
  for (let i = 0; i < counts.length; i++) {
    const count: unknown = given[i];
    const number = typeof count === 'bigint' ? Number(count) : count;
    if (!isCount(number) || number > 0x7fffffff) {
      throw new LemurError(
        'invalid-argument',
        `${where}.counts[${i}]: expected a non-negative integer, got ${shown(count)}`,
        { where },
      );
    }
    if (number === 0) throw emptyDocument(where, i);
    counts[i] = number;
    rows += number;
  }
  if (rows * dim !== vectors.length) {
    throw new LemurError(
      'invalid-argument',
      `${where}: counts add up to ${rows} rows of ${dim} = ${rows * dim} values, ` +
        `but vectors has ${vectors.length}`,
      { where },
    );
  }
  return { vectors, counts, offsets: rowOffsets(counts), dim };
}

function fromMatrices(input: readonly TokenMatrix[], where: string): TokenSets {
  if (!Array.isArray(input)) {
    throw new LemurError(
      'invalid-argument',
      `${where}: expected { vectors, counts, dim } or an array of token matrices, ` +
        `got ${typeName(input)}`,
      { where },
    );
  }
  if (input.length === 0) throw emptyCorpus(where);
  const counts = new Int32Array(input.length);
  let dim = 0;
  let rows = 0;
  for (let i = 0; i < input.length; i++) {
    const shape = matrixShape(input[i], `${where}[${i}]`);
    if (shape.rows === 0) throw emptyDocument(where, i);
    if (i === 0) dim = shape.dim;
    else if (shape.dim !== dim) {
      throw new LemurError(
        'dimension-mismatch',
        `${where}[${i}]: token vectors have ${shape.dim} dimensions, those before it ${dim}`,
        {
          where: `${where}[${i}]`,
          expected: dim,
          got: shape.dim,
        },
      );
    }
    counts[i] = shape.rows;
    rows += shape.rows;
  }
  const vectors = newFloats(rows * dim, where);
  let at = 0;
  for (let i = 0; i < input.length; i++) at = copyMatrix(input[i], where, dim, vectors, at);
  return { vectors, counts, offsets: rowOffsets(counts), dim };
}

function emptyCorpus(where: string): LemurError {
  return new LemurError('empty-corpus', `${where}: expected at least one text, got none`, {
    where,
  });
}
