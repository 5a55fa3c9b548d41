import { describe, expect, test } from 'vitest';
import { Lemur, LemurError, paper } from '../../dist/entry/node.js';
import { randomTexts } from '../numbers.js';
import { QUICK, small, smallQueries } from './corpus.js';

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
  expect(lemur.options).toMatchObject({ lr: 2e-2, seed: 0, hiddenDim: 40 });
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
    ['lr', '0.1', /^lr: expected a positive number, got the string "0.1"$/],
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
