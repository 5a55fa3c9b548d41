import { pacer } from '../pacer.js';
import { type EncodedTokens, vectorsOf } from './encode-tokens.js';
import type { TokenSets } from './token-sets.js';

/**
 * Lengths this near to 1 count as 1: vectors of unit length are left as they are, those that were
 * rounded to int8 twice among them.
 */
const TOLERANCE = 1 / 32;
/** With moments of targets of at least 1e-6 on top, float32 still has the reciprocal. */
const SHORTEST = 1e-30;
/** Texts between two chances for everything else on this thread. */
const TEXTS = 16;
/** Rows as well. */
const ROWS = 8192;
/** Rows that are decoded at a time. */
const DECODED_ROWS = 64;

/** A length, with 1 for what counts as 1 and 0 for what is too short for float32 to divide by. */
export function snapped(length: number): number {
  if (length < SHORTEST) return 0;
  return Math.abs(length - 1) <= TOLERANCE ? 1 : length;
}

/** Length of the row at `at`, 1 for what counts as 1. */
export function rowLength(vectors: Float32Array, at: number, dim: number): number {
  let square = 0;
  for (let j = at; j < at + dim; j++) square += vectors[j] * vectors[j];
  return snapped(Math.sqrt(square));
}

/**
 * Rows (rows x dim) brought to length 1, but for those that are zero: the same array where all are
 * of that length. Rejects with the signal's reason.
 */
export async function unitRows(
  vectors: Float32Array,
  dim: number,
  signal?: AbortSignal | undefined,
): Promise<Float32Array> {
  const pace = pacer(signal);
  let out = vectors;
  for (let at = 0, row = 0; at < vectors.length; at += dim, row++) {
    if (row % ROWS === 0) await pace();
    const length = rowLength(vectors, at, dim);
    if (length === 1 || length === 0) continue;
    if (out === vectors) out = vectors.slice();
    for (let j = at; j < at + dim; j++) out[j] = vectors[j] / length;
  }
  return out;
}

/**
 * Length of each text's longest token vector, 1 for what counts as 1. Rejects with the signal's
 * reason.
 */
export async function longestRows(
  tokens: EncodedTokens,
  signal?: AbortSignal | undefined,
): Promise<Float64Array> {
  const { encoding, scales, counts, offsets, dim } = tokens;
  const pace = pacer(signal);
  const room = new Float64Array(DECODED_ROWS * dim);
  const lengths = new Float64Array(counts.length);
  for (let text = 0; text < counts.length; text++) {
    if (text % TEXTS === 0) await pace();
    let largest = 0;
    for (let from = offsets[text]; from < offsets[text + 1]; from += DECODED_ROWS) {
      const to = Math.min(from + DECODED_ROWS, offsets[text + 1]);
      largest = Math.max(largest, largestSquare(vectorsOf(tokens, text, from, to, room), dim));
    }
    const length = Math.sqrt(largest);
    // no longer than what rounding makes of zero
    const nothing = encoding.zeroLength(scales?.[text] ?? 1, tokens);
    lengths[text] = length <= nothing ? 0 : snapped(length);
  }
  return lengths;
}

/** Squared length of the longest of some rows. */
function largestSquare(vectors: Float32Array | Float64Array, dim: number): number {
  let largest = 0;
  for (let at = 0; at < vectors.length; at += dim) {
    let square = 0;
    for (let j = at; j < at + dim; j++) square += vectors[j] * vectors[j];
    largest = Math.max(largest, square);
  }
  return largest;
}

/** The middle one of lengths that are not 0; 1 where there is none. */
export function typicalLength(lengths: Float64Array): number {
  const some = lengths.filter((length) => length > 0).sort();
  return some.length === 0 ? 1 : some[some.length >> 1];
}

/** Length of each text by what is typical; null where all are 1. */
export function relativeLengths(lengths: Float64Array, typical: number): Float32Array | null {
  const relative = Float32Array.from(lengths, (length) => snapped(length / typical));
  return relative.every((length) => length === 1) ? null : relative;
}

/** Lengths of each text's token vectors, added up. Rejects with the signal's reason. */
export async function queryLengths(
  { vectors, counts, offsets, dim }: TokenSets,
  signal?: AbortSignal | undefined,
): Promise<Float64Array> {
  const pace = pacer(signal);
  const lengths = new Float64Array(counts.length);
  for (let text = 0; text < counts.length; text++) {
    if (text % TEXTS === 0) await pace();
    for (let row = offsets[text]; row < offsets[text + 1]; row++)
      lengths[text] += rowLength(vectors, row * dim, dim);
  }
  return lengths;
}
