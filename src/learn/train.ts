import type { Device, Tensor, Training } from '../device/device.js';
import type { FeatureLayout } from '../device/feature-layout.js';
import { LemurError } from '../errors.js';
import type { RunOptions } from '../run-options.js';
import { permutation, type Random } from '../tokens/random.js';
import { createSchedule, type ScheduleName } from './schedule.js';

const BETA2 = 0.999;
const EPS = 1e-8;

/** What an epoch came to. Losses are mean squared errors of standardised targets. */
export interface EpochReport {
  /** From 1. */
  epoch: number;
  epochs: number;
  trainLoss: number;
  /** Loss on the validation set, where there is one. */
  validationLoss: number | undefined;
}

export interface TrainOptions extends RunOptions {
  epochs: number;
  lr: number;
  schedule: ScheduleName;
  batchSize: number;
  gradClip: number | null;
  /** Of the matrix products; `int16` rounds their operands to 12 bits. */
  products: 'float32' | 'int16';
  /** Draws the order of the rows of every epoch. */
  random: Random;
  onEpoch?: ((report: EpochReport) => void) | undefined;
  /** Sees every step; for tests. */
  onStep?: ((step: { loss: number; gradientNorm: number }) => void) | undefined;
  /** The order of each epoch, instead of drawing it; for tests. */
  order?: ((epoch: number) => Int32Array) | undefined;
}

/** Learn tokens (rows x d) and their raw targets (rows x m'). */
export interface Examples {
  x: Tensor<'f32'>;
  targets: Tensor<'f32'>;
  rows: number;
}

/**
 * Trains a feature map with a linear head from the given parameters (feature map, then head m' x
 * d') by Adam on the mean squared error of the standardised targets (paper, section on training).
 * Returns the parameters of the epoch with the lowest loss, on the validation set where there is
 * one, else in training.
 */
export async function train(
  device: Device,
  layout: FeatureLayout,
  initial: Float32Array,
  examples: Examples,
  validation: Examples | null,
  standardisation: { mean: number; std: number },
  options: TrainOptions,
): Promise<Float32Array> {
  const { epochs, batchSize, gradClip, onProgress, signal } = options;
  const { rows } = examples;
  const outputs = examples.targets.length / rows;
  const perEpoch = Math.ceil(rows / batchSize);
  const schedule = createSchedule(options.schedule, options.lr, epochs * perEpoch);
  const training = await device.createTraining(
    layout,
    outputs,
    Math.min(batchSize, rows),
    options.products,
  );
  const order = await device.allocate('i32', rows);
  try {
    await device.write(training.parameters, initial);
    onProgress?.({ stage: 'train', done: 0, total: epochs * perEpoch });
    let best: Float32Array = initial;
    let bestLoss = Infinity;
    let step = 0;
    let power1 = 1;
    let power2 = 1;
    for (let epoch = 0; epoch < epochs; epoch++) {
      await device.write(order, options.order?.(epoch) ?? permutation(options.random, rows));
      let sum = 0;
      for (let from = 0; from < rows; from += batchSize) {
        signal?.throwIfAborted();
        const { lr, beta1 } = schedule(step);
        step++;
        // the correction is that of torch: the beta1 of this step to the power of the number of
        // steps
        power1 = options.schedule === 'constant' ? power1 * beta1 : integerPower(beta1, step);
        power2 *= BETA2;
        const report = await device.trainStep(training, {
          ...examples,
          ...standardisation,
          order,
          from,
          rows: Math.min(batchSize, rows - from),
          lr,
          beta1,
          beta2: BETA2,
          correction1: 1 - power1,
          correction2: 1 - power2,
          eps: EPS,
          gradClip,
        });
        options.onStep?.(report);
        sum += report.loss;
        onProgress?.({ stage: 'train', done: step, total: epochs * perEpoch });
      }
      const trainLoss = sum / perEpoch;
      const validationLoss = validation
        ? await lossOf(device, training, validation, standardisation, signal)
        : undefined;
      const loss = validationLoss ?? trainLoss;
      if (!Number.isFinite(loss)) {
        throw new LemurError(
          'invalid-argument',
          `training diverged in epoch ${epoch + 1}: the loss is ${loss}; a lower lr than ${options.lr} may help`,
          {
            where: 'lr',
          },
        );
      }
      if (loss < bestLoss) {
        bestLoss = loss;
        best = await device.read(training.parameters);
      }
      options.onEpoch?.({ epoch: epoch + 1, epochs, trainLoss, validationLoss });
    }
    return best;
  } finally {
    const { parameters, gradients, firstMoment, secondMoment, batch, partials, codes, factors } =
      training;
    device.free(order, parameters, gradients, firstMoment, secondMoment, batch, partials);
    if (codes && factors) device.free(codes, factors);
  }
}

function lossOf(
  device: Device,
  training: Training,
  examples: Examples,
  { mean, std }: { mean: number; std: number },
  signal: AbortSignal | undefined,
): Promise<number> {
  return device.loss(training, examples.x, examples.targets, examples.rows, mean, std, { signal });
}

/** base^n by squaring: the same bits everywhere, which Math.pow does not promise. */
function integerPower(base: number, n: number): number {
  let result = 1;
  for (let square = base; n > 0; n = Math.floor(n / 2), square *= square)
    if (n % 2 === 1) result *= square;
  return result;
}
