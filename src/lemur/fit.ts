import type { Device, DeviceFeatureMap, DeviceTokens, Tensor } from '../device/device.js';
import { freeTokens, uploadTokens } from '../device/device-tokens.js';
import { mlpLayout, randomLayout } from '../device/feature-layout.js';
import { absorbCentre, centreRows, meanRow } from '../learn/centre.js';
import { initialParameters } from '../learn/initial-parameters.js';
import type { FitOptions, ResolvedLearnOptions } from '../learn/learn-options.js';
import { createSolver, documentWeights, type Solver } from '../learn/solver.js';
import { type EpochReport, type Examples, train } from '../learn/train.js';
import type { RunOptions } from '../run-options.js';
import type { Scaling } from '../search/prefix/prefix-map.js';
import { fairShares, rowOfShare } from '../tokens/fair-shares.js';
import { gatherRows } from '../tokens/gather.js';
import { longestRows, scalesOf, typicalLength, unitRows } from '../tokens/lengths.js';
import { meanToken, quantizeTokens } from '../tokens/quantize.js';
import { createRandom, type Random, sampleWithoutReplacement } from '../tokens/random.js';
import { STREAM } from '../tokens/random-streams.js';
import { rowOffsets, type TokenSets } from '../tokens/token-sets.js';

/** Tokens of the validation set at most. */
const VALIDATION_TOKENS = 32_000;
/** Learn tokens that the mean and deviation of the targets come from when nothing is trained. */
const MOMENT_TOKENS = 4096;

/** Each random draw has a stream of its own, so that one option never moves another's numbers. */

/** What a fit leaves on the device. */
export interface Fitted {
  map: DeviceFeatureMap;
  /** null where no solve sample is known: documents get no weights then. */
  solver: Solver | null;
  /** Documents x d'. */
  w: Tensor<'f32'>;
  mean: number;
  std: number;
  /** What is taken off the tokens of documents before they are quantised: d values. */
  tokenMean: Float32Array;
  /**
   * How many times as long as those of a typical document the vectors of each are, by the longest
   * of them; no scales where all are alike.
   */
  scaling: Scaling;
}

/** With what gives further documents their weights. */
export interface Solved extends Fitted {
  solver: Solver;
}

/** What a corpus teaches before any document has weights. */
export interface Learned extends Omit<Solved, 'w' | 'tokenMean' | 'scaling'> {
  /** Length of a typical document's longest token vector. */
  length: number;
  /** Weights of a document that is zero, d' values. */
  base: Float32Array;
}

/** Token vectors that a fit learns from, rows x d each. */
export interface LearnSamples {
  learn: Float32Array;
  /** Of the least squares. */
  solve: Float32Array;
  /** Picks the best epoch; null: the training loss does. */
  validation: Float32Array | null;
}

/** Targets, training, least squares: steps 1 to 3 of the method. */
export async function fitCorpus(
  device: Device,
  documents: TokenSets,
  learn: TokenSets,
  test: TokenSets | null,
  chosen: ResolvedLearnOptions,
  options: FitOptions,
): Promise<Solved> {
  const tokenMean = await meanToken(documents, options.signal);
  const tokens = await uploadDocuments(
    device,
    documents,
    chosen.precision,
    tokenMean,
    options.signal,
  );
  const { seed } = chosen;
  try {
    const lengths = await longestRows(documents, options.signal);
    const samples = {
      learn: sampleTokens(learn, learnTokens(chosen), seed, STREAM.learnTokens),
      solve: solveSample(learn, chosen),
      validation: test && sampleTokens(test, VALIDATION_TOKENS, seed, STREAM.validationTokens),
    };
    const learned = await learnCorpus(device, tokens, lengths, samples, chosen, options);
    try {
      const { map, solver, mean, std, length, base } = learned;
      const w = await documentWeights(device, map, solver, tokens, { mean, std }, options);
      return {
        map,
        solver,
        mean,
        std,
        w,
        tokenMean,
        scaling: { scales: scalesOf(lengths, length), base },
      };
    } catch (error) {
      freeLearned(device, learned);
      throw error;
    }
  } finally {
    freeTokens(device, tokens);
  }
}

/**
 * Targets, training and the factor of the least squares: all but the documents' weights. Targets
 * are of `trainSubsetSize` of the documents. A document's scores grow with the length of its
 * vectors, and with that of the query's: everything is learned from vectors of length 1, each
 * document by its own scale, so that long ones do not hide the others. `lengths`: of each
 * document's longest token vector.
 */
export async function learnCorpus(
  device: Device,
  documents: DeviceTokens,
  lengths: Float64Array,
  given: LearnSamples,
  chosen: ResolvedLearnOptions,
  options: FitOptions,
): Promise<Learned> {
  const { dim } = documents;
  const { signal } = options;
  const samples: LearnSamples = {
    learn: await unitRows(given.learn, dim, signal),
    solve: await unitRows(given.solve, dim, signal),
    validation: given.validation && (await unitRows(given.validation, dim, signal)),
  };
  const { map, mean, std, length } = await learnFeatures(
    device,
    documents,
    lengths,
    samples,
    chosen,
    options,
  );
  const kept: Tensor[] = [map.parameters];
  try {
    const x = await device.upload('f32', samples.solve);
    kept.push(x);
    const solver = await createSolver(device, map, x, samples.solve.length / dim, options);
    kept.push(solver.z, solver.factor);
    return {
      map,
      solver,
      mean,
      std,
      length,
      base: await zeroWeights(device, map, solver, dim, { mean, std }, options),
    };
  } catch (error) {
    device.free(...kept);
    throw error;
  }
}

/** Weights of a document whose vectors are zero, d' values. */
async function zeroWeights(
  device: Device,
  map: DeviceFeatureMap,
  solver: Solver,
  dim: number,
  moments: { mean: number; std: number },
  { signal }: RunOptions,
): Promise<Float32Array> {
  const tokens = await uploadTokens(device, {
    vectors: new Float32Array(dim),
    counts: Int32Array.of(1),
    offsets: Float64Array.of(0, 1),
    dim,
  });
  try {
    const w = await documentWeights(device, map, solver, tokens, moments, { signal });
    try {
      return await device.read(w);
    } finally {
      device.free(w);
    }
  } finally {
    freeTokens(device, tokens);
  }
}

export function freeLearned(device: Device, { map, solver: { x, z, factor } }: Learned): void {
  device.free(map.parameters, x, z, factor);
}

/** Learn tokens that a fit takes. */
export function learnTokens({ epochs, learnSubsetSize }: ResolvedLearnOptions): number {
  return epochs === 0 ? Math.min(MOMENT_TOKENS, learnSubsetSize) : learnSubsetSize;
}

/** Learn tokens of the least squares. */
export function solveSample(
  learn: TokenSets,
  { olsSampleSize, seed }: ResolvedLearnOptions,
): Float32Array {
  return sampleTokens(learn, olsSampleSize, seed, STREAM.solveSample);
}

/** Documents as targets are computed from them. */
export async function uploadDocuments(
  device: Device,
  documents: TokenSets,
  precision: 'float32' | 'int8',
  tokenMean: Float32Array,
  signal: AbortSignal | undefined,
): Promise<DeviceTokens> {
  return uploadTokens(
    device,
    precision === 'int8' ? await quantizeTokens(documents, tokenMean, signal) : documents,
  );
}

async function learnFeatures(
  device: Device,
  documents: DeviceTokens,
  lengths: Float64Array,
  samples: LearnSamples,
  chosen: ResolvedLearnOptions,
  options: FitOptions,
): Promise<{ map: DeviceFeatureMap; mean: number; std: number; length: number }> {
  const { seed, activation, epochs } = chosen;
  const { dim } = documents;
  const latentDim = chosen.finalHiddenDim ?? chosen.hiddenDim;
  const random = (stream: number) => createRandom(seed, stream);
  const subset = sampleWithoutReplacement(
    random(STREAM.trainDocuments),
    documents.documents,
    chosen.trainSubsetSize,
  );
  const select = await device.upload('i32', subset);
  const used: Tensor[] = [select];
  const own = Float64Array.from(subset, (document) => lengths[document]);
  const length = typicalLength(own);
  // targets of documents that are zero are zero at any scale
  const relative =
    scalesOf(own, length) ?? (length === 1 ? null : new Float32Array(own.length).fill(1));
  const scales =
    relative &&
    (await device.upload(
      'f32',
      relative.map((scale) => (scale || 1) * length),
    ));
  if (scales) used.push(scales);
  const examplesOf = async (
    vectors: Float32Array,
    stage: string,
  ): Promise<Examples & { sum: number; sumSquares: number }> => {
    const rows = vectors.length / dim;
    const x = await device.upload('f32', vectors);
    const targets = await device.allocate('f32', rows * subset.length);
    used.push(x, targets);
    return {
      x,
      targets,
      rows,
      ...(await device.targets(x, rows, documents, select, targets, {
        ...renamed(options, stage),
        scales,
      })),
    };
  };
  try {
    const examples = await examplesOf(samples.learn, 'targets');
    const standardisation = moments(examples.sum, examples.sumSquares, examples.targets.length);
    const [mean, std] = [standardisation.mean * length, standardisation.std * length];
    if (epochs === 0) {
      const layout = randomLayout(dim, latentDim, activation);
      const parameters = await device.upload(
        'f32',
        initialParameters(layout, 0, random(STREAM.initialParameters)),
      );
      return { map: { layout, parameters, unit: true }, mean, std, length };
    }
    const validation =
      samples.validation && (await examplesOf(samples.validation, 'validation targets'));
    const widths = [...new Array<number>(chosen.numLayers - 1).fill(chosen.hiddenDim), latentDim];
    const layout = mlpLayout(dim, widths, activation);
    const initial = initialParameters(layout, subset.length, random(STREAM.initialParameters));
    const { onProgress, signal } = options;
    const onEpoch = (report: EpochReport): void => {
      if (options.verbose) printEpoch(report);
      options.onEpoch?.(report);
    };
    // tokens of a narrow cone differ little from their mean: the network learns from what differs
    const centre = meanRow(samples.learn, dim);
    const centred = async (raw: Examples): Promise<Examples> => {
      const x = await device.upload('f32', centreRows(await device.read(raw.x), centre));
      used.push(x);
      return { ...raw, x };
    };
    const trained = await train(
      device,
      layout,
      initial,
      await centred(examples),
      validation && (await centred(validation)),
      standardisation,
      {
        ...chosen,
        products: chosen.precision === 'int8' ? 'int16' : 'float32',
        random: random(STREAM.batchOrder),
        onProgress,
        signal,
        onEpoch,
      },
    );
    const parameters = absorbCentre(layout, trained.slice(0, layout.parameterCount), centre);
    return {
      map: { layout, parameters: await device.upload('f32', parameters), unit: true },
      mean,
      std,
      length,
    };
  } finally {
    device.free(...used);
  }
}

/** Progress under another stage's name. */
function renamed({ onProgress, signal }: FitOptions, stage: string): RunOptions {
  return { signal, onProgress: onProgress && ((progress) => onProgress({ ...progress, stage })) };
}

function sampleTokens(sets: TokenSets, count: number, seed: number, stream: number): Float32Array {
  return gatherRows(sets.vectors, sets.dim, sampleRows(sets, count, createRandom(seed, stream)));
}

/** Numbers of `count` rows at random, of which no text gives most. */
export function sampleRows(
  { counts, offsets }: TokenSets,
  count: number,
  random: Random,
): Int32Array {
  const shares = fairShares(counts, count);
  const firsts = shares === counts ? offsets : rowOffsets(shares);
  const places = sampleWithoutReplacement(random, firsts[counts.length], count);
  if (shares === counts) return places;
  return places.map((place) => {
    let [low, high] = [0, counts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (firsts[middle] <= place) low = middle;
      else high = middle - 1;
    }
    return offsets[low] + rowOfShare(place - firsts[low], shares[low], counts[low]);
  });
}

/**
 * Population mean and deviation; constant targets count as of deviation 1, so that they standardise
 * to zero.
 */
function moments(sum: number, sumSquares: number, n: number): { mean: number; std: number } {
  const mean = sum / n;
  const variance = sumSquares / n - mean * mean;
  return { mean, std: variance > 1e-12 * (1 + mean * mean) ? Math.sqrt(variance) : 1 };
}

function printEpoch({ epoch, epochs, trainLoss, validationLoss }: EpochReport): void {
  const validation = validationLoss === undefined ? '' : ` val_loss=${validationLoss.toFixed(6)}`;
  console.error(`epoch ${epoch}/${epochs} train_loss=${trainLoss.toFixed(6)}${validation}`);
}
