import type { EncodedRows, TokenBasis, TokenEncoding } from '../../dist/tokens/encoding.js';
import { createRandom } from '../../dist/tokens/random.js';
import type { TokenSets } from '../../dist/tokens/token-sets.js';

/** Bytes of a token's scale, a float32 before its codes. */
const SCALE_BYTES = 4;
const LEVELS = 16;
/** Rounds in which levels move to the mean of the values that are nearest to them. */
const ROUNDS = 12;

/**
 * Half a byte a dimension and a scale a token: tokens are reflected at a plane that the seed gives,
 * divided by their largest value, and each value becomes the nearest of 16 levels learned from a
 * sample. Parameters: the plane's normal, dim values, and the levels, ascending.
 */
export const nibbleEncoding: TokenEncoding = {
  name: 'nibbles',
  dtype: 'i8',
  textScales: false,
  parametersName: 'tokenLevels',
  products: 'float32',
  rowBytes: (dim) => SCALE_BYTES + Math.ceil(dim / 2),
  parameterCount: (dim) => dim + LEVELS,

  async learn(sample, seed) {
    const normal = unitVector(sample.dim, seed);
    return Float32Array.of(...normal, ...learnLevels(sample, normal));
  },

  // stored values are on the present levels
  improves: async () => false,

  encode(vectors, { dim, parameters }, rows) {
    const levels = parameters.subarray(dim);
    const view = viewOf(rows);
    const row = new Float32Array(dim);
    for (let from = 0, at = 0; from < vectors.length; from += dim) {
      row.set(vectors.subarray(from, from + dim));
      reflect(row, parameters.subarray(0, dim));
      const largest = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      view.setFloat32(at, largest, true);
      const codes = Array.from(row, (value) => nearest(levels, largest > 0 ? value / largest : 0));
      at += SCALE_BYTES;
      for (let j = 0; j < dim; j += 2) view.setUint8(at++, codes[j] | ((codes[j + 1] ?? 0) << 4));
    }
    return 1;
  },

  loss(vectors, text, basis) {
    const decoded = new Float64Array(vectors.length);
    nibbleEncoding.decode(text, basis, decoded);
    nibbleEncoding.restore?.(decoded, basis);
    let [error, energy] = [0, 0];
    for (const [i, value] of vectors.entries()) {
      error += (value - decoded[i]) ** 2;
      energy += value ** 2;
    }
    return { error, energy };
  },

  decode({ rows }, { dim, parameters }, out) {
    const view = viewOf(rows);
    for (let at = 0, to = 0; at < rows.length; to += dim) {
      const scale = view.getFloat32(at, true);
      at += SCALE_BYTES;
      for (let j = 0; j < dim; j += 2, at++) {
        const codes = view.getUint8(at);
        out[to + j] = parameters[dim + (codes & 15)] * scale;
        if (j + 1 < dim) out[to + j + 1] = parameters[dim + (codes >> 4)] * scale;
      }
    }
  },

  zeroLength: () => 0,
  prepareQuery: reflectRows,
  // a reflection undoes itself
  restore: reflectRows,
};

const viewOf = (rows: EncodedRows['rows']): DataView =>
  new DataView(rows.buffer, rows.byteOffset, rows.byteLength);

function reflectRows(vectors: Float32Array | Float64Array, { dim, parameters }: TokenBasis): void {
  for (let at = 0; at < vectors.length; at += dim)
    reflect(vectors.subarray(at, at + dim), parameters.subarray(0, dim));
}

/** x - 2 <x, n> n. */
function reflect(x: Float32Array | Float64Array, normal: Float32Array): void {
  let product = 0;
  for (let j = 0; j < x.length; j++) product += x[j] * normal[j];
  for (let j = 0; j < x.length; j++) x[j] -= 2 * product * normal[j];
}

function unitVector(dim: number, seed: number): Float32Array {
  const random = createRandom(seed, 99);
  const values = Float32Array.from({ length: dim }, () => random.normal());
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}

/** Levels of the values of reflected tokens over their largest, by Lloyd's method. */
function learnLevels({ vectors, dim }: TokenSets, normal: Float32Array): Float64Array {
  const values = new Float64Array(vectors.length);
  for (let at = 0; at < values.length; at += dim) {
    const row = Float64Array.from(vectors.subarray(at, at + dim));
    reflect(row, normal);
    const largest = Math.max(...row.map(Math.abs));
    values.set(largest > 0 ? row.map((value) => value / largest) : row, at);
  }
  let levels = Float64Array.from({ length: LEVELS }, (_, i) => (2 * i) / (LEVELS - 1) - 1);
  for (let round = 0; round < ROUNDS; round++) {
    const [sums, counts] = [new Float64Array(LEVELS), new Float64Array(LEVELS)];
    for (const value of values) {
      const level = nearest(levels, value);
      sums[level] += value;
      counts[level]++;
    }
    levels = levels.map((level, i) => (counts[i] > 0 ? sums[i] / counts[i] : level));
  }
  return levels;
}

function nearest(levels: Float32Array | Float64Array, value: number): number {
  let best = 0;
  for (let i = 1; i < levels.length; i++)
    if (Math.abs(levels[i] - value) < Math.abs(levels[best] - value)) best = i;
  return best;
}
