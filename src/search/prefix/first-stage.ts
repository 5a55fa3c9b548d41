import type { SearchDevice } from '../../device/device.js';
import { type CodeLengths, codeTensors, type DeviceCodes } from '../../device/device-codes.js';
import type { Tensor, TensorMaker } from '../../device/memory.js';
import { buildTensors, withTensors } from '../../device/with-tensors.js';
import type { RunOptions } from '../../run-options.js';
import type { FetchedCodes } from './best-by-codes.js';
import type { PrefixMap } from './prefix-map.js';

/**
 * Document weights in codes: a prefix of each is scanned, and the full codes of the best are looked
 * at.
 */
export interface FirstStage<C extends DeviceCodes | FetchedCodes = DeviceCodes> {
  readonly prefixMap: PrefixMap;
  readonly codes: C;
  /** `prefixMap.queryProjection` on the device. */
  readonly queryProjection: Tensor<'f32'>;
}

/** Encodes all rows of w (rows x d'), by their relative lengths where these are not all 1. */
export async function createFirstStage(
  device: SearchDevice,
  prefixMap: PrefixMap,
  w: Tensor<'f32'>,
  lengths: Float32Array | null,
  options?: RunOptions,
): Promise<FirstStage> {
  return buildTensors(device, async (scope) => {
    const queryProjection = await scope.upload('f32', prefixMap.queryProjection);
    const encoded = await encodeWeights(device, prefixMap, w, lengths, options);
    scope.ownAll(codeTensors(encoded));
    const codes = { ...encoded, lengths: await uploadLengths(scope, prefixMap, lengths) };
    return { prefixMap, codes, queryProjection };
  });
}

/** Relative lengths as searches need them, one for each row; null where all are 1. */
async function uploadLengths(
  scope: TensorMaker,
  { step }: PrefixMap,
  lengths: Float32Array | null,
): Promise<CodeLengths | null> {
  return lengths && { relative: await scope.upload('f32', lengths), step };
}

/**
 * Prefixes and full codes of rows of w (rows x d') by a prefix map, and by their relative lengths
 * where these are not all 1.
 */
export async function encodeWeights(
  device: SearchDevice,
  prefixMap: PrefixMap,
  w: Tensor<'f32'>,
  lengths: Float32Array | null,
  options?: RunOptions,
): Promise<DeviceCodes> {
  return withTensors(device, async (scope) => {
    const latentDim = prefixMap.mean.length;
    const args = {
      w,
      negativeMean: await scope.upload(
        'f32',
        prefixMap.mean.map((value) => -value),
      ),
      projection: await scope.upload('f32', prefixMap.documentProjection),
      step: prefixMap.step,
      lengths:
        lengths && prefixMap.base
          ? {
              relative: await scope.upload('f32', lengths),
              base: await scope.upload('f32', prefixMap.base),
            }
          : null,
    };
    return device.encodeRows(args, w.length / latentDim, latentDim, prefixMap.dim, options);
  });
}

/** All that a first stage keeps on the device. */
export function firstStageTensors({ codes, queryProjection }: FirstStage): Tensor[] {
  return [...codeTensors(codes), queryProjection];
}
