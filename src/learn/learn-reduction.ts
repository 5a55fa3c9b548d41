import type { Device } from '../device/device.js';
import type { DeviceTokens } from '../device/device-tokens.js';
import { buildTensors } from '../device/with-tensors.js';
import type { RunOptions } from '../run-options.js';
import { unitRows } from '../tokens/lengths.js';
import { zeroWeights } from './document-weights.js';
import { groupRows } from './group-rows.js';
import { learnFeatureMap } from './learn-feature-map.js';
import type { FitOptions, ResolvedLearnOptions } from './learn-options.js';
import type { LearnSamples } from './learn-samples.js';
import type { Reduction } from './reduction.js';
import { createSolver } from './solver.js';

/**
 * Learns a reduction: a feature map from the targets of `trainSubsetSize` of the documents, and
 * the solver that gives documents their weights. A document's scores grow with the length of its
 * vectors, and with that of the query's: everything is learned from vectors of length 1, each
 * document by its own length, so that long ones do not hide the others. `lengths`: of each
 * document's longest token vector.
 */
export async function learnReduction(
  device: Device,
  documents: DeviceTokens,
  lengths: Float64Array,
  given: LearnSamples,
  chosen: ResolvedLearnOptions,
  options: FitOptions,
): Promise<Reduction> {
  const { dim } = documents;
  const samples = await unitSamples(given, dim, options);
  const learned = await learnFeatureMap(device, documents, lengths, samples, chosen, options);
  return buildTensors(device, async (scope) => {
    scope.own(learned.featureMap.parameters);
    const x = await scope.upload('f32', samples.solve);
    const solver = await createSolver(
      device,
      learned.featureMap,
      x,
      samples.solve.length / dim,
      isGrouped(samples.solve, dim),
      options,
    );
    scope.ownAll([solver.z, solver.factor]);
    const basis = { ...learned, solver };
    return { ...basis, base: await zeroWeights(device, basis, options) };
  });
}

/** Groups of fewer rows are less alike, and the weights take less time. */
const GROUPED_ROWS = 8192;

function isGrouped(sample: Float32Array, dim: number): boolean {
  return sample.length >= GROUPED_ROWS * dim;
}

async function unitSamples(
  { learn, solve, validation }: LearnSamples,
  dim: number,
  { signal }: RunOptions,
): Promise<LearnSamples> {
  const unit = await unitRows(solve, dim, signal);
  return {
    learn: await unitRows(learn, dim, signal),
    solve: isGrouped(solve, dim) ? await groupRows(unit, dim, signal) : unit,
    validation: validation && (await unitRows(validation, dim, signal)),
  };
}
