import type { DocumentWeightsArgs } from '../../learner.js';
import type { Tensor } from '../../memory.js';
import type { CpuTensor } from '../cpu-tensor.js';

/** Sample rows that are summed in one go; sums run over chunks in order. */
export const CHUNK = 256;

/**
 * Features as codes: chunk after chunk, panels of pairs of its rows (`packPanelsI16`), and what a
 * code of each column is worth.
 */
export interface FeatureCodes {
  readonly codes: CpuTensor<'i16'>;
  readonly factors: Tensor<'f32'>;
}

/** `DocumentWeightsArgs` with the factor where it lies. */
export interface WeightsArgs extends Omit<DocumentWeightsArgs, 'factor'> {
  factor: CpuTensor<'f64'>;
  latentDim: number;
  /** Codes of z; null: products are those of float32. */
  features: FeatureCodes | null;
}

/** Documents of a block, and the sums Z^T Y of them. */
export interface WeightsBlock {
  readonly first: number;
  readonly count: number;
  /** `count` rounded up to whole panels. */
  readonly columns: number;
  /** Address of d' x columns float64, zero at first. */
  readonly sums: number;
}
