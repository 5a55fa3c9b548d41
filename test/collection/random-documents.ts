import type { IndexDocument } from '../../dist/entry/node.js';

/** Deterministic numbers in [0, 1). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    // the low bits of such a generator have short periods
    return (((state >>> 16) ^ (state << 5)) >>> 0) / 2 ** 32;
  };
}

/** rows x dim values between -0.5 and 0.5. */
export function matrixOf(
  rows: number,
  dim: number,
  random: () => number,
): { data: Float32Array; dims: [number, number] } {
  return {
    data: Float32Array.from({ length: rows * dim }, () => random() - 0.5),
    dims: [rows, dim],
  };
}

/** Documents a0, a1, ... of 2 to 6 tokens, with a text and metadata. */
export function documentsOf(
  count: number,
  dim: number,
  seed = 1,
  prefix = 'a',
): (IndexDocument & { tokens: { data: Float32Array; dims: [number, number] } })[] {
  const random = randomOf(seed);
  return Array.from({ length: count }, (_, i) => ({
    id: `${prefix}${i}`,
    text: `text of ${prefix}${i}`,
    tokens: matrixOf(2 + (i % 5), dim, random),
    metadata: { number: i, lang: i % 2 === 0 ? 'en' : 'de', tags: [`t${i % 3}`] },
  }));
}
