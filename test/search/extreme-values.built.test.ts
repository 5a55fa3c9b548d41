import { describe, expect, test } from 'vitest';
import {
  centerTokens,
  Index,
  isLemurError,
  Lemur,
  MaxSim,
  maxSim,
  memoryStorage,
} from '../../dist/entry/node.js';
import { createRandom } from '../../dist/tokens/random.js';

const DIM = 12;
/** The largest magnitude of a value that is taken. */
const MOST = 1e15;
const SCALES = [MOST, 1e12, 1, 1e-20, 1e-38, 1e-45, 0];

/** Texts of `tokens` vectors with values up to `scale`, some of them -0 and some rows zero. */
function corpus(
  texts: number,
  tokens: number,
  scale: number,
  seed: number,
): { vectors: Float32Array; counts: Int32Array; dim: number } {
  const random = createRandom(seed, 1);
  const vectors = Float32Array.from({ length: texts * tokens * DIM }, (_, i) => {
    if (i % 7 === 0) return -0;
    return Math.floor(i / DIM) % 5 === 4 ? 0 : (2 * random.integer(1000) - 999) * (scale / 999);
  });
  return { vectors, counts: new Int32Array(texts).fill(tokens), dim: DIM };
}

/** MaxSim by its definition, in float64. */
function reference(
  queries: ReturnType<typeof corpus>,
  documents: ReturnType<typeof corpus>,
): number[] {
  const scores: number[] = [];
  const [a, b] = [queries.counts[0], documents.counts[0]];
  const dot = (i: number, j: number): number => {
    let sum = 0;
    for (let c = 0; c < DIM; c++)
      sum += queries.vectors[i * DIM + c] * documents.vectors[j * DIM + c];
    return sum;
  };
  for (let q = 0; q < queries.counts.length; q++)
    for (let d = 0; d < documents.counts.length; d++) {
      let score = 0;
      for (let i = q * a; i < (q + 1) * a; i++) {
        let best = -Infinity;
        for (let j = d * b; j < (d + 1) * b; j++) best = Math.max(best, dot(i, j));
        score += best;
      }
      scores.push(score);
    }
  return scores;
}

/**
 * What products of values of these sizes may be off by: rounding, and what float32 has no room for
 * near zero.
 */
const slack = (documents: number, queries: number, share: number): number =>
  share * DIM * 3 * (documents + 1e-36) * (queries + 1e-30) + 1e-36;

/** What a product may be off by, as a share of the lengths. */
const SHARE = { float32: 1e-5, int8: 1e-2, int4: 0.2, int2: 0.6 };

describe.each(['float32', 'int8', 'int4', 'int2'] as const)('%s', (precision) => {
  test.each(SCALES)(
    'documents up to %d score as MaxSim says, whatever the size of the query',
    async (size) => {
      const documents = corpus(6, 3, size, 1);
      const exact = await MaxSim.create(documents, { precision, threads: 1 });
      for (const scale of SCALES) {
        const queries = corpus(2, 3, scale, 2);
        const scores = await exact.score(queries);
        const expected = reference(queries, documents);
        for (const [i, score] of scores.entries())
          expect(Math.abs(score - expected[i])).toBeLessThanOrEqual(
            slack(size, scale, SHARE[precision]),
          );
        const top = await exact.search(queries, 6);
        expect([...top.scores].every(Number.isFinite)).toBe(true);
      }
      exact.close();
    },
  );

  test.each(SCALES)(
    'a fit of documents up to %d has finite weights, features and estimates',
    async (size) => {
      const documents = corpus(30, 3, size, 3);
      for (const epochs of [0, 1]) {
        const lemur = await Lemur.fit(documents, {
          precision,
          epochs,
          finalHiddenDim: 8,
          threads: 1,
        });
        const { scores } = await lemur.candidates(corpus(2, 3, size, 4), 5);
        const found = [
          await lemur.W,
          await lemur.computeFeatures(documents),
          await lemur.computeWeights(documents),
          scores,
        ];
        expect(found.map((values) => values.every(Number.isFinite))).toEqual([
          true,
          true,
          true,
          true,
        ]);
        const storage = memoryStorage();
        await lemur.save(storage);
        (await Lemur.load(storage, { threads: 1 })).close();
        lemur.close();
      }
    },
  );

  test.each(SCALES)(
    'a collection of documents up to %d opens again, and its scores are finite',
    async (size) => {
      for (const pooling of [1, 2]) {
        const storage = memoryStorage();
        const index = await Index.create(storage, { dim: DIM, precision, pooling, threads: 1 });
        const { vectors } = corpus(6, 3, size, 5);
        const matrix = (i: number) => ({
          data: vectors.slice(3 * i * DIM, 3 * (i + 1) * DIM),
          dims: [3, DIM],
        });
        await index.add([0, 1, 2].map((i) => ({ id: String(i), tokens: matrix(i) })));
        // of another size than those that the mean is of
        await index.add([
          { id: 'unit', tokens: [Array.from({ length: DIM }, (_, c) => (c === 0 ? 1 : -0))] },
        ]);
        await index.add([3, 4, 5].map((i) => ({ id: String(i), tokens: matrix(i) })));
        // takes the mean anew
        await index.fit();
        await index.delete('2');
        await index.compact();
        await index.close();
        const opened = await Index.open(storage, { threads: 1 });
        expect((await opened.verify()).problems).toEqual([]);
        const { hits } = await opened.search(matrix(0), { include: ['evidence'] });
        expect(hits).toHaveLength(6);
        for (const { score, evidence } of hits)
          expect([score, ...(evidence ?? []).map((one) => one.score)].every(Number.isFinite)).toBe(
            true,
          );
        await opened.close();
      }
    },
  );
});

test('what is beyond, and what is no number, is refused everywhere', async () => {
  const good = corpus(3, 2, 1, 6);
  const exact = await MaxSim.create(good, { threads: 1 });
  const lemur = await Lemur.fit(good, { epochs: 0, finalHiddenDim: 8, threads: 1 });
  const index = await Index.create(memoryStorage(), { dim: DIM, threads: 1 });
  await index.add({ id: 'a', tokens: [Array.from({ length: DIM }, () => 0.5)] });
  const row = Array.from({ length: DIM }, () => 0.5);
  for (const value of [
    1e38,
    -1e38,
    1.1 * MOST,
    1e300,
    Number.NaN,
    Infinity,
    -Infinity,
    null,
    true,
    '',
    '0.5',
    1n,
    undefined,
    [1],
  ]) {
    const bad = [[row, [...row.slice(1), value as number]]];
    const one = bad[0];
    for (const call of [
      () => MaxSim.create(bad),
      () => exact.score(bad),
      () => exact.search(bad, 1),
      () => exact.rerankSubset(bad, 1, [[0]]),
      () => Lemur.fit(bad),
      () => Lemur.fit(good, { learn: bad }),
      () => Lemur.fit(good, { test: bad }),
      () => lemur.candidates(bad, 1),
      () => lemur.computeFeatures(bad),
      () => lemur.computeWeights(bad),
      () => centerTokens(bad, new Float32Array(DIM)),
      () => index.add({ id: 'b', tokens: one }),
      () => index.search(one),
      () => index.searchBatch([one]),
      () => index.rerank(one, ['a']),
      async () => maxSim(one, [row]),
      async () => maxSim([row], one),
    ]) {
      const error = await Promise.resolve(call()).then(
        () => new Error(`${String(value)} was taken by ${call}`),
        (reason: Error) => reason,
      );
      expect(isLemurError(error, 'not-finite'), error.stack).toBe(true);
      expect(error.message).toMatch(/row 1, column 11; (every value must be|magnitudes are)/);
    }
  }
  expect(index.size).toBe(1);
  await index.close();
  exact.close();
  lemur.close();
});
