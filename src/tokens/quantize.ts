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
    const [from, to] = [offsets[text] * dim, offsets[text + 1] * dim];
    let largest = 0;
    for (let at = from; at < to; at += dim) {
      for (let j = 0; j < dim; j++) largest = Math.max(largest, Math.abs(vectors[at + j] - mean[j]));
    }
    factors[text] = largest / 127;
    const scale = largest > 0 ? 127 / largest : 0;
    for (let at = from; at < to; at += dim) for (let j = 0; j < dim; j++) codes[at + j] = Math.round((vectors[at + j] - mean[j]) * scale);
  }
  return { codes, factors, mean, counts, offsets, dim };
}
