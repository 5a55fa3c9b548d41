import type { Device } from '../../device/device.js';
import { uploadTokens } from '../../device/device-tokens.js';
import { withTensors } from '../../device/with-tensors.js';
import type { Encoder } from '../../encoder/encoder.js';
import { LemurError } from '../../errors.js';
import {
  defaultLearnTokens,
  type FitOptions,
  type ResolvedLearnOptions,
} from '../../learn/learn-options.js';
import { learnReduction } from '../../learn/learn-reduction.js';
import {
  type LearnSamples,
  learnTokenCount,
  sampleTokens,
  VALIDATION_TOKENS,
} from '../../learn/learn-samples.js';
import type { Reduction } from '../../learn/reduction.js';
import { resolveLearnOptions } from '../../learn/resolve-learn-options.js';
import { joinEncoded } from '../../tokens/encode-tokens.js';
import { longestRows } from '../../tokens/lengths.js';
import { STREAM } from '../../tokens/random-streams.js';
import { type TokenSets, tokenSetsOfDim } from '../../tokens/token-sets.js';
import type { Snapshot } from '../files/snapshot.js';
import type { FitIndexOptions } from '../options/options.js';
import { learnSet } from './learn-set.js';
import { sampleDocuments, sampleTokenRows, storedRows } from './sample.js';

/** Options of a fit, by what the collection is and holds where they are left out. */
export function chooseOptions(
  { manifest, segments }: Snapshot,
  options: FitOptions,
): ResolvedLearnOptions {
  const chosen = resolveLearnOptions({ precision: manifest.precision, ...options });
  if (options.learnSubsetSize !== undefined) return chosen;
  const tokens = segments.reduce((sum, { entry }) => sum + entry.tokens, 0);
  return { ...chosen, learnSubsetSize: defaultLearnTokens(tokens) };
}

/**
 * Learns the reduction of a collection: from samples of the learn set, or of the documents' own
 * tokens where there is none, and the targets of documents as they are stored. Rejects with
 * 'invalid-argument' where there is nothing to learn.
 */
export async function learnStored(
  device: Device,
  snapshot: Snapshot,
  encoder: Encoder | undefined,
  learn: FitIndexOptions['learn'],
  chosen: ResolvedLearnOptions,
  options: Omit<FitIndexOptions, 'learn'>,
): Promise<Reduction> {
  const { signal } = options;
  const { seed, olsSampleSize, trainSubsetSize } = chosen;
  const wanted = Math.max(learnTokenCount(chosen), olsSampleSize);
  const set = await learnSet(snapshot, encoder, learn, wanted, seed, options);
  const samples = await drawSamples(snapshot, set, chosen, options);
  if (samples.solve.every((value) => value === 0)) {
    const problem = 'the token vectors to learn from are zero throughout';
    const message = `fit: ${problem}: there is nothing to learn; searches stay exact`;
    throw new LemurError('invalid-argument', message, { where: 'fit' });
  }
  const numbers = sampleDocuments(snapshot, trainSubsetSize, seed, STREAM.storedTrainDocuments);
  const documents = joinEncoded(await storedRows(snapshot, numbers, signal), snapshot.codec);
  return withTensors(device, async (scope) => {
    const tokens = await uploadTokens(scope, documents);
    const lengths = await longestRows(documents, signal);
    return learnReduction(device, tokens, lengths, samples, chosen, options);
  });
}

async function drawSamples(
  snapshot: Snapshot,
  set: TokenSets | undefined,
  chosen: ResolvedLearnOptions,
  { test: given, signal }: FitOptions,
): Promise<LearnSamples> {
  const { seed } = chosen;
  const test = given && (await tokenSetsOfDim(given, snapshot.manifest.dim, 'test', signal));
  const draw = async (count: number, stream: number): Promise<Float32Array> =>
    set
      ? sampleTokens(set, count, seed, stream)
      : sampleTokenRows(snapshot, count, seed, stream, signal);
  return {
    learn: await draw(learnTokenCount(chosen), STREAM.storedLearnTokens),
    solve: await draw(chosen.olsSampleSize, STREAM.storedSolveSample),
    validation: test
      ? sampleTokens(test, VALIDATION_TOKENS, seed, STREAM.storedValidationTokens)
      : null,
  };
}
