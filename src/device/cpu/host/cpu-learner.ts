import type { RunOptions } from '../../../run-options.js';
import type { Learner } from '../../learner.js';
import { operations } from '../operations/all-operations.js';
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
      await run(
        'documentWeights',
        { ...args, factor: tensor, latentDim: n },
        options,
        'document weights',
      );
    },
  };
}
