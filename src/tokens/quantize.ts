import { pacer } from '../pacer.js';
import type { Int8TokenSets, TokenSets } from './token-sets.js';

/** Texts quantised between two chances for everything else on this thread. */
const TEXTS = 64;

/**
 * Tokens as int8, each text by a factor of its own: its largest absolute value becomes 127 and value = code x factor. What a text becomes does
 * not depend on its neighbours. A text of zeros has factor 0.
 */
export async function quantizeTokens(sets: TokenSets, signal?: AbortSignal | undefined): Promise<Int8TokenSets> {
  const { vectors, counts, offsets, dim } = sets;
  const pace = pacer(signal);
  const { length } = vectors;
  const codes = new Int8Array(typeof SharedArrayBuffer === 'undefined' ? new ArrayBuffer(length) : new SharedArrayBuffer(length));
  const factors = new Float32Array(counts.length);
  for (let text = 0; text < counts.length; text++) {
    if (text % TEXTS === 0) await pace();
    const [from, to] = [offsets[text] * dim, offsets[text + 1] * dim];
    let largest = 0;
    for (let i = from; i < to; i++) largest = Math.max(largest, Math.abs(vectors[i]));
    factors[text] = largest / 127;
    const scale = largest > 0 ? 127 / largest : 0;
    for (let i = from; i < to; i++) codes[i] = Math.round(vectors[i] * scale);
  }
  return { codes, factors, counts, offsets, dim };
}
