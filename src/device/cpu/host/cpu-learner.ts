import type { RunOptions } from '../../../run-options.js';
import { encodingOf } from '../../../tokens/encodings.js';
import type { Learner } from '../../learner.js';
import type { Tensor } from '../../memory.js';
import { operations } from '../operations/all-operations.js';
import { featureCodesSize } from '../operations/feature-codes.js';
import type { FeatureCodes } from '../operations/weights-args.js';
import { CpuMatrix } from './cpu-matrix.js';
import { createTraining } from './cpu-training.js';
import { sumOf, withPartials } from './partials.js';
import type { Run, RunSteps } from './run.js';
import type { TensorStore } from './tensor-store.js';

export function cpuLearner(store: TensorStore, run: Run, runSteps: RunSteps): Learner {
  return {
    features: (featureMap, x, rows, out, options) =>
      run('features', { featureMap, x, rows, out }, options),
    targets(x, rows, documents, select, out, options) {
      const args = { x, rows, documents, select, divisors: options?.divisors ?? null, out };
      const blocks = operations.targets.blocks({ ...args, partials: out as never });
      return withPartials(
        store,
        2 * blocks,
        (partials) => run('targets', { ...args, partials }, options, 'targets'),
        (values) => ({ sum: sumOf(values, 0, 2), sumSquares: sumOf(values, 1, 2) }),
      );
    },
    createTraining: (shape) => createTraining(store, runSteps, shape),
    gram: (z, rows, n, options?: RunOptions) => CpuMatrix.gram(store, run, { z, rows, n }, options),
    uploadMatrix: (values, n) => CpuMatrix.upload(store, run, values, n),
    async documentWeights({ factor, ...args }, options) {
      const { tensor, n } = CpuMatrix.own(factor);
      const weigh = (features: FeatureCodes | null): Promise<void> =>
        run(
          'documentWeights',
          { ...args, factor: tensor, latentDim: n, features },
          options,
          'document weights',
        );
      const { grouped, documents, z, rows } = args;
      const inCodes = grouped && encodingOf(documents.encoding).products === 'int16';
      await (inCodes ? withFeatureCodes(store, run, z, rows, n, weigh) : weigh(null));
    },
  };
}

/** Has codes of z (rows x n) used. */
async function withFeatureCodes(
  store: TensorStore,
  run: Run,
  z: Tensor<'f32'>,
  rows: number,
  n: number,
  use: (features: FeatureCodes) => Promise<void>,
): Promise<void> {
  const size = featureCodesSize(rows, n);
  const codes = await store.allocate('i16', size.codes);
  try {
    const factors = await store.allocate('f32', size.factors);
    try {
      const features = { codes, factors };
      await run('packFeatures', { z, rows, n, out: features });
      await use(features);
    } finally {
      store.free(factors);
    }
  } finally {
    store.free(codes);
  }
}
