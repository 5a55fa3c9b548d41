import type { TrainingShape } from '../training.js';
import type { CpuTensor } from './cpu-tensor.js';

/** Everything one training run keeps in memory. */
export interface TrainingTensors extends TrainingShape {
  readonly parameters: CpuTensor<'f32'>;
  readonly gradients: CpuTensor<'f32'>;
  readonly firstMoment: CpuTensor<'f32'>;
  readonly secondMoment: CpuTensor<'f32'>;
  /** Activations and gradients of a batch, as `batchLayout` says. */
  readonly batch: CpuTensor<'f32'>;
  /** Loss and gradient-norm sums by block, of each step of a job. */
  readonly partials: CpuTensor<'f64'>;
  /**
   * Codes of the matrices and of the batch, and what they are worth, as `codeLayout` says; null
   * where products are in float32.
   */
  readonly codes: CpuTensor<'i16'> | null;
  readonly scales: CpuTensor<'f32'> | null;
}
