import { learningDevice } from '../../device/default-device.js';
import type { SearchDevice } from '../../device/device.js';
import { uploadTokens } from '../../device/device-tokens.js';
import { withTensors } from '../../device/with-tensors.js';
import { documentWeights } from '../../learn/document-weights.js';
import type { RunOptions } from '../../run-options.js';
import { joinEncoded } from '../../tokens/encode-tokens.js';
import type { TokenCodec } from '../../tokens/encoding.js';
import { type CodeRows, joinCodes } from '../files/codes-file.js';
import type { Residual } from '../files/manifest.js';
import type { StoredDocument } from '../metadata/stored-document.js';
import type { DocumentModel } from './document-model.js';
import { lengthsByModel } from './lengths-by-model.js';
import { quantizeWeights } from './quantize-weights.js';
import { measureResidual, mergeResiduals, sampleByIdHash } from './residual.js';

/** Documents whose weights are in memory at a time. */
export const DOCUMENTS_AT_ONCE = 1024;

/** Codes of the documents' weights, and how well these explain the targets of some of them. */
export async function documentCodes(
  searching: SearchDevice,
  model: DocumentModel,
  documents: readonly StoredDocument[],
  codec: TokenCodec,
  { signal, onProgress }: RunOptions = {},
): Promise<CodeRows & { residual: Residual }> {
  const device = learningDevice(searching, 'add');
  const total = documents.length;
  const parts: CodeRows[] = [];
  let residual: Residual = { documents: 0, mean: 0 };
  for (let from = 0; from < total; from += DOCUMENTS_AT_ONCE) {
    const chunk = documents.slice(from, from + DOCUMENTS_AT_ONCE);
    onProgress?.({ stage: 'document weights', done: from, total });
    const encoded = joinEncoded(chunk, codec);
    const lengths = await lengthsByModel(model, encoded, { signal });
    await withTensors(device, async (scope) => {
      const tokens = await uploadTokens(scope, encoded);
      const w = scope.own(await documentWeights(device, model, tokens, { signal }));
      parts.push(await quantizeWeights(device, model, w, lengths, { signal }));
      const measured = await measureResidual(device, model, tokens, w, sampleByIdHash(chunk));
      residual = mergeResiduals(residual, measured);
    });
  }
  onProgress?.({ stage: 'document weights', done: total, total });
  return { ...joinCodes(parts), residual };
}
