import type { Device, DeviceFeatureMap, DeviceTokens } from '../device/device.js';
import { randomLayout } from '../device/feature-layout.js';
import type { RunOptions } from '../run-options.js';
import { createRandom, sampleWithoutReplacement } from '../tokens/random.js';
import { STREAM } from '../tokens/random-streams.js';
import { initialParameters } from './initial-parameters.js';
import type { FitOptions, ResolvedLearnOptions } from './learn-options.js';
import type { LearnSamples } from './learn-samples.js';
import type { Reduction } from './reduction.js';
import { momentsOfSums, type TargetMoments } from './target-moments.js';
import {
  computeTargets,
  freeTargetDocuments,
  type TargetDocuments,
  uploadTargetDocuments,
} from './targets.js';
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
    documents.documents,
    chosen.trainSubsetSize,
  );
  const of = await uploadTargetDocuments(device, documents, subset, lengths);
  try {
    const { map, mean, std } = await mapOfTargets(device, of, samples, chosen, options);
    return { map, mean: mean * of.length, std: std * of.length, length: of.length };
  } finally {
    freeTargetDocuments(device, of);
  }
}

/** The map, and the moments of the targets as they are scaled. */
async function mapOfTargets(
  device: Device,
  of: TargetDocuments,
  samples: LearnSamples,
  chosen: ResolvedLearnOptions,
  options: FitOptions,
): Promise<TargetMoments & { map: DeviceFeatureMap }> {
  const learn = await computeTargets(device, of, samples.learn, renamed(options, 'targets'));
  try {
    const moments = momentsOfSums(learn.sum, learn.sumSquares, learn.targets.length);
    if (chosen.epochs === 0)
      return { map: await randomFeatureMap(device, of.documents.dim, chosen), ...moments };
    const { validation } = samples;
    const tested =
      validation &&
      (await computeTargets(device, of, validation, renamed(options, 'validation targets')));
    try {
      const targets = { learn: learn.targets, validation: tested?.targets };
      const map = await trainFeatureMap(
        device,
        samples,
        targets,
        moments,
        of.documents.dim,
        chosen,
        options,
      );
      return { map, ...moments };
    } finally {
      if (tested) device.free(tested.targets);
    }
  } finally {
    device.free(learn.targets);
  }
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
