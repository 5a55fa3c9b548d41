import { pacer } from '../pacer.js';
import type { Int8TokenSets, TokenSets } from './token-sets.js';

/** Texts between two chances for everything else on this thread. */
const TEXTS = 64;

/** Rows whose length is so near to 1 count as of unit length, as they come. */
const NEARLY_UNIT = 1e-2;
/**
 * Of fewer texts nobody knows which are usual: a mean that is too short costs little, one that is
 * too long spoils all others.
 */
const ENOUGH_TEXTS = 64;

/**
 * What token vectors have in common, to centre them by: the mean of their directions, as long as is
 * usual. So of unit vectors it is their mean, and no text counts more for being longer than others.
 * The usual length is the median of the texts' mean lengths, of fewer than 64 texts at most 1. Zero
 * rows have no say. Adds up in float64. Rejects with the signal's reason.
 */
export async function meanToken(
  { vectors, counts, offsets, dim }: TokenSets,
  signal?: AbortSignal | undefined,
): Promise<Float32Array> {
  const pace = pacer(signal);
  const sums = new Float64Array(dim);
  const lengths: number[] = [];
  let rows = 0;
  for (let text = 0; text < counts.length; text++) {
    if (text % TEXTS === 0) await pace();
    let total = 0;
    let some = 0;
    for (let at = offsets[text] * dim; at < offsets[text + 1] * dim; at += dim) {
      let square = 0;
      for (let j = 0; j < dim; j++) square += vectors[at + j] * vectors[at + j];
      if (square === 0) continue;
      const root = Math.sqrt(square);
      const length = Math.abs(root - 1) <= NEARLY_UNIT ? 1 : root;
      for (let j = 0; j < dim; j++) sums[j] += vectors[at + j] / length;
      total += length;
      some++;
    }
    if (some > 0) lengths.push(total / some);
    rows += some;
  }
  if (rows === 0) return new Float32Array(dim);
  const median = lengths.sort((a, b) => a - b)[(lengths.length - 1) >> 1];
  const usual = lengths.length < ENOUGH_TEXTS ? Math.min(median, 1) : median;
  return Float32Array.from(sums, (sum) => (sum / rows) * usual);
}

/**
 * Tokens less `mean` as int8, each text by a factor of its own: its largest absolute value becomes
 * 127 and value = code x factor + mean. Models whose vectors have a large part in common lose most
 * of their codes to it otherwise. What a text becomes does not depend on its neighbours. A text
 * whose vectors are the mean has factor 0.
 */
export async function quantizeTokens(
  sets: TokenSets,
  mean: Float32Array,
  signal?: AbortSignal | undefined,
): Promise<Int8TokenSets> {
  const { vectors, counts, offsets, dim } = sets;
  const pace = pacer(signal);
  const { length } = vectors;
  const codes = new Int8Array(
    typeof SharedArrayBuffer === 'undefined'
      ? new ArrayBuffer(length)
      : new SharedArrayBuffer(length),
  );
  const factors = new Float32Array(counts.length);
  for (let text = 0; text < counts.length; text++) {
    if (text % TEXTS === 0) await pace();
    const from = offsets[text] * dim;
    factors[text] = quantizeText(
      vectors.subarray(from, offsets[text + 1] * dim),
      mean,
      codes.subarray(from),
    );
  }
  return { codes, factors, mean, counts, offsets, dim };
}

/**
 * One text of them, rows x dim; writes its codes and returns what one is worth, rounded to float32.
 */
export function quantizeText(vectors: Float32Array, mean: Float32Array, codes: Int8Array): number {
  const dim = mean.length;
  let largest = 0;
  for (let row = 0; row < vectors.length; row += dim) {
    for (let j = 0; j < dim; j++) {
      const size = Math.abs(vectors[row + j] - mean[j]);
      if (size > largest) largest = size;
    }
  }
  const scale = largest > 0 ? 127 / largest : 0;
  for (let row = 0; row < vectors.length; row += dim) {
    // Math.round of -127 .. 127, several times as fast
    for (let j = 0; j < dim; j++)
      codes[row + j] = (((vectors[row + j] - mean[j]) * scale + 128.5) | 0) - 128;
  }
  return Math.fround(largest / 127);
}

/**
 * What quantising a text has lost: the squared error of its codes, and the squares of the values
 * less the mean that it is a part of.
 */
export function quantizationLoss(
  vectors: Float32Array,
  mean: Float32Array,
  codes: Int8Array,
  factor: number,
): { error: number; energy: number } {
  const dim = mean.length;
  let error = 0;
  let energy = 0;
  for (let row = 0; row < vectors.length; row += dim) {
    for (let j = 0; j < dim; j++) {
      const centred = vectors[row + j] - mean[j];
      const lost = centred - codes[row + j] * factor;
      error += lost * lost;
      energy += centred * centred;
    }
  }
  return { error, energy };
}
