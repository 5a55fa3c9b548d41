import { LemurError } from '../errors.js';
import { pacer } from '../pacer.js';
import { describeKind } from '../value-kind.js';

/**
 * The largest magnitude of a value of a token vector. Products of two vectors within it, and the
 * sums of these over any query, are finite in float32 (up to 3e8 values a query), and so is all
 * that is computed from them. Vectors of models are of length 1.
 */
export const MOST_VALUE = 1e15;

/** Values checked between two chances for everything else that waits on this thread. */
const CHECK_SLICE = 1 << 21;

/**
 * Rejects with 'not-finite' for a value that is NaN, infinite or beyond `MOST_VALUE`. `nameOf` says
 * where a row is, when it is at fault.
 */
export async function checkValues(
  { vectors, dim }: { readonly vectors: Float32Array; readonly dim: number },
  where: string,
  signal?: AbortSignal | undefined,
  nameOf: (row: number) => { where: string; row: number } = (row) => ({ where, row }),
): Promise<void> {
  const pace = pacer(signal);
  for (let from = 0; from < vectors.length; from += CHECK_SLICE) {
    await pace();
    const at = firstWrong(vectors, from, Math.min(vectors.length, from + CHECK_SLICE));
    if (at < 0) continue;
    const named = nameOf(Math.floor(at / dim));
    throw notFinite(named.where, vectors[at], named.row, at % dim);
  }
}

/** A row of numbers, all of that type and within bounds. Raises 'not-finite'. */
export function checkRow(values: ArrayLike<unknown>, where: string, row: number): void {
  for (let column = 0; column < values.length; column++) {
    const value = values[column];
    if (typeof value !== 'number' || !(Math.abs(value) <= MOST_VALUE))
      throw notFinite(where, value, row, column);
  }
}

/** Where the first value lies that is not finite or too large; -1: none is. */
function firstWrong(values: Float32Array, from: number, to: number): number {
  // false for NaN too
  for (let i = from; i < to; i++) if (!(Math.abs(values[i]) <= MOST_VALUE)) return i;
  return -1;
}

function notFinite(where: string, value: unknown, row: number, column: number): LemurError {
  let expected = 'every value must be finite';
  if (typeof value !== 'number') expected = 'every value must be a number';
  else if (Number.isFinite(value))
    expected = 'magnitudes are 1e15 at most, so that scores are finite';
  const got = typeof value === 'number' ? String(value) : describeKind(value);
  return new LemurError(
    'not-finite',
    `${where}: value ${got} in row ${row}, column ${column}; ${expected}`,
    { where, row, column },
  );
}
