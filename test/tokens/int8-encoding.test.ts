import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeTokens } from '../../src/tokens/encode-tokens.js';
import { int8Encoding } from '../../src/tokens/int8-encoding.js';
import { type TokenSets, tokenSets } from '../../src/tokens/token-sets.js';
import { numbers } from '../numbers.js';

const setsOf = (vectors: Float32Array, dim: number) =>
  tokenSets({ vectors, counts: [vectors.length / dim], dim }, 'documents');

const quantise = async (sets: TokenSets, mean: Float32Array, signal?: AbortSignal) => {
  const codec = { encoding: int8Encoding, dim: sets.dim, parameters: mean };
  const { rows, scales, ...rest } = await encodeTokens(sets, codec, signal);
  return { ...rest, codes: rows, scales: scales as Float32Array };
};

test('no value is further from its code than half a step, and the largest is exact', async () => {
  const value = fc.float({
    noNaN: true,
    noDefaultInfinity: true,
    min: Math.fround(-1e6),
    max: Math.fround(1e6),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 60 }), async (list) => {
      const vectors = Float32Array.from(list);
      const largest = Math.max(...vectors.map(Math.abs));
      // below this the scale itself leaves the range of what is measured here
      fc.pre(largest === 0 || largest > 1e-30);
      const sets = await setsOf(vectors, 1);
      const { codes, scales } = await quantise(sets, new Float32Array(1));
      for (const [i, v] of vectors.entries()) {
        expect(Math.abs(codes[i])).toBeLessThanOrEqual(127);
        expect(Math.abs(codes[i] * scales[0] - v)).toBeLessThanOrEqual(
          (0.5 * largest * (1 + 1e-5)) / 127,
        );
        if (Math.abs(v) === largest && largest > 0) expect(Math.abs(codes[i])).toBe(127);
      }
    }),
  );
});

test('vectors that are the mean have codes 0 and scale 0', async () => {
  const mean = Float32Array.of(1, -2, 0, 3);
  const { codes, scales } = await quantise(
    await setsOf(Float32Array.of(...mean, ...mean), 4),
    mean,
  );
  expect([...codes]).toEqual(new Array(8).fill(0));
  expect([...scales]).toEqual([0]);
});

test('shapes are kept, the input is not touched, and the codes of a text do not depend on its neighbours', async () => {
  const vectors = numbers(1).floats(6 * 5, 0.01);
  vectors[7] = -3;
  const before = vectors.slice();
  const sets = await tokenSets({ vectors, counts: [1, 5], dim: 5 }, 'documents');
  const mean = Float32Array.of(0, 0, 0.5, 0, 0);
  const quantised = await quantise(sets, mean);
  expect(vectors).toEqual(before);
  expect(quantised.counts).toEqual(sets.counts);
  expect(quantised.offsets).toEqual(sets.offsets);
  expect(quantised.dim).toBe(5);
  expect(quantised.parameters).toEqual(mean);
  expect(quantised.scales[1]).toBeCloseTo(3.5 / 127, 8);
  expect(quantised.codes[7]).toBe(-127);
  const alone = await quantise(await setsOf(vectors.slice(0, 5), 5), mean);
  expect([...alone.codes]).toEqual([...quantised.codes.subarray(0, 5)]);
  expect(alone.scales[0]).toBe(quantised.scales[0]);
});

test('an aborted signal stops it with its reason', async () => {
  const reason = new Error('enough');
  const sets = await setsOf(new Float32Array(4), 2);
  await expect(quantise(sets, new Float32Array(2), AbortSignal.abort(reason))).rejects.toBe(reason);
});
