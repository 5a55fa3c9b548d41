import type { SearchDevice } from '../../dist/device/device.js';
import type { DeviceCodes } from '../../dist/device/device-codes.js';
import { type DeviceTokens, uploadTokens } from '../../dist/device/device-tokens.js';
import { type FeatureLayout, mlpLayout, randomLayout } from '../../dist/device/feature-layout.js';
import type { TensorMaker } from '../../dist/device/memory.js';
import { rowOffsets } from '../../dist/tokens/token-sets.js';
import { dot, numbers, randomTexts, type Texts } from '../numbers.js';

export const DIM = 23;
export const LATENT = 150;
export const ROWS = 300;
export const OUTPUTS = 70;
export const documents = randomTexts(
  1,
  [1, 2, 3, 50, ...new Array(OUTPUTS - 4).fill(0).map((_, i) => 1 + ((i * 7) % 40)), 1100],
  DIM,
);
export const queries = randomTexts(2, [1, 5, 32, 33, 140, 16], DIM);
export const x = numbers(3).unitRows(ROWS, DIM);
export const count = documents.counts.length;
export const select = Int32Array.from({ length: OUTPUTS }, (_, i) => (i * 5) % count);
export const mean = 0.4;
export const std = 0.2;

/** Document weights, with a map to prefixes of 31 coordinates. */
export const WEIGHT_ROWS = 700;
export const PREFIX = 31;
export const weights = {
  w: numbers(33).floats(WEIGHT_ROWS * LATENT),
  mean: numbers(34).floats(LATENT, 0.3),
  map: numbers(35).floats(PREFIX * LATENT, 0.1),
  step: 0.005,
};

export async function encode(one: SearchDevice): Promise<DeviceCodes> {
  const { w, mean, map, step } = weights;
  const [rows, negativeMean, matrix] = [
    await one.upload('f32', w),
    await one.upload(
      'f32',
      mean.map((v) => -v),
    ),
    await one.upload('f32', map),
  ];
  const codes = await one.encodeRows(
    { w: rows, negativeMean, projection: matrix, step },
    WEIGHT_ROWS,
    LATENT,
    PREFIX,
  );
  one.free(rows, negativeMean, matrix);
  return codes;
}

export const sets = ({ vectors, counts, dim }: Texts) => ({
  vectors,
  counts: Int32Array.from(counts),
  offsets: rowOffsets(Int32Array.from(counts)),
  dim,
});
export const tokenRows = (values: Float32Array, dim: number): Float32Array[] =>
  Array.from({ length: values.length / dim }, (_, r) => values.subarray(r * dim, (r + 1) * dim));

/** Parameters of every kind, none of them zero. */
export const parametersOf = (layout: FeatureLayout): Float32Array =>
  numbers(4).floats(layout.parameterCount, 0.4);
export const maps = {
  one: mlpLayout(DIM, [LATENT], 'gelu'),
  two: mlpLayout(DIM, [37, LATENT], 'silu'),
  random: randomLayout(DIM, LATENT, 'relu'),
};

export const largestDot = (token: Float32Array, document: readonly Float32Array[]): number =>
  Math.max(...document.map((y) => dot(token, y)));

/** Documents of int8 codes, with a scale for each and a mean. */
const int8 = {
  mean: numbers(13).floats(DIM, 0.2),
  codes: Int8Array.from(numbers(11).integers(documents.vectors.length, 127)),
  scales: numbers(12)
    .floats(count, 0.01)
    .map((scale) => Math.abs(scale) + 0.001),
};

export async function uploadInt8(scope: TensorMaker): Promise<DeviceTokens> {
  const tokens = await uploadTokens(scope, sets(documents));
  return {
    ...tokens,
    encoding: 'int8',
    vectors: await scope.upload('i8', int8.codes),
    scales: await scope.upload('f32', int8.scales),
    parameters: await scope.upload('f32', int8.mean),
  };
}

/** Their values. */
export function int8Values(): Texts {
  const values = documents.vectors.slice();
  for (let d = 0, at = 0; d < count; d++)
    for (let i = documents.counts[d] * DIM; i > 0; i--, at++)
      values[at] = int8.codes[at] * int8.scales[d] + int8.mean[at % DIM];
  return { ...documents, vectors: values };
}
