import { pacer } from '../pacer.js';
import type { Int8TokenSets, TokenSets } from './token-sets.js';

/** Texts between two chances for everything else on this thread. */
const TEXTS = 64;

/** Mean of all token vectors, added up in float64. Rejects with the signal's reason. */
export async function meanToken({ vectors, counts, offsets, dim }: TokenSets, signal?: AbortSignal | undefined): Promise<Float32Array> {
  const pace = pacer(signal);
  const sums = new Float64Array(dim);
  for (let text = 0; text < counts.length; text++) {
    if (text % TEXTS === 0) await pace();
    for (let at = offsets[text] * dim; at < offsets[text + 1] * dim; at += dim) for (let j = 0; j < dim; j++) sums[j] += vectors[at + j];
  }
  const rows = vectors.length / dim;
  return Float32Array.from(sums, (sum) => sum / rows);
}

/**
 * Tokens less `mean` as int8, each text by a factor of its own: its largest absolute value becomes 127 and value = code x factor + mean. Models whose
 * vectors have a large part in common lose most of their codes to it otherwise. What a text becomes does not depend on its neighbours. A text
 * whose vectors are the mean has factor 0.
 */
export async function quantizeTokens(sets: TokenSets, mean: Float32Array, signal?: AbortSignal | undefined): Promise<Int8TokenSets> {
  const { vectors, counts, offsets, dim } = sets;
  const pace = pacer(signal);
  const { length } = vectors;
  const codes = new Int8Array(typeof SharedArrayBuffer === 'undefined' ? new ArrayBuffer(length) : new SharedArrayBuffer(length));
  const factors = new Float32Array(counts.length);
  for (let text = 0; text < counts.length; text++) {
    if (text % TEXTS === 0) await pace();
    const from = offsets[text] * dim;
    factors[text] = quantizeText(vectors.subarray(from, offsets[text + 1] * dim), mean, codes.subarray(from));
  }
  return { codes, factors, mean, counts, offsets, dim };
}

/** One text of them, rows x dim; writes its codes and returns what one is worth, rounded to float32. */
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
    for (let j = 0; j < dim; j++) codes[row + j] = (((vectors[row + j] - mean[j]) * scale + 128.5) | 0) - 128;
  }
  return Math.fround(largest / 127);
}

/** What quantising a text has lost: the squared error of its codes, and the squares of the values less the mean that it is a part of. */
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
