import type { Int8TokenSets, TokenSets } from '../tokens/token-sets.js';
import type { Device, DeviceTokens, Tensor } from './device.js';

/** Uploads texts; free them with `freeTokens`. */
export async function uploadTokens(
  device: Device,
  sets: TokenSets | Int8TokenSets,
): Promise<DeviceTokens> {
  const vectors =
    'codes' in sets
      ? await device.upload('i8', sets.codes)
      : await device.upload('f32', sets.vectors);
  return {
    vectors,
    counts: await device.upload('i32', sets.counts),
    offsets: await device.upload('f64', sets.offsets),
    factors: 'factors' in sets ? await device.upload('f32', sets.factors) : null,
    mean: 'mean' in sets ? await device.upload('f32', sets.mean) : null,
    checks: null,
    documents: sets.counts.length,
    dim: sets.dim,
    longest: sets.counts.reduce((most, count) => Math.max(most, count), 0),
  };
}

export function freeTokens(device: Device, tokens: DeviceTokens): void {
  device.free(...tensorsOf(tokens));
}

/** All that the texts keep on the device. */
export function tensorsOf({
  vectors,
  counts,
  offsets,
  factors,
  mean,
  checks,
}: DeviceTokens): Tensor[] {
  return [vectors, counts, offsets, factors, mean, checks].filter((tensor) => tensor !== null);
}
