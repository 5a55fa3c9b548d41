import type { SearchDevice } from '../../device/device.js';
import type { DeviceCodes } from '../../device/device-codes.js';
import type { DeviceTokens } from '../../device/device-tokens.js';
import { withTensors } from '../../device/with-tensors.js';
import type { RunOptions } from '../../run-options.js';
import type { AllowedDocuments } from '../allowed-documents.js';
import { type ScanQueries, uploadMask } from '../scan-source.js';
import { emptyTopK, type TopK } from '../top-documents.js';
import type { FirstStage } from './first-stage.js';
import { RESCORED } from './prefix-source.js';

/** What a search looks at, all of it on the device. */
export interface SearchedDocuments {
  readonly stage: FirstStage<DeviceCodes>;
  /** Token vectors of the same documents. */
  readonly tokens: DeviceTokens;
}

/** How many documents of each query are scored exactly, and how many are the answer. */
export interface WholeSearchOptions extends RunOptions {
  candidates: number;
  /** Documents whose full codes are looked at; default 4 for each candidate. */
  rescored?: number | undefined;
  k: number;
  allowed: AllowedDocuments;
}

/**
 * `prefixSource` and `scoreDocuments` in one call of the device: the k best by exact MaxSim of each
 * query's candidates, and how many candidates it had.
 */
export async function wholeSearch(
  device: SearchDevice,
  { stage, tokens }: SearchedDocuments,
  queries: Pick<ScanQueries, 'tokens' | 'featureMap'>,
  { candidates, rescored, k, allowed, signal, onProgress }: WholeSearchOptions,
): Promise<{ top: TopK; scored: Int32Array }> {
  const { prefixMap, codes, queryProjection } = stage;
  const { mean, base } = prefixMap;
  const search = {
    featureMap: queries.featureMap(),
    projection: queryProjection,
    means: codes.lengths && base ? { mean, base } : null,
    codes,
    documents: tokens,
  };
  const depths = { rescored: rescored ?? RESCORED * candidates, candidates, k };
  return withTensors(device, async (scope) => {
    const options = { allowed: await uploadMask(scope, allowed), signal, onProgress };
    const found = await device.searchDocuments(search, queries.tokens, depths, options);
    const top = emptyTopK(found.scored.length, k);
    for (let i = 0; i < top.indices.length; i++) {
      if (found.indices[i] < 0) continue;
      top.indices[i] = found.indices[i];
      top.scores[i] = found.scores[i];
    }
    return { top, scored: found.scored };
  });
}
