import { describe, expect, test, vi } from 'vitest';
import { type EpochReport, type FitOptions, Lemur } from '../../dist/entry/node.js';
import { naiveMaxSim, randomTexts, relativeError, rowsOfTexts } from '../numbers.js';
import { corpus, QUICK, small, smallQueries } from './corpus.js';

const finite = (values: Float32Array): boolean => values.every(Number.isFinite);

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
