import type { RunOptions } from '../run-options.js';
import type { DeviceFeatureMap } from './device-feature-map.js';
import type { DeviceTokens } from './device-tokens.js';
import type { Tensor } from './memory.js';
import type { SymmetricMatrix } from './symmetric-matrix.js';
import type { Training, TrainingShape } from './training.js';

export interface TargetsOptions extends RunOptions {
  /** What the targets of each column are divided by, all above 0; default: 1. */
  divisors?: Tensor<'f32'> | null | undefined;
}

/**
 * Least squares of documents: a solve sample, its features and their factor, and where the weights
 * go.
 */
export interface DocumentWeightsArgs {
  /** rows x d. */
  x: Tensor<'f32'>;
  /** rows x d'. */
  z: Tensor<'f32'>;
  rows: number;
  /** L with L L^T = Z^T Z, d' x d'. */
  factor: SymmetricMatrix;
  /**
   * Whether the rows of x lie in groups of 16 like each other: targets may then look only at the
   * tokens of a document that are nearest to a group. Default: false.
   */
  grouped?: boolean | undefined;
  documents: DeviceTokens;
  mean: number;
  std: number;
  /** documents x d'. */
  out: Tensor<'f32'>;
}

/** What learns a feature map, and gives documents their weights. */
export interface Learner {
  /** out (rows x d') = psi(x), x rows x d. */
  features(
    featureMap: DeviceFeatureMap,
    x: Tensor<'f32'>,
    rows: number,
    out: Tensor<'f32'>,
    options?: RunOptions,
  ): Promise<void>;
  /**
   * out[i * columns + j] = largest inner product of x[i] with document select[j] (all documents
   * when absent). Returns sums over the output.
   */
  targets(
    x: Tensor<'f32'>,
    rows: number,
    documents: DeviceTokens,
    select: Tensor<'i32'> | null,
    out: Tensor<'f32'>,
    options?: TargetsOptions,
  ): Promise<{ sum: number; sumSquares: number }>;
  /** Room for training; to be closed. */
  createTraining(shape: TrainingShape): Promise<Training>;
  /** Z^T Z, z rows x n; to be closed. */
  gram(z: Tensor<'f32'>, rows: number, n: number, options?: RunOptions): Promise<SymmetricMatrix>;
  /** A matrix or factor that was read before; to be closed. */
  uploadMatrix(values: Float64Array, n: number): Promise<SymmetricMatrix>;
  /**
   * out (documents x d') = least squares of the documents' standardised targets at the sample x on
   * its features z: (L L^T)^-1 Z^T y.
   */
  documentWeights(args: DocumentWeightsArgs, options?: RunOptions): Promise<void>;
}
