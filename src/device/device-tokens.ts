import { type EncodedTokens, plainTokens } from '../tokens/encode-tokens.js';
import type { TokenSets } from '../tokens/token-sets.js';
import type { Device, DeviceTokens, Tensor } from './device.js';

/** Uploads texts; free them with `freeTokens`. */
export async function uploadTokens(
  device: Device,
  texts: TokenSets | EncodedTokens,
): Promise<DeviceTokens> {
  const tokens = 'rows' in texts ? texts : plainTokens(texts);
  const { rows, scales, parameters, counts, offsets, dim } = tokens;
  return {
    vectors:
      rows instanceof Float32Array
        ? await device.upload('f32', rows)
        : await device.upload('i8', rows),
    counts: await device.upload('i32', counts),
    offsets: await device.upload('f64', offsets),
    factors: scales && (await device.upload('f32', scales)),
    mean: parameters.length > 0 ? await device.upload('f32', parameters) : null,
    checks: null,
    documents: counts.length,
    dim,
    longest: counts.reduce((most, count) => Math.max(most, count), 0),
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
