import { DEVICE_OPTIONS, type DeviceOptions } from '../device/default-device.js';
import type { Activation } from '../kernels/kernels.js';
import type { OptionNames } from '../known-options.js';
import { RUN_OPTIONS, type RunOptions } from '../run-options.js';
import type { Precision } from '../tokens/encodings.js';
import type { TokenInput } from '../tokens/token-sets.js';
import type { ScheduleName } from './schedule.js';
import type { EpochReport } from './train.js';

/** Options of the learning itself; the names are those of the Python reference. */
export interface LearnOptions {
  /**
   * Documents whose targets the network learns to predict (m'); a random subset does as well as
   * all. Default 512.
   */
  trainSubsetSize?: number | undefined;
  /**
   * Learn tokens (n), drawn from `learn` or else the corpus. Default: an eighth of the corpus's
   * tokens, between 8,192 and 32,768.
   */
  learnSubsetSize?: number | undefined;
  /** Tokens of the least squares that give each document its weights (n'). Default 16,384. */
  olsSampleSize?: number | undefined;
  /** Layers of the feature map, at most 64. Default 1. */
  numLayers?: number | undefined;
  /** Width of the layers before the last, at most 16,384. Default 512. */
  hiddenDim?: number | undefined;
  /**
   * Latent dimension d': the width of the last layer and of the document weights, at most 16,384;
   * null: that of `hiddenDim`. Default 1024.
   */
  finalHiddenDim?: number | null | undefined;
  /** Default gelu. */
  activation?: Activation | undefined;
  /**
   * Passes over the learn tokens, at most 1,000,000; 0: random features, no training. Default 10.
   */
  epochs?: number | undefined;
  /**
   * Learning rate, with `one-cycle` its peak; at most 1e6. Default 2e-2, for batches of the default
   * size.
   */
  lr?: number | undefined;
  /** Default one-cycle. */
  schedule?: ScheduleName | undefined;
  /** Learn tokens of a step; the last batch of an epoch may be smaller. Default 256. */
  batchSize?: number | undefined;
  /** Largest norm of the gradient over all parameters; null: no clipping. Default 0.5. */
  gradClip?: number | null | undefined;
  /**
   * Of a fit's products. Default `int8`: the documents' tokens are held as int8 with a factor for
   * each document while targets and weights are computed, and training rounds the operands of its
   * matrix products to 12 bits. A quarter of the memory and two thirds of the time of `float32`, at
   * the same recall.
   */
  precision?: Precision | undefined;
  /**
   * Bytes a document of the first scan; 0: every scan reads all weights. Changes no weight, only
   * how candidates are found. Default 256.
   */
  prefixDim?: number | undefined;
  /**
   * Of all random draws; the same seed gives the same bytes on every machine with any number of
   * threads. Default 0.
   */
  seed?: number | undefined;
}

/** How `Lemur.fit` learns, where it computes, and what it tells. */
export interface FitOptions extends LearnOptions, DeviceOptions, RunOptions {
  /** Token vectors to learn from, best real queries; default: the corpus. */
  learn?: TokenInput | undefined;
  /**
   * Validation set: at most 32,000 of its tokens pick the best epoch. Without it the training loss
   * does.
   */
  test?: TokenInput | undefined;
  /** Called after every epoch. */
  onEpoch?: ((report: EpochReport) => void) | undefined;
  /** Prints a line for every epoch to standard error. */
  verbose?: boolean | undefined;
}

/** Options of the learning with a value for each: what a model was fitted with. */
export type ResolvedLearnOptions = {
  readonly [K in keyof LearnOptions]-?: Exclude<LearnOptions[K], undefined>;
};

/**
 * More learn tokens bring little: on SciFact recall of the exact top 10 among 200 is .990 with
 * 32,768, .994 with 100,000.
 */
const MOST_LEARN_TOKENS = 32_768;
const LEAST_LEARN_TOKENS = 8192;

export const LEARN_DEFAULTS: ResolvedLearnOptions = {
  trainSubsetSize: 512,
  learnSubsetSize: MOST_LEARN_TOKENS,
  olsSampleSize: 16_384,
  numLayers: 1,
  hiddenDim: 512,
  finalHiddenDim: 1024,
  activation: 'gelu',
  epochs: 10,
  lr: 2e-2,
  schedule: 'one-cycle',
  batchSize: 256,
  gradClip: 0.5,
  precision: 'int8',
  prefixDim: 256,
  seed: 0,
};

/**
 * The defaults of the Python reference: `Lemur.fit(documents, { ...paper, epochs: 10 })`. More
 * outputs, epochs and latent dimensions than the defaults, and many times their work; see
 * docs/benchmarks/fit.md for what each brings.
 */
export const paper: Required<Omit<LearnOptions, 'seed' | 'prefixDim'>> = {
  trainSubsetSize: 8192,
  learnSubsetSize: 100_000,
  olsSampleSize: 16_384,
  numLayers: 1,
  hiddenDim: 512,
  finalHiddenDim: 2048,
  activation: 'gelu',
  epochs: 100,
  lr: 3e-3,
  schedule: 'constant',
  batchSize: 512,
  gradClip: 0.5,
  precision: 'float32',
};

const LEARN_OPTIONS: OptionNames<LearnOptions> = {
  trainSubsetSize: true,
  learnSubsetSize: true,
  olsSampleSize: true,
  numLayers: true,
  hiddenDim: true,
  finalHiddenDim: true,
  activation: true,
  epochs: true,
  lr: true,
  schedule: true,
  batchSize: true,
  gradClip: true,
  precision: true,
  prefixDim: true,
  seed: true,
};

export const FIT_OPTIONS: OptionNames<FitOptions> = {
  ...LEARN_OPTIONS,
  learn: true,
  test: true,
  onEpoch: true,
  verbose: true,
  ...DEVICE_OPTIONS,
  ...RUN_OPTIONS,
};

/**
 * The default of `learnSubsetSize`: small corpora are learned from fewer tokens, so that fitting
 * does not outlast encoding them.
 */
export function defaultLearnTokens(corpusTokens: number): number {
  return Math.min(MOST_LEARN_TOKENS, Math.max(LEAST_LEARN_TOKENS, Math.floor(corpusTokens / 8)));
}
