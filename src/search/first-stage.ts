import type { Device, DeviceCodes, Tensor, TopOptions } from '../device/device.js';
import type { RunOptions } from '../run-options.js';
import type { PrefixMap } from './prefix-map.js';

/** Document weights in codes: a prefix of each is scanned, and the full codes of the best are looked at. */
export interface FirstStage {
  readonly map: PrefixMap;
  readonly codes: DeviceCodes;
  /** `map.queries` on the device. */
  readonly queries: Tensor<'f32'>;
}

/** Encodes all rows of w (rows x d'). */
export async function createFirstStage(device: Device, map: PrefixMap, w: Tensor<'f32'>, options?: RunOptions): Promise<FirstStage> {
  const queries = await device.upload('f32', map.queries);
  try {
    return { map, codes: await encodeWeights(device, map, w, options), queries };
  } catch (error) {
    device.free(queries);
    throw error;
  }
}

/** Prefixes and full codes of rows of w (rows x d') by a map. */
export async function encodeWeights(device: Device, map: PrefixMap, w: Tensor<'f32'>, options?: RunOptions): Promise<DeviceCodes> {
  const latentDim = map.mean.length;
  const negativeMean = await device.upload(
    'f32',
    map.mean.map((value) => -value),
  );
  const documents = await device.upload('f32', map.documents);
  try {
    return await device.encodeRows({ w, negativeMean, map: documents, step: map.step }, w.length / latentDim, latentDim, map.dim, options);
  } finally {
    device.free(negativeMean, documents);
  }
}

/** What a first stage keeps on the device. */
export function firstStageTensors({ codes, queries }: FirstStage): Tensor[] {
  return [codes.prefix, codes.codes, codes.factors, ...(codes.checks ? [codes.checks] : []), queries];
}

/** The k rows with the largest estimated <w, q> for each query (features, count x d') among the `rescored` with the best prefixes. */
export async function firstStageCandidates(
  device: Device,
  { map, codes, queries }: FirstStage,
  features: Tensor<'f32'>,
  count: number,
  rescored: number,
  k: number,
  options?: TopOptions,
): Promise<{ indices: Int32Array; scores: Float32Array }> {
  const latentDim = map.mean.length;
  const prefixes = await device.allocate('f32', count * map.dim);
  try {
    await device.innerProducts(features, count, queries, map.dim, latentDim, prefixes, { signal: options?.signal });
    const top = await device.topCodes(codes, features, prefixes, count, rescored, k, options);
    // codes are of w - mean
    const q = await device.read(features);
    for (let i = 0; i < count; i++) {
      let constant = 0;
      for (let j = 0; j < latentDim; j++) constant += map.mean[j] * q[i * latentDim + j];
      for (let at = i * k; at < (i + 1) * k; at++) top.scores[at] += constant;
    }
    return top;
  } finally {
    device.free(prefixes);
  }
}
