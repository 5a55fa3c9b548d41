import type { Device } from '../device/device.js';
import type { FeatureLayout } from '../device/feature-layout.js';
import type { Tensor, TensorMemory } from '../device/memory.js';
import type { Training } from '../device/training.js';
import { withTensors } from '../device/with-tensors.js';
import { LemurError } from '../errors.js';
import type { RunOptions } from '../run-options.js';
import { permutation, type Random } from '../tokens/random.js';
import { type AdamStep, adamSteps } from './adam.js';
import type { ScheduleName } from './schedule.js';
import type { TargetMoments } from './target-moments.js';

/** Losses of an epoch: mean squared errors of standardised targets. */
export interface EpochReport {
  /** From 1. */
  epoch: number;
  /** How many there will be. */
  epochs: number;
  /** Mean over the batches of the epoch, each taken before its step. */
  trainLoss: number;
  /** After the epoch, on the validation set; undefined where there is none. */
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
  readonly x: Tensor<'f32'>;
  readonly targets: Tensor<'f32'>;
  readonly rows: number;
}

/** Examples to learn from, those that pick the epoch, and the targets' moments. */
export interface TrainingSet extends TargetMoments {
  readonly examples: Examples;
  readonly validation: Examples | null;
}

/**
 * Trains a feature map with a linear head from the given parameters (feature map, then head m' x
 * d') by Adam on the mean squared error of the standardised targets (paper, section on training).
 * Returns the parameters of the epoch with the lowest loss, on the validation set where there is
 * one, else in training. Rejects with 'invalid-argument' when the loss is no number any more.
 */
export async function train(
  device: Device,
  { layout, initial }: { layout: FeatureLayout; initial: Float32Array },
  set: TrainingSet,
  options: TrainOptions,
): Promise<Float32Array> {
  const { rows, targets } = set.examples;
  const batchSize = Math.min(options.batchSize, rows);
  const outputs = targets.length / rows;
  return withTensors(device, async (scope) => {
    const { products } = options;
    const training = scope.own(
      await device.createTraining({ layout, outputs, batchSize, products }),
    );
    const order = await scope.allocate('i32', rows);
    await training.writeParameters(initial);
    return new Trainer(device, training, order, set, options).bestParameters(initial);
  });
}

/** One run of training: the epochs and their steps. */
class Trainer {
  readonly #device: TensorMemory;
  readonly #training: Training;
  readonly #order: Tensor<'i32'>;
  readonly #set: TrainingSet;
  readonly #options: TrainOptions;
  readonly #total: number;
  readonly #nextStep: () => AdamStep;
  #done = 0;

  constructor(
    device: TensorMemory,
    training: Training,
    order: Tensor<'i32'>,
    set: TrainingSet,
    options: TrainOptions,
  ) {
    this.#device = device;
    this.#training = training;
    this.#order = order;
    this.#set = set;
    this.#options = options;
    this.#total = options.epochs * Math.ceil(set.examples.rows / options.batchSize);
    this.#nextStep = adamSteps(options.schedule, options.lr, this.#total);
  }

  /** Runs all epochs; the parameters are `initial` where no epoch is better than none. */
  async bestParameters(initial: Float32Array): Promise<Float32Array> {
    const { epochs, onEpoch } = this.#options;
    let best = initial;
    let bestLoss = Infinity;
    this.#progress();
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const trainLoss = await this.#epoch(epoch);
      const validationLoss = await this.#validationLoss();
      const loss = validationLoss ?? trainLoss;
      if (!Number.isFinite(loss)) throw diverged(epoch, loss, this.#options.lr);
      if (loss < bestLoss) {
        bestLoss = loss;
        best = await this.#training.readParameters();
      }
      onEpoch?.({ epoch, epochs, trainLoss, validationLoss });
    }
    return best;
  }

  /** Steps through all examples in a new order. Returns the mean loss of the batches. */
  async #epoch(epoch: number): Promise<number> {
    const { order, random, batchSize } = this.#options;
    const { rows } = this.#set.examples;
    await this.#device.write(this.#order, order?.(epoch - 1) ?? permutation(random, rows));
    let sum = 0;
    const some = batchSize * this.#training.stepsAtOnce;
    for (let from = 0; from < rows; from += some)
      for (const loss of await this.#steps(from, Math.min(rows, from + some))) sum += loss;
    return sum / Math.ceil(rows / batchSize);
  }

  /** Steps on the examples order[from .. to), a batch each. Returns the loss before each. */
  async #steps(from: number, to: number): Promise<number[]> {
    const { gradClip, batchSize, signal, onStep } = this.#options;
    const { examples, mean, std } = this.#set;
    signal?.throwIfAborted();
    const count = Math.ceil((to - from) / batchSize);
    const steps = Array.from({ length: count }, (_, i) => ({
      x: examples.x,
      targets: examples.targets,
      mean,
      std,
      order: this.#order,
      from: from + i * batchSize,
      rows: Math.min(batchSize, to - from - i * batchSize),
      gradClip,
      ...this.#nextStep(),
    }));
    const reports = await this.#training.steps(steps, { signal });
    for (const report of reports) onStep?.(report);
    this.#done += count;
    this.#progress();
    return reports.map(({ loss }) => loss);
  }

  async #validationLoss(): Promise<number | undefined> {
    const { validation, mean, std } = this.#set;
    if (!validation) return undefined;
    const { signal } = this.#options;
    return this.#training.loss({ ...validation, mean, std }, { signal });
  }

  #progress(): void {
    this.#options.onProgress?.({ stage: 'train', done: this.#done, total: this.#total });
  }
}

function diverged(epoch: number, loss: number, lr: number): LemurError {
  const message =
    `training diverged in epoch ${epoch}: the loss is ${loss}; ` + `a lower lr than ${lr} may help`;
  return new LemurError('invalid-argument', message, { where: 'lr' });
}
