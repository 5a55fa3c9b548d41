import { describe, expect, test, vi } from 'vitest';
import { createCpuDevice } from '../../dist/device/cpu/cpu-device.js';
import {
  type EpochReport,
  type FitOptions,
  Lemur,
  LemurError,
  MaxSim,
  paper,
} from '../../dist/entry/node.js';
import { nodePlatform } from '../../dist/entry/node-platform.js';
import {
  bytesOf,
  naiveMaxSim,
  randomTexts,
  relativeError,
  rowsOfTexts,
  sum,
  type Texts,
} from '../numbers.js';
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

describe('epochs', () => {
  test('are reported one by one, and the best one by the validation set stays', async () => {
    const reports: EpochReport[] = [];
    // so few learn tokens that they are soon learned by heart
    const test = randomTexts(9, [20, 30], 16);
    const learn = randomTexts(10, [30], 16);
    const options: FitOptions = {
      ...QUICK,
      epochs: 12,
      lr: 0.02,
      batchSize: 10,
      schedule: 'constant',
      learn,
      test,
    };
    const lemur = await Lemur.fit(small, { ...options, onEpoch: (report) => reports.push(report) });
    expect(reports.map(({ epoch, epochs }) => [epoch, epochs])).toEqual(
      Array.from({ length: 12 }, (_, i) => [i + 1, 12]),
    );
    const losses = reports.map(({ validationLoss }) => validationLoss as number);
    expect(losses.every(Number.isFinite)).toBe(true);
    const best = losses.indexOf(Math.min(...losses));
    expect(best).toBeLessThan(11);
    // stopping after the best epoch gives the same network: the draws and a constant rate do not
    // depend on the number of epochs
    const stopped = await Lemur.fit(small, { ...options, epochs: best + 1 });
    expect(await stopped.computeFeatures(smallQueries)).toEqual(
      await lemur.computeFeatures(smallQueries),
    );
    expect(await stopped.W).toEqual(await lemur.W);
    lemur.close();
    stopped.close();
  });

  test('without a validation set are judged by the training loss', async () => {
    const reports: EpochReport[] = [];
    const options: FitOptions = {
      ...QUICK,
      epochs: 6,
      lr: 0.3,
      schedule: 'constant',
      gradClip: null,
    };
    const lemur = await Lemur.fit(small, { ...options, onEpoch: (report) => reports.push(report) });
    expect(reports.every(({ validationLoss }) => validationLoss === undefined)).toBe(true);
    const losses = reports.map(({ trainLoss }) => trainLoss);
    const best = losses.indexOf(Math.min(...losses));
    const stopped = await Lemur.fit(small, { ...options, epochs: best + 1 });
    expect(await stopped.W).toEqual(await lemur.W);
    lemur.close();
    stopped.close();
  });

  test('are printed to standard error when verbose, and not otherwise', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {});
    try {
      (await Lemur.fit(small, QUICK)).close();
      expect(print).not.toHaveBeenCalled();
      (await Lemur.fit(small, { ...QUICK, verbose: true, test: smallQueries })).close();
      expect(print).toHaveBeenCalledTimes(2);
      expect(print.mock.calls[1][0]).toMatch(/^epoch 2\/2 train_loss=\d\.\d+ val_loss=\d+\.\d+$/);
    } finally {
      print.mockRestore();
    }
  });

  test('train: the loss falls', async () => {
    const losses: number[] = [];
    const lemur = await Lemur.fit(corpus, {
      finalHiddenDim: 64,
      epochs: 5,
      onEpoch: ({ trainLoss }) => losses.push(trainLoss),
    });
    expect(losses[4]).toBeLessThan(0.7 * losses[0]);
    lemur.close();
  });
});

test('learn tokens may be others than the corpus: they alone shape the network', async () => {
  const learn = randomTexts(12, [200], 16);
  const [own, other] = await Promise.all([
    Lemur.fit(small, QUICK),
    Lemur.fit(small, { ...QUICK, learn }),
  ]);
  expect(await own.computeFeatures(smallQueries)).not.toEqual(
    await other.computeFeatures(smallQueries),
  );
  expect(finite(await other.W)).toBe(true);
  own.close();
  other.close();
});

test('the least squares are those of the learn tokens: with more latent dimensions than tokens they are met but for the ridge', async () => {
  const learn = randomTexts(13, new Array(40).fill(1), 16);
  const lemur = await Lemur.fit(small, { finalHiddenDim: 200, epochs: 0, learn });
  const { indices, scores } = await lemur.candidates(learn, 40);
  const documents = rowsOfTexts(small);
  const exact = rowsOfTexts(learn).flatMap((query, q) =>
    Array.from(indices.subarray(q * 40, (q + 1) * 40), (d) => naiveMaxSim(query, documents[d])),
  );
  expect(relativeError(scores, exact)).toBeLessThan(1e-2);
  lemur.close();
});

test('the preset of the paper is taken, and what is left out gets its default', async () => {
  const lemur = await Lemur.fit(small, { ...paper, epochs: 1, finalHiddenDim: 64 });
  expect(lemur.options).toEqual({
    ...paper,
    prefixDim: 256,
    epochs: 1,
    finalHiddenDim: 64,
    seed: 0,
  });
  lemur.close();
  expect(paper).toEqual({
    trainSubsetSize: 8192,
    learnSubsetSize: 100_000,
    olsSampleSize: 16_384,
    numLayers: 1,
    hiddenDim: 512,
    finalHiddenDim: 2048,
    activation: 'gelu',
    epochs: 100,
    lr: 3e-3,
    schedule: 'constant',
    batchSize: 512,
    gradClip: 0.5,
    precision: 'float32',
  });
});

test('the latent dimension falls back on hiddenDim, and undefined options on their defaults', async () => {
  const lemur = await Lemur.fit(small, {
    ...QUICK,
    finalHiddenDim: null,
    hiddenDim: 40,
    lr: undefined,
    seed: undefined,
  });
  expect(lemur.latentDim).toBe(40);
  expect(lemur.options).toMatchObject({ lr: 1e-2, seed: 0, hiddenDim: 40 });
  lemur.close();
});

test('the corpus is reported on: zero rows and rows not of unit length', async () => {
  const vectors = small.vectors.slice();
  vectors.fill(0, 0, 16);
  vectors[16] = 5;
  const lemur = await Lemur.fit({ ...small, vectors }, QUICK);
  expect(lemur.tokenReport).toEqual({ zeroRows: 1, nonUnitRows: 1 });
  lemur.close();
});

describe('an option that cannot be is refused with its name', () => {
  const cases: [string, unknown, RegExp][] = [
    ['lr', Number.NaN, /^lr: expected a positive number, got NaN$/],
    ['lr', 0, /^lr: expected a positive number, got 0$/],
    ['lr', Infinity, /^lr: expected a positive number, got Infinity$/],
    ['lr', '0.1', /^lr: expected a positive number, got 0.1$/],
    ['epochs', -1, /^epochs: expected an integer of at least 0, got -1$/],
    ['epochs', 1.5, /^epochs: /],
    ['batchSize', 0, /^batchSize: expected a positive integer, got 0$/],
    ['batchSize', Number.NaN, /^batchSize: /],
    ['trainSubsetSize', 0.5, /^trainSubsetSize: /],
    ['learnSubsetSize', -5, /^learnSubsetSize: /],
    ['olsSampleSize', null, /^olsSampleSize: expected a positive integer, got null$/],
    ['numLayers', 0, /^numLayers: /],
    ['hiddenDim', Infinity, /^hiddenDim: /],
    ['finalHiddenDim', 0, /^finalHiddenDim: expected a positive integer or null, got 0$/],
    ['gradClip', -0.5, /^gradClip: expected a positive number or null, got -0.5$/],
    ['seed', -1, /^seed: expected an integer of at least 0, got -1$/],
    ['seed', 0.5, /^seed: /],
    ['activation', 'tanh', /^activation: expected one of gelu, relu, silu, mish, got tanh$/],
    ['schedule', 'cosine', /^schedule: expected 'one-cycle' or 'constant', got cosine$/],
    ['threads', 0, /^threads: expected an integer from 1 to 256, got 0$/],
    ['threads', 1.5, /^threads: expected an integer from 1 to 256, got 1.5$/],
    [
      'hidden_dim',
      64,
      /unknown option 'hidden_dim'; the options are trainSubsetSize, learnSubsetSize, .*hiddenDim.*signal/,
    ],
  ];
  test.each(cases)('%s: %s', async (name, value, message) => {
    const error: unknown = await Lemur.fit(small, { [name]: value }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(LemurError);
    expect(error).toMatchObject({
      code: 'invalid-argument',
      fields: { where: name },
      message: expect.stringMatching(message),
    });
  });

  test.each([0, -1, 1.5, Number.NaN])('k: %d', async (k) => {
    const lemur = await Lemur.fit(small, QUICK);
    const message = `k: expected an integer from 1 to 16777216, got ${k}`;
    await expect(lemur.candidates(smallQueries, k)).rejects.toMatchObject({
      code: 'invalid-argument',
      fields: { where: 'k' },
      message,
    });
    lemur.close();
  });
});

describe('texts that cannot be are refused with the argument they came as', () => {
  const wrong = randomTexts(1, [2], 8);
  test('learn and test of another dimension', async () => {
    for (const name of ['learn', 'test'] as const) {
      const fields = { where: name, expected: 16, got: 8 };
      await expect(Lemur.fit(small, { ...QUICK, [name]: wrong })).rejects.toMatchObject({
        code: 'dimension-mismatch',
        fields,
      });
    }
  });

  test('queries and new documents of another dimension', async () => {
    const lemur = await Lemur.fit(small, QUICK);
    await expect(lemur.candidates(wrong, 1)).rejects.toMatchObject({
      code: 'dimension-mismatch',
      fields: { where: 'queries', expected: 16, got: 8 },
    });
    await expect(lemur.computeFeatures(wrong)).rejects.toMatchObject({
      code: 'dimension-mismatch',
      fields: { where: 'queries' },
    });
    await expect(lemur.computeWeights(wrong)).rejects.toMatchObject({
      code: 'dimension-mismatch',
      fields: { where: 'documents' },
    });
    lemur.close();
  });

  test('an empty corpus, a document without tokens, a value that is not finite', async () => {
    await expect(Lemur.fit([])).rejects.toMatchObject({
      code: 'empty-corpus',
      fields: { where: 'documents' },
    });
    await expect(Lemur.fit([[[1]], []])).rejects.toMatchObject({
      code: 'empty-document',
      fields: { where: 'documents', index: 1 },
    });
    await expect(Lemur.fit([[[1]], [[Number.NaN]]])).rejects.toMatchObject({
      code: 'not-finite',
      fields: { where: 'documents', row: 1, column: 0 },
    });
  });
});

test('a rate that makes the training diverge is named', async () => {
  const failure = Lemur.fit(small, {
    ...QUICK,
    epochs: 20,
    lr: 1e30,
    schedule: 'constant',
    gradClip: null,
  });
  const error: unknown = await failure.then((lemur) => lemur.W).catch((e: unknown) => e);
  // either it is refused, or the normalisation has kept it finite
  if (error instanceof Float32Array) expect(finite(error)).toBe(true);
  else expect(error).toMatchObject({ code: 'invalid-argument', fields: { where: 'lr' } });
});

describe('after close', () => {
  test('every call rejects with closed', async () => {
    const lemur = await Lemur.fit(small, QUICK);
    lemur.close();
    lemur.close();
    const closed = { name: 'LemurError', code: 'closed' };
    await expect(lemur.W).rejects.toMatchObject(closed);
    await expect(lemur.candidates(smallQueries, 1)).rejects.toMatchObject(closed);
    await expect(lemur.computeFeatures(smallQueries)).rejects.toMatchObject(closed);
    await expect(lemur.computeWeights(small)).rejects.toMatchObject(closed);
    await expect(lemur.save('/nowhere')).rejects.toMatchObject(closed);
  });
});
