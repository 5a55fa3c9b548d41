import type { Device } from '../../device/device.js';
import { codeTensors } from '../../device/device-codes.js';
import type { Tensor } from '../../device/memory.js';
import { withTensors } from '../../device/with-tensors.js';
import type { RunOptions } from '../../run-options.js';
import { encodeWeights } from '../../search/prefix/first-stage.js';
import type { EncodedTokens } from '../../tokens/encode-tokens.js';
import { longestRows, scalesOf } from '../../tokens/lengths.js';
import { type CodeRows, readCodes } from '../files/codes-file.js';
import type { QueryModel } from '../files/model-file.js';
import type { DocumentModel } from './document-model.js';

/**
 * How many times as long as what the model holds for typical documents are; null: all are alike, or
 * the model knows nothing of that.
 */
export async function documentScales(
  { length }: Pick<DocumentModel, 'length'>,
  tokens: EncodedTokens,
  { signal }: RunOptions,
): Promise<Float32Array | null> {
  return length === undefined ? null : scalesOf(await longestRows(tokens, signal), length);
}

/** Prefixes and full codes of weights (documents x d') by the documents' scales. */
export async function quantizeWeights(
  device: Device,
  { prefixMap }: QueryModel,
  w: Tensor<'f32'>,
  scales: Float32Array | null,
  { signal }: RunOptions = {},
): Promise<CodeRows> {
  return withTensors(device, async (scope) => {
    const quantized = await encodeWeights(device, prefixMap, w, scales, { signal });
    scope.ownAll(codeTensors(quantized));
    return { ...(await readCodes(device, quantized)), scales };
  });
}
