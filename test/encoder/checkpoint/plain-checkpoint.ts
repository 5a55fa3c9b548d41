import { expect } from 'vitest';
import { bytesSource } from '../../../dist/bytes/byte-source.js';
import { bertWeights } from '../../../dist/encoder/architectures/bert-weights.js';
import type { EncodedTexts, PoolingEncoder } from '../../../dist/encoder/encoder.js';
import { loadEncoder } from '../../../dist/entry/node-encoder.js';
import { openSafetensors } from '../../../dist/formats/safetensors/safetensors-file.js';
import { plainBert } from '../architectures/plain-bert.js';
import { smallBert } from '../small-bert.js';
import { ids, tokenizerJson } from '../small-checkpoint.js';

export const bert = smallBert();
export const HIDDEN = 48;
export const body = {
  'config.json': bert.json,
  'model.safetensors': bert.file,
  'tokenizer.json': tokenizerJson,
};
export const tokens = (...names: string[]): number[] => names.map((name) => ids[name]);
export const MODULES = {
  transformer: { idx: 0, name: '0', path: '', type: 'sentence_transformers.models.Transformer' },
  dense: (n: number) => ({
    idx: n,
    name: `${n}`,
    path: `${n}_Dense`,
    type: 'pylate.models.Dense.Dense',
  }),
  mask: (n: number) => ({
    idx: n,
    name: `${n}`,
    path: `${n}_MultiVectorMask`,
    type: 'sentence_transformers.multi_vector_encoder.modules.multi_vector_mask.MultiVectorMask',
  }),
  normalize: (n: number) => ({
    idx: n,
    name: `${n}`,
    path: `${n}_Normalize`,
    type: 'sentence_transformers.models.Normalize',
  }),
};

/** A dense layer's matrix, applied in float64. */
type Through = (x: Float64Array) => Float64Array;
export const layer =
  (
    weight: Float32Array,
    inputs: number,
    bias?: Float32Array,
    f: (x: number) => number = (x) => x,
  ): Through =>
  (x) =>
    Float64Array.from({ length: weight.length / inputs }, (_, o) =>
      f(x.reduce((sum, v, i) => sum + v * weight[o * inputs + i], bias?.[o] ?? 0)),
    );
export const unit: Through = (x) => {
  const norm = Math.hypot(...x);
  return x.map((v) => v / norm);
};

/** Vectors of one text by the plain formulas: the states of `keep` among its tokens. */
export async function plain(
  text: readonly number[],
  attended: number,
  keep: readonly number[],
  ...through: Through[]
): Promise<Float64Array[]> {
  const weights = bertWeights(await openSafetensors(bytesSource(bert.file)), bert.config, 'test');
  const states = await plainBert(bert.config, weights, text, attended);
  return keep.map((row) => through.reduce((x, f) => f(x), states[row]));
}

export function expectRows(
  { vectors, dim, counts, offsets }: EncodedTexts,
  text: number,
  expected: readonly Float64Array[],
): void {
  expect(counts[text]).toBe(expected.length);
  const found = vectors.subarray(offsets[text] * dim, offsets[text + 1] * dim);
  const wanted = expected.flatMap((row) => [...row]);
  expect(found.length).toBe(wanted.length);
  expect(Math.max(...wanted.map((value, i) => Math.abs(value - found[i])))).toBeLessThan(1e-4);
}

export async function withEncoder<T>(
  folder: string,
  use: (encoder: PoolingEncoder) => Promise<T>,
  options = {},
): Promise<T> {
  const encoder = await loadEncoder(folder, { threads: 1, ...options });
  try {
    return await use(encoder);
  } finally {
    await encoder.close();
  }
}

export const all = (length: number): number[] => Array.from({ length }, (_, i) => i);
