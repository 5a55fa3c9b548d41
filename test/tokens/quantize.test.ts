import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quantizeQueries, quantizeTokens } from '../../src/tokens/quantize.js';
import { tokenSets } from '../../src/tokens/token-sets.js';
import { numbers } from '../numbers.js';

const setsOf = (vectors: Float32Array, dim: number) => tokenSets({ vectors, counts: [vectors.length / dim], dim }, 'documents');

test('no value is further from its code than half a step, and the largest is exact', async () => {
  const value = fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e6), max: Math.fround(1e6) });
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 60 }), async (list) => {
      const vectors = Float32Array.from(list);
      const largest = Math.max(...vectors.map(Math.abs));
      // below this the scale itself leaves the range of what is measured here
      fc.pre(largest === 0 || largest > 1e-30);
      const sets = await setsOf(vectors, 1);
      for (const [limit, { codes, scale }] of [
        [127, await quantizeTokens(sets)],
        [4095, await quantizeQueries(sets)],
      ] as const) {
        for (const [i, v] of vectors.entries()) {
          expect(Math.abs(codes[i])).toBeLessThanOrEqual(limit);
          expect(Math.abs(codes[i] / scale - v)).toBeLessThanOrEqual((0.5 * largest * (1 + 1e-9)) / limit);
          if (Math.abs(v) === largest && largest > 0) expect(Math.abs(codes[i])).toBe(limit);
        }
      }
    }),
  );
});

test('zeros stay zeros, of any scale', async () => {
  const { codes, scale } = await quantizeTokens(await setsOf(new Float32Array(8), 4));
  expect([...codes]).toEqual(new Array(8).fill(0));
  expect(scale).toBeGreaterThan(0);
  expect(Number.isFinite(scale)).toBe(true);
});

test('shapes are kept, the input is not touched, and one scale serves all rows', async () => {
  const vectors = numbers(1).floats(6 * 5, 0.01);
  vectors[7] = -3;
  const before = vectors.slice();
  const sets = await tokenSets({ vectors, counts: [1, 5], dim: 5 }, 'documents');
  const quantised = await quantizeTokens(sets);
  expect(vectors).toEqual(before);
  expect(quantised.counts).toEqual(sets.counts);
  expect(quantised.offsets).toEqual(sets.offsets);
  expect(quantised.dim).toBe(5);
  expect(quantised.scale).toBeCloseTo(127 / 3, 10);
  expect(quantised.codes[7]).toBe(-127);
});

test('an aborted signal stops it with its reason', async () => {
  const reason = new Error('enough');
  await expect(quantizeTokens(await setsOf(new Float32Array(4), 2), AbortSignal.abort(reason))).rejects.toBe(reason);
});
