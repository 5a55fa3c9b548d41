import { pacer } from '../pacer.js';
import type { Int8TokenSets, TokenSets } from './token-sets.js';

/** Values quantised between two chances for everything else on this thread. */
const SLICE = 1 << 20;
/** Largest code of a query: with int8 tokens the sums of up to 4,000 dimensions fit int32. */
const QUERY_LIMIT = 4095;

/** Tokens as int8: code = round(x * scale), one scale for all so that norms survive, the largest absolute value becoming 127. */
export async function quantizeTokens(sets: TokenSets, signal?: AbortSignal | undefined): Promise<Int8TokenSets> {
  const scale = await scaleFor(sets.vectors, 127, signal);
  const { length } = sets.vectors;
  const codes = new Int8Array(typeof SharedArrayBuffer === 'undefined' ? new ArrayBuffer(length) : new SharedArrayBuffer(length));
  await round(sets.vectors, scale, codes, signal);
  return { codes, counts: sets.counts, offsets: sets.offsets, dim: sets.dim, scale };
}

/** Query tokens as int16 codes of at most 4095, for products with int8 tokens: their rounding is negligible beside that of the documents. */
export async function quantizeQueries(sets: TokenSets): Promise<{ codes: Int16Array; scale: number }> {
  const scale = await scaleFor(sets.vectors, QUERY_LIMIT);
  const codes = new Int16Array(sets.vectors.length);
  await round(sets.vectors, scale, codes);
  return { codes, scale };
}

async function scaleFor(vectors: Float32Array, limit: number, signal?: AbortSignal | undefined): Promise<number> {
  const pace = pacer(signal);
  let largest = 0;
  for (let from = 0; from < vectors.length; from += SLICE) {
    await pace();
    for (let i = from, to = Math.min(vectors.length, from + SLICE); i < to; i++) largest = Math.max(largest, Math.abs(vectors[i]));
  }
  return largest === 0 ? 1 : limit / largest;
}

async function round(vectors: Float32Array, scale: number, codes: Int8Array | Int16Array, signal?: AbortSignal | undefined): Promise<void> {
  const pace = pacer(signal);
  for (let from = 0; from < vectors.length; from += SLICE) {
    await pace();
    for (let i = from, to = Math.min(vectors.length, from + SLICE); i < to; i++) codes[i] = Math.round(vectors[i] * scale);
  }
}
