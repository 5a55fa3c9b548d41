import { pacer } from '../pacer.js';
import type { TokenBasis, TokenEncoding } from './encoding.js';
import { meanToken } from './mean-token.js';
import type { TokenSets } from './token-sets.js';

/** Texts whose steps would be smaller by so much are worth encoding anew. */
const MATERIAL = 1.25;

/**
 * A byte a dimension: tokens less their mean, each text by a scale of its own, its largest absolute
 * value becoming 127; value = code x scale + mean. Models whose vectors have a large part in common
 * would lose most of their codes to it otherwise. What a text becomes does not depend on its
 * neighbours. A text whose vectors are the mean has scale 0.
 */
export const int8Encoding: TokenEncoding = {
  name: 'int8',
  dtype: 'i8',
  textScales: true,
  parametersName: 'tokenMean',
  products: 'int16',
  rowBytes: (dim) => dim,
  parameterCount: (dim) => dim,
  learn: (sample, _seed, signal) => meanToken(sample, signal),

  async improves(sample, present, other, signal) {
    return (await relativeReach(sample, present, other, signal)) > MATERIAL;
  },

  reach: reachOf,

  encode(vectors, basis, codes, largest = reachOf(vectors, basis)) {
    const { dim, parameters: mean } = basis;
    const perUnit = largest > 0 ? 127 / largest : 0;
    for (let row = 0; row < vectors.length; row += dim) {
      // Math.round of -127 .. 127, several times as fast
      for (let j = 0; j < dim; j++)
        codes[row + j] = (((vectors[row + j] - mean[j]) * perUnit + 128.5) | 0) - 128;
    }
    return Math.fround(largest / 127);
  },

  loss(vectors, { rows: codes, scale }, { dim, parameters: mean }) {
    let error = 0;
    let energy = 0;
    for (let row = 0; row < vectors.length; row += dim) {
      for (let j = 0; j < dim; j++) {
        const centred = vectors[row + j] - mean[j];
        const lost = centred - codes[row + j] * scale;
        error += lost * lost;
        energy += centred * centred;
      }
    }
    return { error, energy };
  },

  decode({ rows: codes, scale }, { dim, parameters: mean }, out) {
    for (let row = 0; row < codes.length; row += dim)
      for (let j = 0; j < dim; j++) out[row + j] = codes[row + j] * scale + mean[j];
  },

  // every value half a step away
  zeroLength: (scale, { dim }) => (scale * Math.sqrt(dim)) / 2,
};

/** The largest difference of a value from the mean's. */
function reachOf(vectors: Float32Array, { dim, parameters: mean }: TokenBasis): number {
  let largest = 0;
  for (let row = 0; row < vectors.length; row += dim) {
    for (let j = 0; j < dim; j++) {
      const size = Math.abs(vectors[row + j] - mean[j]);
      if (size > largest) largest = size;
    }
  }
  return largest;
}

/**
 * How far a usual text's values are from one mean, relative to another: the ratio of the steps of
 * its codes, its median.
 */
async function relativeReach(
  { vectors, offsets, counts, dim }: TokenSets,
  mean: Float32Array,
  other: Float32Array,
  signal: AbortSignal | undefined,
): Promise<number> {
  const pace = pacer(signal);
  const ratios: number[] = [];
  for (let text = 0; text < counts.length; text++) {
    await pace();
    let [reach, least] = [0, 0];
    for (let at = offsets[text] * dim; at < offsets[text + 1] * dim; at++) {
      reach = Math.max(reach, Math.abs(vectors[at] - mean[at % dim]));
      least = Math.max(least, Math.abs(vectors[at] - other[at % dim]));
    }
    ratios.push(reach === least ? 1 : reach / least);
  }
  return ratios.sort((a, b) => a - b)[ratios.length >> 1];
}
