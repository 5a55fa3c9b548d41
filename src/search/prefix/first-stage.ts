import type { CodeScaling, Device, DeviceCodes, Tensor, TopOptions } from '../../device/device.js';
import type { RunOptions } from '../../run-options.js';
import { bestByCodes, type FetchedCodes } from './best-by-codes.js';
import type { PrefixMap } from './prefix-map.js';

/**
 * Document weights in codes: a prefix of each is scanned, and the full codes of the best are looked
 * at.
 */
export interface FirstStage<C extends DeviceCodes | FetchedCodes = DeviceCodes> {
  readonly map: PrefixMap;
  readonly codes: C;
  /** `map.queryProjection` on the device. */
  readonly queryProjection: Tensor<'f32'>;
}

/** Encodes all rows of w (rows x d'), by their scales where these are not all 1. */
export async function createFirstStage(
  device: Device,
  map: PrefixMap,
  w: Tensor<'f32'>,
  scales: Float32Array | null,
  options?: RunOptions,
): Promise<FirstStage> {
  const queryProjection = await device.upload('f32', map.queryProjection);
  try {
    const codes = await encodeWeights(device, map, w, scales, options);
    const scaling = await uploadScales(device, map, scales);
    return { map, codes: { ...codes, scaling }, queryProjection };
  } catch (error) {
    device.free(queryProjection);
    throw error;
  }
}

/** What searches need of scales, one for each row; null where all are 1. */
export async function uploadScales(
  device: Device,
  { step }: PrefixMap,
  scales: Float32Array | null,
): Promise<CodeScaling | null> {
  return scales && { scales: await device.upload('f32', scales), step };
}

/**
 * Prefixes and full codes of rows of w (rows x d') by a map, and by their scales where these are
 * not all 1.
 */
export async function encodeWeights(
  device: Device,
  map: PrefixMap,
  w: Tensor<'f32'>,
  scales: Float32Array | null,
  options?: RunOptions,
): Promise<DeviceCodes> {
  const latentDim = map.mean.length;
  const negativeMean = await device.upload(
    'f32',
    map.mean.map((value) => -value),
  );
  const documentProjection = await device.upload('f32', map.documentProjection);
  const scaling =
    scales && map.base
      ? { scales: await device.upload('f32', scales), base: await device.upload('f32', map.base) }
      : null;
  try {
    const args = { w, negativeMean, map: documentProjection, step: map.step, scaling };
    return await device.encodeRows(args, w.length / latentDim, latentDim, map.dim, options);
  } finally {
    device.free(
      negativeMean,
      documentProjection,
      ...(scaling ? [scaling.scales, scaling.base] : []),
    );
  }
}

/** What a first stage keeps on the device. */
export function firstStageTensors({ codes, queryProjection }: FirstStage): Tensor[] {
  const { prefix, codes: full, factors, checks, scaling } = codes;
  return [
    prefix,
    full,
    factors,
    ...(checks ? [checks] : []),
    ...(scaling ? [scaling.scales] : []),
    queryProjection,
  ];
}

/**
 * The k rows with the largest estimated <w, q> for each query (features, count x d') among the
 * `rescored` with the best prefixes.
 */
export async function firstStageCandidates(
  device: Device,
  { map, codes, queryProjection }: FirstStage<DeviceCodes | FetchedCodes>,
  features: Tensor<'f32'>,
  count: number,
  rescored: number,
  k: number,
  options?: TopOptions,
): Promise<{ indices: Int32Array; scores: Float32Array }> {
  const latentDim = map.mean.length;
  const prefixes = await device.allocate('f32', count * map.dim);
  const used: Tensor[] = [prefixes];
  try {
    await device.innerProducts(features, count, queryProjection, map.dim, latentDim, prefixes, {
      signal: options?.signal,
    });
    // codes are of w - mean, those with scales of what w - base is a multiple of
    const q = await device.read(features);
    const means = productsWith(q, map.mean);
    const bases = codes.scaling && map.base ? productsWith(q, map.base) : null;
    const shifts =
      bases &&
      (await device.upload(
        'f32',
        Float32Array.from(means, (value, i) => value - bases[i]),
      ));
    if (shifts) used.push(shifts);
    const top = await bestByCodes(device, codes, features, prefixes, count, rescored, k, {
      ...options,
      shifts,
    });
    const constants = bases ?? means;
    for (let at = 0; at < count * k; at++) top.scores[at] += constants[Math.floor(at / k)];
    return top;
  } finally {
    device.free(...used);
  }
}

/** <row, q> for each of the rows of q. */
function productsWith(q: Float32Array, row: Float32Array): Float64Array {
  const n = row.length;
  return Float64Array.from({ length: q.length / n }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += row[j] * q[i * n + j];
    return sum;
  });
}
