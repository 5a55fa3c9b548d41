import type { RunOptions } from '../run-options.js';
import type { FeatureLayout } from './feature-layout.js';
import type { Tensor } from './memory.js';

/** What a training run is of. */
export interface TrainingShape {
  readonly layout: FeatureLayout;
  /** m': documents that the head predicts. */
  readonly outputs: number;
  /** Rows of the largest batch. */
  readonly batchSize: number;
  /** `int16`: operands of matrix products are rounded to 12 bits by row or column. */
  readonly products: 'float32' | 'int16';
}

/** One step of Adam on one batch. */
export interface TrainStep {
  /** Learn tokens, rows x d. */
  readonly x: Tensor<'f32'>;
  /** Raw targets, rows x m'. */
  readonly targets: Tensor<'f32'>;
  readonly mean: number;
  readonly std: number;
  /** Order of the rows in this epoch; the batch is order[from .. from + rows). */
  readonly order: Tensor<'i32'>;
  readonly from: number;
  readonly rows: number;
  readonly lr: number;
  readonly beta1: number;
  readonly beta2: number;
  /** 1 - beta1^step and 1 - beta2^step. */
  readonly correction1: number;
  readonly correction2: number;
  readonly eps: number;
  /** Largest norm of the gradient; null: no clipping. */
  readonly gradClip: number | null;
}

/** The mean squared error before a step, and the gradient's norm before clipping. */
export interface StepReport {
  readonly loss: number;
  readonly gradientNorm: number;
}

/** What a loss is measured on. */
export interface LossRows {
  /** rows x d. */
  readonly x: Tensor<'f32'>;
  /** Raw targets, rows x m'. */
  readonly targets: Tensor<'f32'>;
  readonly rows: number;
  readonly mean: number;
  readonly std: number;
}

/**
 * A feature map with a linear head of m' outputs in training, and all that a run keeps on the
 * device. The parameters are those of the feature map followed by the head, m' x d'; zero until
 * written.
 */
export interface Training {
  /** Parameters, and so gradients. */
  readonly parameterCount: number;
  writeParameters(values: Float32Array): Promise<void>;
  readParameters(): Promise<Float32Array>;
  /** Gradients of the last step, before clipping. */
  readGradients(): Promise<Float32Array>;
  /** Steps that are best taken in one call, so that a call takes a fraction of a second. */
  readonly stepsAtOnce: number;
  /** Steps one after the other, any number of them; what each reports. */
  steps(steps: readonly TrainStep[], options?: RunOptions): Promise<StepReport[]>;
  /** Mean squared error of the network. */
  loss(rows: LossRows, options?: RunOptions): Promise<number>;
  /** Gives back what it keeps. */
  close(): void;
}
