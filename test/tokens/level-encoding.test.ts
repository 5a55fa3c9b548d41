import { describe, expect, test } from 'vitest';
import {
  decodeVectors,
  encodeTokens,
  encodeVectors,
  learnCodec,
  unlearnedCodec,
} from '../../src/tokens/encode-tokens.js';
import type { TokenCodec } from '../../src/tokens/encoding.js';
import { longestRows } from '../../src/tokens/lengths.js';
import { tokenSets } from '../../src/tokens/token-sets.js';
import { dot, numbers } from '../numbers.js';

const setsOf = (vectors: Float32Array, dim: number) =>
  tokenSets({ vectors, counts: [vectors.length / dim], dim }, 'documents');

/** Unit vectors that have `common` times one unit vector in common. */
function cone(seed: number, rows: number, dim: number, common: number): Float32Array {
  const [vectors, axis] = [numbers(seed).unitRows(rows, dim), numbers(99).unitRows(1, dim)];
  for (let r = 0; r < rows; r++) {
    const row = vectors.subarray(r * dim, (r + 1) * dim);
    for (let j = 0; j < dim; j++) row[j] += common * axis[j];
    const length = Math.hypot(...row);
    for (let j = 0; j < dim; j++) row[j] /= length;
  }
  return vectors;
}

const rowOf = (vectors: ArrayLike<number>, row: number, dim: number): number[] =>
  Array.from({ length: dim }, (_, j) => vectors[row * dim + j]);

const again = (vectors: Float32Array, codec: TokenCodec): Float32Array =>
  decodeVectors(encodeVectors(vectors, codec), codec);

/** What Lloyd and Max's levels lose of normal values, and a fifth more. */
const LOSS = { int4: 0.0095 * 1.2, int2: 0.1175 * 1.2 };

describe.each(['int4', 'int2'] as const)('%s', (precision) => {
  const bits = precision === 'int4' ? 4 : 2;

  test.each([1, 2, 3, 15, 48, 96, 128, 384, 768])(
    'a token of %d dimensions takes two bytes and its bits, and what comes back is near it',
    async (dim) => {
      const vectors = numbers(dim).unitRows(60, dim);
      const codec = await learnCodec(precision, await setsOf(vectors, dim), 5);
      const encoded = encodeVectors(vectors, codec);
      expect(encoded.rows.length).toBe(60 * (2 + Math.ceil((dim * bits) / 8)));
      const decoded = decodeVectors(encoded, codec);
      expect(decoded.every(Number.isFinite)).toBe(true);
      if (dim < 48) return;
      const { error, energy } = codec.encoding.loss(vectors, encoded, codec);
      expect(error / energy).toBeLessThan(LOSS[precision]);
      let lost = 0;
      for (const [i, value] of vectors.entries()) lost += (value - decoded[i]) ** 2;
      expect(lost).toBeCloseTo(error, 3);
    },
  );

  test('vectors of one value alone lose no more than others do', async () => {
    const dim = 96;
    const vectors = new Float32Array(dim * dim);
    for (let i = 0; i < dim; i++) vectors[i * dim + i] = i % 2 ? -1 : 1;
    const codec = await learnCodec(precision, await setsOf(vectors, dim), 0);
    const { error, energy } = codec.encoding.loss(vectors, encodeVectors(vectors, codec), codec);
    expect(error / energy).toBeLessThan(LOSS[precision] * 1.2);
  });

  test('lengths are kept, short and long ones', async () => {
    const dim = 128;
    const vectors = numbers(3).unitRows(40, dim);
    for (let i = 0; i < vectors.length; i++) vectors[i] *= 10 ** ((Math.floor(i / dim) % 21) - 10);
    const codec = unlearnedCodec(precision, dim);
    const decoded = again(vectors, codec);
    for (let r = 0; r < 40; r++) {
      const [given, found] = [rowOf(vectors, r, dim), rowOf(decoded, r, dim)];
      expect(Math.hypot(...found) / Math.hypot(...given)).toBeCloseTo(1, 2);
    }
  });

  test('along the mean next to nothing is lost, so that vectors in a narrow cone rank as they did', async () => {
    const dim = 128;
    const vectors = cone(1, 200, dim, 3);
    const codec = await learnCodec(precision, await setsOf(vectors, dim), 0);
    const decoded = again(vectors, codec);
    const mean = Array.from({ length: dim }, (_, j) => {
      let total = 0;
      for (let r = 0; r < 200; r++) total += vectors[r * dim + j];
      return total / 200;
    });
    let [along, across] = [0, 0];
    for (let r = 0; r < 200; r++) {
      const lost = rowOf(vectors, r, dim).map((value, j) => value - decoded[r * dim + j]);
      along += dot(lost, mean) ** 2 / dot(mean, mean);
      across += dot(lost, lost) / dim;
    }
    expect(along / across).toBeLessThan(0.5);
  });

  test('zero vectors count as zero, whatever the mean is', async () => {
    const dim = 48;
    const vectors = cone(2, 8, dim, 2);
    vectors.fill(0, 4 * dim);
    const sets = await tokenSets({ vectors, counts: [4, 4], dim }, 'documents');
    const codec = await learnCodec(precision, sets, 0);
    expect([...(await longestRows(await encodeTokens(sets, codec)))]).toEqual([1, 0]);
  });

  test('what a text becomes depends on the seed and not on its neighbours', async () => {
    const dim = 48;
    const vectors = numbers(8).unitRows(6, dim);
    const sets = await tokenSets({ vectors, counts: [1, 5], dim }, 'documents');
    const codec = await learnCodec(precision, sets, 1);
    const { rows } = await encodeTokens(sets, codec);
    const alone = encodeVectors(vectors.subarray(dim), codec).rows;
    expect([...rows.subarray(-alone.length)]).toEqual([...alone]);
    expect((await learnCodec(precision, sets, 1)).parameters).toEqual(codec.parameters);
    expect((await learnCodec(precision, sets, 2)).parameters).not.toEqual(codec.parameters);
  });

  test('a mean that leaves less than half of the squares is worth encoding anew, others are not', async () => {
    const dim = 48;
    const sample = await setsOf(cone(4, 100, dim, 3), dim);
    const [good, none] = [
      (await learnCodec(precision, sample, 0)).parameters,
      unlearnedCodec(precision, dim).parameters,
    ];
    const { encoding } = unlearnedCodec(precision, dim);
    expect(await encoding.improves(sample, none, good)).toBe(true);
    expect(await encoding.improves(sample, good, none)).toBe(false);
    expect(await encoding.improves(sample, good, good)).toBe(false);
  });

  test('inner products with a prepared query are those of the vectors that come back', async () => {
    const dim = 96;
    const vectors = cone(5, 10, dim, 1);
    const codec = await learnCodec(precision, await setsOf(vectors, dim), 0);
    const query = numbers(6).unitRows(1, dim);
    const prepared = query.slice();
    codec.encoding.prepareQuery?.(prepared, codec);
    const [inside, outside] = [new Float32Array(vectors.length), again(vectors, codec)];
    codec.encoding.decode(encodeVectors(vectors, codec), codec, inside);
    for (let r = 0; r < 10; r++)
      expect(dot(rowOf(inside, r, dim), prepared)).toBeCloseTo(
        dot(rowOf(outside, r, dim), query),
        5,
      );
  });
});
