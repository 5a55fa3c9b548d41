import { readFileSync } from 'node:fs';
import { readNpy } from '../../dist/entry/node.js';
import { randomTexts, type Texts } from '../numbers.js';

/** Folder of the token vectors of 160 abstracts and 24 queries, see its README. */
export const PARITY = new URL('../fixtures/parity/', import.meta.url);

const read = (name: string) => readNpy(readFileSync(new URL(`${name}.npy`, PARITY))).data;

const texts = (name: string): Texts => ({
  vectors: read(name) as Float32Array,
  counts: [...(read(`${name}_counts`) as Int32Array)],
  dim: 128,
});

/** 160 abstracts. */
export const corpus: Texts = texts('train');
/** 24 queries of the same collection. */
export const queries: Texts = texts('test');

/** Text i of some, or texts from to up to before `to`. */
export function part({ vectors, counts, dim }: Texts, from: number, to: number = from + 1): Texts {
  const start = counts.slice(0, from).reduce((a, b) => a + b, 0);
  const own = counts.slice(from, to);
  const rows = own.reduce((a, b) => a + b, 0);
  return { vectors: vectors.slice(start * dim, (start + rows) * dim), counts: own, dim };
}

/** Small options, for tests that are not about quality. */
export const QUICK = {
  finalHiddenDim: 48,
  hiddenDim: 32,
  epochs: 2,
  batchSize: 64,
  learnSubsetSize: 600,
  olsSampleSize: 400,
};

/** A corpus of 40 texts of 1 to 12 tokens in 16 dimensions. */
export const small: Texts = randomTexts(
  1,
  Array.from({ length: 40 }, (_, i) => 1 + ((i * 5) % 12)),
  16,
);
export const smallQueries: Texts = randomTexts(2, [3, 1, 7], 16);
