import type { Device } from '../device/device.js';
import { type DeviceTokens, uploadTokens } from '../device/device-tokens.js';
import type { TensorMaker } from '../device/memory.js';
import { withTensors } from '../device/with-tensors.js';
import { documentWeights } from '../learn/document-weights.js';
import type { FitOptions, ResolvedLearnOptions } from '../learn/learn-options.js';
import { learnReduction } from '../learn/learn-reduction.js';
import { learnTokenCount, sampleTokens, VALIDATION_TOKENS } from '../learn/learn-samples.js';
import { freeReduction } from '../learn/reduction.js';
import { encodeTokens, learnCodec, plainTokens } from '../tokens/encode-tokens.js';
import type { TokenCodec } from '../tokens/encoding.js';
import { longestRows, relativeLengths } from '../tokens/lengths.js';
import { STREAM } from '../tokens/random-streams.js';
import type { TokenSets } from '../tokens/token-sets.js';
import type { SolvedCorpus } from './fitted-corpus.js';

/**
 * Fits a corpus: learns its reduction from tokens of `learn`, and gives all documents their
 * weights. The validation loss is that of tokens of `test`.
 */
export async function fitCorpus(
  device: Device,
  documents: TokenSets,
  learn: TokenSets,
  test: TokenSets | null,
  chosen: ResolvedLearnOptions,
  options: FitOptions,
): Promise<SolvedCorpus> {
  const { seed, precision } = chosen;
  const { signal } = options;
  const codec = await learnCodec(precision, documents, seed, signal);
  return withTensors(device, async (scope) => {
    const tokens = await uploadDocuments(scope, documents, codec, signal);
    const lengths = await longestRows(plainTokens(documents), signal);
    const samples = {
      learn: sampleTokens(learn, learnTokenCount(chosen), seed, STREAM.learnTokens),
      solve: solveSample(learn, chosen),
      validation: test && sampleTokens(test, VALIDATION_TOKENS, seed, STREAM.validationTokens),
    };
    const reduction = await learnReduction(device, tokens, lengths, samples, chosen, options);
    const { featureMap, solver, mean, std, length, base } = reduction;
    try {
      const w = await documentWeights(device, reduction, tokens, options);
      const scaling = { lengths: relativeLengths(lengths, length), base };
      return { featureMap, solver, mean, std, w, codec, scaling };
    } catch (error) {
      freeReduction(device, reduction);
      throw error;
    }
  });
}

/** Learn tokens of the least squares, n' x d. */
export function solveSample(
  learn: TokenSets,
  { olsSampleSize, seed }: ResolvedLearnOptions,
): Float32Array {
  return sampleTokens(learn, olsSampleSize, seed, STREAM.solveSample);
}

/** Documents as targets are computed from them. */
export async function uploadDocuments(
  device: TensorMaker,
  documents: TokenSets,
  codec: TokenCodec,
  signal: AbortSignal | undefined,
): Promise<DeviceTokens> {
  return uploadTokens(device, await encodeTokens(documents, codec, signal));
}
