import fc from 'fast-check';
import { expect, test } from 'vitest';
import { meanToken, quantizeTokens } from '../../src/tokens/quantize.js';
import { tokenSets } from '../../src/tokens/token-sets.js';
import { numbers } from '../numbers.js';

const setsOf = (vectors: Float32Array, dim: number) =>
  tokenSets({ vectors, counts: [vectors.length / dim], dim }, 'documents');

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
      // below this the factor itself leaves the range of what is measured here
      fc.pre(largest === 0 || largest > 1e-30);
      const sets = await setsOf(vectors, 1);
      const { codes, factors } = await quantizeTokens(sets, new Float32Array(1));
      for (const [i, v] of vectors.entries()) {
        expect(Math.abs(codes[i])).toBeLessThanOrEqual(127);
        expect(Math.abs(codes[i] * factors[0] - v)).toBeLessThanOrEqual(
          (0.5 * largest * (1 + 1e-5)) / 127,
        );
        if (Math.abs(v) === largest && largest > 0) expect(Math.abs(codes[i])).toBe(127);
      }
    }),
  );
});

test('vectors that are the mean have codes 0 and factor 0', async () => {
  const mean = Float32Array.of(1, -2, 0, 3);
  const { codes, factors } = await quantizeTokens(
    await setsOf(Float32Array.of(...mean, ...mean), 4),
    mean,
  );
  expect([...codes]).toEqual(new Array(8).fill(0));
  expect([...factors]).toEqual([0]);
});

test('shapes are kept, the input is not touched, and the codes of a text do not depend on its neighbours', async () => {
  const vectors = numbers(1).floats(6 * 5, 0.01);
  vectors[7] = -3;
  const before = vectors.slice();
  const sets = await tokenSets({ vectors, counts: [1, 5], dim: 5 }, 'documents');
  const mean = Float32Array.of(0, 0, 0.5, 0, 0);
  const quantised = await quantizeTokens(sets, mean);
  expect(vectors).toEqual(before);
  expect(quantised.counts).toEqual(sets.counts);
  expect(quantised.offsets).toEqual(sets.offsets);
  expect(quantised.dim).toBe(5);
  expect(quantised.mean).toEqual(mean);
  expect(quantised.factors[1]).toBeCloseTo(3.5 / 127, 8);
  expect(quantised.codes[7]).toBe(-127);
  const alone = await quantizeTokens(await setsOf(vectors.slice(0, 5), 5), mean);
  expect([...alone.codes]).toEqual([...quantised.codes.subarray(0, 5)]);
  expect(alone.factors[0]).toBe(quantised.factors[0]);
});

test('an aborted signal stops it with its reason', async () => {
  const reason = new Error('enough');
  const sets = await setsOf(new Float32Array(4), 2);
  await expect(quantizeTokens(sets, new Float32Array(2), AbortSignal.abort(reason))).rejects.toBe(
    reason,
  );
  await expect(meanToken(sets, AbortSignal.abort(reason))).rejects.toBe(reason);
});

/** Rows of a given length. */
const ofLength = (length: number, rows: readonly number[][]): number[][] =>
  rows.map((row) => row.map((value) => (value * length) / Math.hypot(...row)));

test('the mean is that of all rows, whatever text they are in, where these are of unit length', async () => {
  const values = numbers(2).floats(7 * 3, 5);
  const rows = ofLength(
    1,
    Array.from({ length: 7 }, (_, i) => [...values.subarray(3 * i, 3 * i + 3)]),
  );
  const mean = await meanToken(
    await tokenSets(
      { vectors: Float32Array.from(rows.flat()), counts: [2, 1, 4], dim: 3 },
      'documents',
    ),
  );
  const sums = rows.reduce(
    (sum, row) => sum.map((value, j) => value + Math.fround(row[j])),
    [0, 0, 0],
  );
  expect([...mean]).toEqual(sums.map((sum) => Math.fround(sum / 7)));
});

test('the mean of many texts is as long as most of them say, whatever the others do; of few texts it is no longer than 1', async () => {
  const base = [
    [0.6, 0.8, 0],
    [0, 0.8, 0.6],
  ];
  const expected = [0.3, 0.8, 0.3];
  const meanOf = async (lengths: number[]): Promise<Float32Array> => {
    const vectors = Float32Array.from(lengths.flatMap((length) => ofLength(length, base).flat()));
    return meanToken(
      await tokenSets({ vectors, counts: lengths.map(() => 2), dim: 3 }, 'documents'),
    );
  };
  const many = (length: number, ...others: number[]): number[] => [
    ...others,
    ...new Array(99).fill(length),
  ];
  for (const [lengths, times] of [
    [many(1, 1000), 1],
    [many(1, 1e14, 1e-30, 0), 1],
    [many(20, 1000, 0.1), 20],
    [many(0.01, 1), 0.01],
    [[1000], 1],
    [[1000, 1000, 0.5], 1],
    [[0.01], 0.01],
    [[0, 0], 0],
  ] as const) {
    const mean = await meanOf([...lengths]);
    for (const j of [0, 1, 2])
      expect(mean[j] / (times || 1)).toBeCloseTo(times === 0 ? 0 : expected[j], 5);
  }
});
