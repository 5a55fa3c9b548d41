import { expect, test } from 'vitest';
import { meanToken } from '../../src/tokens/mean-token.js';
import { tokenSets } from '../../src/tokens/token-sets.js';
import { numbers } from '../numbers.js';

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

test('an aborted signal stops it with its reason', async () => {
  const reason = new Error('enough');
  const sets = await tokenSets({ vectors: new Float32Array(4), counts: [2], dim: 2 }, 'documents');
  await expect(meanToken(sets, AbortSignal.abort(reason))).rejects.toBe(reason);
});
