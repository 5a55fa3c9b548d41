import type { Device } from '../device/device.js';
import type { DeviceFeatureMap } from '../device/device-feature-map.js';
import type { DeviceTokens } from '../device/device-tokens.js';
import { randomLayout } from '../device/feature-layout.js';
import { withTensors } from '../device/with-tensors.js';
import type { RunOptions } from '../run-options.js';
import { createRandom, sampleWithoutReplacement } from '../tokens/random.js';
import { STREAM } from '../tokens/random-streams.js';
import { initialParameters } from './initial-parameters.js';
import type { FitOptions, ResolvedLearnOptions } from './learn-options.js';
import type { LearnSamples } from './learn-samples.js';
import type { Reduction } from './reduction.js';
import { momentsOfSums, type TargetMoments } from './target-moments.js';
import { computeTargets, type TargetDocuments, uploadTargetDocuments } from './targets.js';
import { trainFeatureMap } from './train-feature-map.js';

/**
 * The feature map of a reduction, trained or random, with the moments of its targets and the
 * typical length. Samples are of vectors of length 1, `lengths` those of each document's longest.
 */
export async function learnFeatureMap(
  device: Device,
  documents: DeviceTokens,
  lengths: Float64Array,
  samples: LearnSamples,
  chosen: ResolvedLearnOptions,
  options: FitOptions,
): Promise<Omit<Reduction, 'solver' | 'base'>> {
  const subset = sampleWithoutReplacement(
    createRandom(chosen.seed, STREAM.trainDocuments),
    documents.documentCount,
    chosen.trainSubsetSize,
  );
  return withTensors(device, async (scope) => {
    const of = await uploadTargetDocuments(scope, documents, subset, lengths);
    const { featureMap, mean, std } = await mapOfTargets(device, of, samples, chosen, options);
    return { featureMap, mean: mean * of.length, std: std * of.length, length: of.length };
  });
}

/** The map, and the moments of the targets as they are scaled. */
async function mapOfTargets(
  device: Device,
  of: TargetDocuments,
  samples: LearnSamples,
  chosen: ResolvedLearnOptions,
  options: FitOptions,
): Promise<TargetMoments & { featureMap: DeviceFeatureMap }> {
  return withTensors(device, async (scope) => {
    const targetsOf = async (vectors: Float32Array, stage: string) => {
      const found = await computeTargets(device, of, vectors, renamed(options, stage));
      scope.own(found.targets);
      return found;
    };
    const learn = await targetsOf(samples.learn, 'targets');
    const moments = momentsOfSums(learn.sum, learn.sumSquares, learn.targets.length);
    const { dim } = of.documents;
    if (chosen.epochs === 0)
      return { featureMap: await randomFeatureMap(device, dim, chosen), ...moments };
    const validation =
      samples.validation && (await targetsOf(samples.validation, 'validation targets'));
    const targets = { learn: learn.targets, validation: validation?.targets };
    const featureMap = await trainFeatureMap(
      device,
      samples,
      targets,
      moments,
      dim,
      chosen,
      options,
    );
    return { featureMap, ...moments };
  });
}

async function randomFeatureMap(
  device: Device,
  dim: number,
  { seed, activation, hiddenDim, finalHiddenDim }: ResolvedLearnOptions,
): Promise<DeviceFeatureMap> {
  const layout = randomLayout(dim, finalHiddenDim ?? hiddenDim, activation);
  const values = initialParameters(layout, 0, createRandom(seed, STREAM.initialParameters));
  return { layout, parameters: await device.upload('f32', values), unit: true };
}

/** Progress under another stage's name. */
function renamed({ onProgress, signal }: FitOptions, stage: string): RunOptions {
  return { signal, onProgress: onProgress && ((progress) => onProgress({ ...progress, stage })) };
}
