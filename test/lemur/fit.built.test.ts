import { describe, expect, test } from 'vitest';
import { createCpuDevice } from '../../dist/device/cpu/cpu-device.js';
import { type FitOptions, Lemur, MaxSim } from '../../dist/entry/node.js';
import { nodePlatform } from '../../dist/entry/node-platform.js';
import { bytesOf, naiveMaxSim, randomTexts, rowsOfTexts, sum, type Texts } from '../numbers.js';
import { corpus, part, QUICK, queries, small, smallQueries } from './corpus.js';

const finite = (values: Float32Array): boolean => values.every(Number.isFinite);

describe.each([1, 3, 50])('a corpus of %d documents', (count) => {
  const documents = randomTexts(
    count,
    Array.from({ length: count }, (_, i) => 1 + ((i * 3) % 7)),
    24,
  );
  const learners: [string, FitOptions][] = [
    ['trained', { epochs: 3 }],
    ['random features', { epochs: 0 }],
    ['relu, some units dead', { epochs: 3, activation: 'relu', lr: 0.1 }],
    ['random relu features', { epochs: 0, activation: 'relu' }],
    ['two layers of mish', { epochs: 2, numLayers: 2, hiddenDim: 16, activation: 'mish' }],
  ];
  test.each(learners)('can be learned: %s', async (_name, options) => {
    // more latent dimensions than sample tokens: the Gram matrix is singular
    const lemur = await Lemur.fit(documents, { finalHiddenDim: 300, ...options });
    expect([lemur.documents, lemur.dim, lemur.latentDim]).toEqual([count, 24, 300]);
    const w = await lemur.W;
    expect(w.length).toBe(count * 300);
    expect(finite(w)).toBe(true);
    expect(Number.isFinite(lemur.mean)).toBe(true);
    expect(lemur.std).toBeGreaterThan(0);
    const k = count + 5;
    const { indices, scores } = await lemur.candidates(part(documents, 0), k);
    expect([...indices.subarray(0, count)].sort((a, b) => a - b)).toEqual(
      Array.from({ length: count }, (_, i) => i),
    );
    expect(finite(scores.subarray(0, count))).toBe(true);
    for (let i = 1; i < count; i++) expect(scores[i]).toBeLessThanOrEqual(scores[i - 1]);
    expect([...indices.subarray(count)]).toEqual(new Array(5).fill(-1));
    expect([...scores.subarray(count)]).toEqual(new Array(5).fill(-Infinity));
    lemur.close();
  });
});

/** The first text twice: as query and as document. */
const one = (texts: Texts): [Float32Array[], Float32Array[]] => [
  rowsOfTexts(texts)[0],
  rowsOfTexts(texts)[0],
];

test('documents that are all the same, and a corpus of zeros, still give finite numbers', async () => {
  const same: Texts = {
    vectors: new Float32Array(5 * 8).fill(0.3),
    counts: [1, 1, 1, 1, 1],
    dim: 8,
  };
  const zeros: Texts = { ...same, vectors: new Float32Array(40) };
  for (const documents of [same, zeros]) {
    for (const epochs of [0, 2]) {
      const lemur = await Lemur.fit(documents, { finalHiddenDim: 32, epochs });
      expect(finite(await lemur.W)).toBe(true);
      // they all score the same, so that the order is theirs
      const { indices, scores } = await lemur.candidates(part(documents, 0), 5);
      expect([...indices]).toEqual([0, 1, 2, 3, 4]);
      expect(scores[0]).toBeCloseTo(naiveMaxSim(...one(documents)), 3);
      lemur.close();
    }
  }
});

describe('on 160 abstracts', () => {
  const exactOf = (asked: Texts): number[][] => {
    const documents = rowsOfTexts(corpus);
    return rowsOfTexts(asked).map((query) =>
      documents.map((document) => naiveMaxSim(query, document)),
    );
  };
  const exact = exactOf(queries);
  const options = { finalHiddenDim: 256 };

  const correlation = (a: number[], b: number[]): number => {
    const [ma, mb] = [sum(a) / a.length, sum(b) / b.length];
    const products = sum(a.map((v, i) => (v - ma) * (b[i] - mb)));
    return (
      products / Math.sqrt(sum(a.map((v) => (v - ma) ** 2)) * sum(b.map((v) => (v - mb) ** 2)))
    );
  };

  test.each([
    ['trained features', { ...options, epochs: 10 }, 0.95, 0.9],
    ['random features', { finalHiddenDim: 512, epochs: 0 }, 0.95, 0.87],
  ] as const)(
    'the exact top 10 are among 50 candidates, whose scores estimate MaxSim: %s',
    async (_name, chosen, recall, agreement) => {
      const lemur = await Lemur.fit(corpus, chosen);
      const { indices, scores, k } = await lemur.candidates(queries, 50);
      expect(k).toBe(50);
      let found = 0;
      for (const [q, row] of exact.entries()) {
        const own = indices.subarray(q * 50, (q + 1) * 50);
        expect(new Set(own).size).toBe(50);
        for (let i = 1; i < 50; i++)
          expect(scores[q * 50 + i]).toBeLessThanOrEqual(scores[q * 50 + i - 1]);
        const best = row.map((score, d) => ({ score, d })).sort((a, b) => b.score - a.score);
        found += best.slice(0, 10).filter(({ d }) => own.includes(d)).length;
      }
      expect(found / (10 * exact.length)).toBeGreaterThanOrEqual(recall);
      const all = await lemur.candidates(queries, 160);
      const agreements = exact.map((row, q) => {
        const own = Array.from({ length: 160 }, (_, i) => q * 160 + i);
        return correlation(
          own.map((i) => all.scores[i]),
          own.map((i) => row[all.indices[i]]),
        );
      });
      expect(sum(agreements) / agreements.length).toBeGreaterThan(agreement);
      const perToken = (value: (i: number) => number): number =>
        sum(Array.from(all.indices, (_, i) => value(i) / queries.counts[Math.floor(i / 160)])) /
        all.indices.length;
      const bias =
        perToken((i) => all.scores[i]) -
        perToken((i) => exact[Math.floor(i / 160)][all.indices[i]]);
      expect(Math.abs(bias)).toBeLessThan(0.08);
      lemur.close();
    },
  );

  test('candidates are those of the scores std <w, q> + |Q| mean, with q and w as they are given out', async () => {
    const lemur = await Lemur.fit(corpus, { ...options, epochs: 1 });
    const [w, q] = [await lemur.W, await lemur.computeFeatures(queries)];
    const { indices, scores } = await lemur.candidates(queries, 20);
    for (const [i, count] of queries.counts.entries()) {
      const estimates = corpus.counts.map((_, d) => {
        let product = 0;
        for (let j = 0; j < 256; j++) product += w[d * 256 + j] * q[i * 256 + j];
        return lemur.std * product + count * lemur.mean;
      });
      const order = estimates
        .map((estimate, d) => ({ estimate, d }))
        .sort((a, b) => b.estimate - a.estimate);
      for (let r = 0; r < 20; r++) {
        expect(Math.abs(estimates[indices[i * 20 + r]] - order[r].estimate)).toBeLessThan(1e-3);
        expect(Math.abs(scores[i * 20 + r] - estimates[indices[i * 20 + r]])).toBeLessThan(1e-3);
      }
    }
    lemur.close();
  });

  test('reranked candidates are the exact top 10', async () => {
    const lemur = await Lemur.fit(corpus, { ...options, epochs: 5 });
    const maxSim = await MaxSim.create(corpus);
    const { indices, scores } = await maxSim.rerankSubset(
      queries,
      10,
      await lemur.candidates(queries, 80),
    );
    const best = await maxSim.search(queries, 10);
    const same = [...indices].filter((d, i) => d === best.indices[i]).length;
    expect(same / indices.length).toBeGreaterThan(0.97);
    expect(scores[0]).toBeCloseTo(Math.max(...exact[0]), 3);
    lemur.close();
    maxSim.close();
  });
});

describe('the same seed', () => {
  test.each([
    ['trained', { ...QUICK }],
    ['two layers', { ...QUICK, numLayers: 2, activation: 'silu' as const, gradClip: null }],
    ['random features', { ...QUICK, epochs: 0 }],
  ])(
    'gives the same bytes every time, with one thread and two; another seed gives others: %s',
    async (_name, options) => {
      const hashes: string[] = [];
      for (const threads of [1, 2, 2]) {
        const lemur = await Lemur.fit(small, { ...options, threads, seed: 5 });
        const { indices, scores } = await lemur.candidates(smallQueries, 10);
        hashes.push(
          [
            await bytesOf(await lemur.W),
            await bytesOf(await lemur.computeFeatures(smallQueries)),
            await bytesOf(indices),
            await bytesOf(scores),
          ].join(),
        );
        lemur.close();
      }
      expect(new Set(hashes).size).toBe(1);
      const other = await Lemur.fit(small, { ...options, seed: 6 });
      expect(hashes[0].split(',')[0]).not.toBe(await bytesOf(await other.W));
      other.close();
    },
  );

  test('gives the same bytes on a device whose memory is not shared', async () => {
    const device = await createCpuDevice({ ...nodePlatform, sharedMemory: false });
    const alone = await Lemur.fit(small, { ...QUICK, device });
    const shared = await Lemur.fit(small, QUICK);
    expect(await alone.W).toEqual(await shared.W);
    expect(await alone.candidates(smallQueries, 4)).toEqual(
      await shared.candidates(smallQueries, 4),
    );
    await device.close();
    shared.close();
  });
});

test('weights of documents of the corpus are the rows of W, byte for byte, alone or together', async () => {
  const lemur = await Lemur.fit(small, QUICK);
  const w = await lemur.W;
  expect(await lemur.computeWeights(small)).toEqual(w);
  for (const d of [0, 17, 39])
    expect(await lemur.computeWeights(part(small, d))).toEqual(w.slice(d * 48, (d + 1) * 48));
  expect(await lemur.computeWeights(part(small, 10, 30))).toEqual(w.slice(10 * 48, 30 * 48));
  lemur.close();
});

test('dense and ragged queries give the same bytes', async () => {
  const lemur = await Lemur.fit(small, QUICK);
  const ragged = randomTexts(3, [5, 5, 5], 16);
  const dense = { data: ragged.vectors, dims: [3, 5, 16] };
  const nested = rowsOfTexts(ragged).map((rows) => rows.map((row) => [...row]));
  const features = await lemur.computeFeatures(ragged);
  expect(features.length).toBe(3 * 48);
  const top = await lemur.candidates(ragged, 6);
  for (const other of [dense, nested]) {
    expect(await lemur.computeFeatures(other)).toEqual(features);
    expect(await lemur.candidates(other, 6)).toEqual(top);
  }
  lemur.close();
});

test('what is given out is a copy', async () => {
  const lemur = await Lemur.fit(small, QUICK);
  const w = await lemur.W;
  const first = w[0];
  w[0] = 1e9;
  expect((await lemur.W)[0]).toBe(first);
  lemur.close();
});
