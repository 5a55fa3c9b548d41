import { fairShares, rowOfShare } from '../tokens/fair-shares.js';
import { gatherRows } from '../tokens/gather.js';
import { createRandom, type Random, sampleWithoutReplacement } from '../tokens/random.js';
import { rowOffsets, type TokenSets } from '../tokens/token-sets.js';
import type { ResolvedLearnOptions } from './learn-options.js';

/** Tokens of the validation set at most. */
export const VALIDATION_TOKENS = 32_000;
/** Learn tokens that the targets' moments come from when nothing is trained. */
const MOMENT_TOKENS = 4096;

/** Token vectors that a reduction is learned from, rows x d each. */
export interface LearnSamples {
  learn: Float32Array;
  /** Of the least squares. */
  solve: Float32Array;
  /** Picks the best epoch; null: the training loss does. */
  validation: Float32Array | null;
}

/** How many learn tokens are drawn. */
export function learnTokenCount({ epochs, learnSubsetSize }: ResolvedLearnOptions): number {
  return epochs === 0 ? Math.min(MOMENT_TOKENS, learnSubsetSize) : learnSubsetSize;
}

/** `count` token vectors at random, count x d, of which no text gives most. */
export function sampleTokens(
  sets: TokenSets,
  count: number,
  seed: number,
  stream: number,
): Float32Array {
  return gatherRows(sets.vectors, sets.dim, sampleRows(sets, count, createRandom(seed, stream)));
}

/** Numbers of `count` rows at random, of which no text gives most. */
function sampleRows({ counts, offsets }: TokenSets, count: number, random: Random): Int32Array {
  const shares = fairShares(counts, count);
  const firsts = shares === counts ? offsets : rowOffsets(shares);
  const places = sampleWithoutReplacement(random, firsts[counts.length], count);
  if (shares === counts) return places;
  return places.map((place) => {
    const text = textAt(firsts, place);
    return offsets[text] + rowOfShare(place - firsts[text], shares[text], counts[text]);
  });
}

/** The text that a place belongs to, by the first place of each: the last that is not beyond it. */
function textAt(firsts: Float64Array, place: number): number {
  let [low, high] = [0, firsts.length - 2];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (firsts[middle] <= place) low = middle;
    else high = middle - 1;
  }
  return low;
}
