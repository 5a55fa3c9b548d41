import { pacer } from '../pacer.js';
import type { TokenSets } from './token-sets.js';

/** Texts, or rows of a long one, between two chances for everything else on this thread. */
const TEXTS = 64;
const ROWS = 1024;

/** Rows whose length is so near to 1 count as of unit length, as they come. */
const NEARLY_UNIT = 1e-2;
/**
 * Of fewer texts nobody knows which are usual: a mean that is too short costs little, one that is
 * too long spoils all others.
 */
const ENOUGH_TEXTS = 64;

/**
 * What token vectors have in common, to centre them by: the mean of their directions, as long as is
 * usual. So of unit vectors it is their mean, and no text counts more for being longer than others.
 * The usual length is the median of the texts' mean lengths, of fewer than 64 texts at most 1. Zero
 * rows have no say. Adds up in float64. Rejects with the signal's reason.
 */
export async function meanToken(
  { vectors, counts, offsets, dim }: TokenSets,
  signal?: AbortSignal | undefined,
): Promise<Float32Array> {
  const pace = pacer(signal);
  const sums = new Float64Array(dim);
  const lengths: number[] = [];
  let rows = 0;
  let since = 0;
  for (let text = 0; text < counts.length; text++) {
    if (text % TEXTS === 0) await pace();
    let total = 0;
    let some = 0;
    for (let at = offsets[text] * dim; at < offsets[text + 1] * dim; at += dim) {
      if (++since % ROWS === 0) await pace();
      let square = 0;
      for (let j = 0; j < dim; j++) square += vectors[at + j] * vectors[at + j];
      if (square === 0) continue;
      const root = Math.sqrt(square);
      const length = Math.abs(root - 1) <= NEARLY_UNIT ? 1 : root;
      for (let j = 0; j < dim; j++) sums[j] += vectors[at + j] / length;
      total += length;
      some++;
    }
    if (some > 0) lengths.push(total / some);
    rows += some;
  }
  if (rows === 0) return new Float32Array(dim);
  const median = Float64Array.from(lengths).sort()[(lengths.length - 1) >> 1];
  const usual = lengths.length < ENOUGH_TEXTS ? Math.min(median, 1) : median;
  return Float32Array.from(sums, (sum) => (sum / rows) * usual);
}
