import { pacer } from '../pacer.js';
import type {
  EncodedRows,
  EncodingLoss,
  TokenBasis,
  TokenEncoding,
  TokenRows,
} from './encoding.js';
import { decodeRow, encodeRow } from './level-codes.js';
import { type CodeBits, codeBytes, SCALE_BYTES } from './level-rows.js';
import { meanToken } from './mean-token.js';
import { ROTATION_ROUNDS, rotate, rotateBack, rotationSigns } from './rotation.js';
import type { TokenSets } from './token-sets.js';

/**
 * Texts whose squared errors would be smaller by so much are worth encoding anew, though what they
 * are encoded anew from has lost as much already.
 */
const MATERIAL = 2;

/**
 * Two or four bits a dimension and a scale a token: tokens are rotated at random, which makes their
 * values nearly normal whatever they were, the mean of all is taken off, and each value becomes one
 * of the levels that lose least of normal ones. Parameters: signs of the rotation,
 * `ROTATION_ROUNDS` x dim, and the rotated mean. `decode` gives rotated vectors.
 */
export function levelEncoding(bits: CodeBits): TokenEncoding {
  return {
    name: `int${bits}`,
    dtype: 'i8',
    textScales: false,
    parametersName: 'tokenRotation',
    products: 'int16',
    rowBytes: (dim) => SCALE_BYTES + codeBytes(dim, bits),
    parameterCount: (dim) => (ROTATION_ROUNDS + 1) * dim,

    async learn(sample, seed, signal) {
      const signs = rotationSigns(sample.dim, seed);
      const mean = Float64Array.from(await meanToken(sample, signal));
      rotate(mean, signs);
      return Float32Array.of(...signs, ...mean);
    },

    async improves(sample, present, other, signal) {
      return (await relativeEnergy(sample, present, other, signal)) > MATERIAL;
    },

    encode(vectors, basis, rows) {
      encodeRows(vectors, basis, bits, rows);
      return 1;
    },

    loss: (vectors, text, basis) => lossOf(vectors, text, basis, bits),

    decode({ rows }, basis, out) {
      const mean = meanOf(basis);
      const values = new Float64Array(basis.dim);
      for (let at = 0, to = 0; at < rows.length; to += basis.dim) {
        decodeRow(rows as Int8Array, at, bits, values);
        for (let j = 0; j < basis.dim; j++) out[to + j] = values[j] + mean[j];
        at += SCALE_BYTES + codeBytes(basis.dim, bits);
      }
    },

    zeroLength: (_scale, basis) => zeroLength(basis, bits),
    prepareQuery: (vectors, basis) => eachRow(vectors, basis, rotate),
    restore: (vectors, basis) => eachRow(vectors, basis, rotateBack),
  };
}

function encodeRows(
  vectors: Float32Array,
  basis: TokenBasis,
  bits: CodeBits,
  rows: TokenRows,
): void {
  const { dim } = basis;
  const mean = meanOf(basis);
  const values = new Float64Array(dim);
  const codes = new Uint8Array(dim);
  for (let from = 0, at = 0; from < vectors.length; from += dim) {
    centre(vectors, from, basis, values);
    encodeRow(values, mean, bits, codes, rows as Int8Array, at);
    at += SCALE_BYTES + codeBytes(dim, bits);
  }
}

function lossOf(
  vectors: Float32Array,
  { rows }: EncodedRows,
  basis: TokenBasis,
  bits: CodeBits,
): EncodingLoss {
  const { dim } = basis;
  const [values, decoded] = [new Float64Array(dim), new Float64Array(dim)];
  let error = 0;
  let energy = 0;
  for (let from = 0, at = 0; from < vectors.length; from += dim) {
    centre(vectors, from, basis, values);
    decodeRow(rows as Int8Array, at, bits, decoded);
    for (let j = 0; j < dim; j++) {
      const lost = values[j] - decoded[j];
      error += lost * lost;
      energy += values[j] * values[j];
    }
    at += SCALE_BYTES + codeBytes(dim, bits);
  }
  return { error, energy };
}

/** Length of a zero vector once it is decoded. */
function zeroLength(basis: TokenBasis, bits: CodeBits): number {
  const mean = meanOf(basis);
  const values = new Float64Array(basis.dim);
  const rows = new Int8Array(SCALE_BYTES + codeBytes(basis.dim, bits));
  encodeRows(new Float32Array(basis.dim), basis, bits, rows);
  decodeRow(rows, 0, bits, values);
  let square = 0;
  for (let j = 0; j < basis.dim; j++) square += (values[j] + mean[j]) ** 2;
  // rotating back rounds
  return 1.001 * Math.sqrt(square);
}

/** Rotated values of the vector at `from` less the mean. */
function centre(
  vectors: Float32Array,
  from: number,
  { dim, parameters }: TokenBasis,
  values: Float64Array,
): void {
  for (let j = 0; j < dim; j++) values[j] = vectors[from + j];
  rotate(values, parameters);
  const mean = ROTATION_ROUNDS * dim;
  for (let j = 0; j < dim; j++) values[j] -= parameters[mean + j];
}

/** Replaces each row by what `turn` makes of it. */
function eachRow(
  vectors: Float32Array | Float64Array,
  { dim, parameters }: TokenBasis,
  turn: typeof rotate,
): void {
  const x = new Float64Array(dim);
  for (let at = 0; at < vectors.length; at += dim) {
    for (let j = 0; j < dim; j++) x[j] = vectors[at + j];
    turn(x, parameters);
    vectors.set(x, at);
  }
}

/** The rotated mean. */
function meanOf({ dim, parameters }: TokenBasis): Float32Array {
  return parameters.subarray(ROTATION_ROUNDS * dim);
}

/**
 * How far a usual text's vectors are from one mean, relative to another: the ratio of their squared
 * distances, its median. Both are in the space of the rotation.
 */
async function relativeEnergy(
  { vectors, offsets, counts, dim }: TokenSets,
  present: Float32Array,
  other: Float32Array,
  signal: AbortSignal | undefined,
): Promise<number> {
  const pace = pacer(signal);
  const means = [present, other].map((parameters) => {
    const mean = Float64Array.from(meanOf({ dim, parameters }));
    rotateBack(mean, parameters);
    return mean;
  });
  const ratios: number[] = [];
  for (let text = 0; text < counts.length; text++) {
    await pace();
    let [from, least] = [0, 0];
    for (let at = offsets[text] * dim; at < offsets[text + 1] * dim; at++) {
      from += (vectors[at] - means[0][at % dim]) ** 2;
      least += (vectors[at] - means[1][at % dim]) ** 2;
    }
    ratios.push(from === least ? 1 : from / least);
  }
  return ratios.sort((a, b) => a - b)[ratios.length >> 1];
}
