import type { Device } from '../device/device.js';
import type { DeviceFeatureMap } from '../device/device-feature-map.js';
import { mlpLayout } from '../device/feature-layout.js';
import type { Tensor } from '../device/memory.js';
import { withTensors } from '../device/with-tensors.js';
import { encodingOf } from '../tokens/encodings.js';
import { createRandom } from '../tokens/random.js';
import { STREAM } from '../tokens/random-streams.js';
import { absorbCentre, centreRows, meanRow } from './centre.js';
import { initialParameters } from './initial-parameters.js';
import type { FitOptions, ResolvedLearnOptions } from './learn-options.js';
import type { LearnSamples } from './learn-samples.js';
import type { TargetMoments } from './target-moments.js';
import { type EpochReport, type Examples, train } from './train.js';

/** Targets of the samples that training reads, rows x m' each. */
export interface TrainingTargets {
  readonly learn: Tensor<'f32'>;
  readonly validation: Tensor<'f32'> | undefined;
}

/**
 * Trains a feature map to predict the targets of the learn tokens (rows x d). Tokens of a narrow
 * cone differ little from their mean: the network sees what differs, and its first layer is then
 * written for the tokens themselves.
 */
export async function trainFeatureMap(
  device: Device,
  { learn, validation }: LearnSamples,
  targets: TrainingTargets,
  moments: TargetMoments,
  dim: number,
  chosen: ResolvedLearnOptions,
  options: FitOptions,
): Promise<DeviceFeatureMap> {
  const { seed, numLayers, hiddenDim, finalHiddenDim, activation, precision } = chosen;
  const inner = new Array<number>(numLayers - 1).fill(hiddenDim);
  const layout = mlpLayout(dim, [...inner, finalHiddenDim ?? hiddenDim], activation);
  const rows = learn.length / dim;
  const outputs = targets.learn.length / rows;
  const centre = meanRow(learn, dim);
  return withTensors(device, async (scope) => {
    const examplesOf = async (vectors: Float32Array, of: Tensor<'f32'>): Promise<Examples> => ({
      x: await scope.upload('f32', centreRows(vectors, centre)),
      targets: of,
      rows: vectors.length / dim,
    });
    const trained = await train(
      device,
      {
        layout,
        initial: initialParameters(layout, outputs, createRandom(seed, STREAM.initialParameters)),
      },
      {
        ...moments,
        examples: await examplesOf(learn, targets.learn),
        validation:
          validation && targets.validation
            ? await examplesOf(validation, targets.validation)
            : null,
      },
      {
        ...chosen,
        products: encodingOf(precision).products,
        random: createRandom(seed, STREAM.batchOrder),
        onProgress: options.onProgress,
        signal: options.signal,
        onEpoch: (report) => reportEpoch(report, options),
      },
    );
    const parameters = absorbCentre(layout, trained.slice(0, layout.parameterCount), centre);
    return { layout, parameters: await device.upload('f32', parameters), unit: true };
  });
}

function reportEpoch(report: EpochReport, { verbose, onEpoch }: FitOptions): void {
  const { epoch, epochs, trainLoss, validationLoss } = report;
  if (verbose) {
    const validation = validationLoss === undefined ? '' : ` val_loss=${validationLoss.toFixed(6)}`;
    console.error(`epoch ${epoch}/${epochs} train_loss=${trainLoss.toFixed(6)}${validation}`);
  }
  onEpoch?.(report);
}
