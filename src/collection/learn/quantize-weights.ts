import type { Device } from '../../device/device.js';
import { codeTensors } from '../../device/device-codes.js';
import type { Tensor } from '../../device/memory.js';
import { withTensors } from '../../device/with-tensors.js';
import type { RunOptions } from '../../run-options.js';
import { encodeWeights } from '../../search/prefix/first-stage.js';
import { type CodeRows, readCodes } from '../files/codes-file.js';
import type { QueryModel } from '../files/model-file.js';

/** Prefixes and full codes of weights (documents x d') by the documents' relative lengths. */
export async function quantizeWeights(
  device: Device,
  { prefixMap }: QueryModel,
  w: Tensor<'f32'>,
  lengths: Float32Array | null,
  { signal }: RunOptions = {},
): Promise<CodeRows> {
  return withTensors(device, async (scope) => {
    const quantized = await encodeWeights(device, prefixMap, w, lengths, { signal });
    scope.ownAll(codeTensors(quantized));
    return { ...(await readCodes(device, quantized)), lengths };
  });
}
