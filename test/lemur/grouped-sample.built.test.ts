import { expect, test } from 'vitest';
import { Lemur, memoryStorage } from '../../dist/entry/node.js';
import { groupRows } from '../../dist/learn/group-rows.js';
import { dot, numbers } from '../numbers.js';

const DIM = 16;
const TOKENS = 140;
const documents = {
  vectors: numbers(5).unitRows(80 * TOKENS, DIM),
  counts: new Int32Array(80).fill(TOKENS),
  dim: DIM,
};

test('documents get the same bytes in the corpus, later, alone, and after the model was loaded', async () => {
  const options = { epochs: 0, finalHiddenDim: 32, olsSampleSize: 8192 };
  const lemur = await Lemur.fit(documents, options);
  const expected = await lemur.W;
  expect(await lemur.computeWeights(documents)).toEqual(expected);
  const storage = memoryStorage();
  await lemur.save(storage);
  const loaded = await Lemur.load(storage, { threads: 1 });
  expect(await loaded.computeWeights(documents)).toEqual(expected);
  const last = {
    ...documents,
    vectors: documents.vectors.slice(79 * TOKENS * DIM),
    counts: [TOKENS],
  };
  expect(await loaded.computeWeights(last)).toEqual(expected.slice(79 * 32));
  loaded.close();
  lemur.close();
});

test('a grouped sample has the same rows in another order, neighbours more alike', async () => {
  const rows = documents.vectors.slice(0, 1003 * DIM);
  const grouped = await groupRows(rows, DIM, undefined);
  const lines = (of: Float32Array): Float32Array[] =>
    Array.from({ length: 1003 }, (_, r) => of.slice(r * DIM, (r + 1) * DIM));
  const sorted = (of: Float32Array): string[] => lines(of).map(String).sort();
  expect(sorted(grouped)).toEqual(sorted(rows));
  expect(await groupRows(rows, DIM, undefined)).toEqual(grouped);
  /** Mean product of neighbours within groups of 16. */
  const alike = (of: Float32Array): number => {
    const all = lines(of);
    const pairs = all.flatMap((row, i) => (i % 16 === 0 ? [] : [dot(row, all[i - 1])]));
    return pairs.reduce((total, product) => total + product, 0) / pairs.length;
  };
  expect(Math.abs(alike(rows))).toBeLessThan(0.1);
  expect(alike(grouped)).toBeGreaterThan(0.3);
});
