import type { Device } from '../device/device.js';
import type { RunOptions } from '../run-options.js';
import { allowedDocuments } from '../search/allowed-documents.js';
import type { DeviceQueries } from '../search/device-queries.js';
import type { FirstStage } from '../search/prefix/first-stage.js';
import { prefixSource } from '../search/prefix/prefix-source.js';
import type { TopK } from '../search/top-documents.js';
import { weightsSource } from '../search/weights-source.js';
import type { FittedCorpus } from './fitted-corpus.js';

/**
 * The k documents with the highest estimates for each query, on the scale of MaxSim: std <w, q> +
 * |Q| mean. `lengths`: |Q| of each query. `prefixes`: null scans all weights.
 */
export async function estimateMaxSim(
  device: Device,
  { featureMap, w, mean, std }: FittedCorpus,
  prefixes: { stage: FirstStage; rescored: number } | null,
  queries: DeviceQueries,
  lengths: ArrayLike<number>,
  k: number,
  { signal, onProgress }: RunOptions,
): Promise<TopK> {
  const { latentDim } = featureMap.layout;
  const source = prefixes
    ? prefixSource(device, prefixes.stage, prefixes.rescored)
    : weightsSource(device, w, latentDim);
  const allowed = allowedDocuments(w.length / latentDim, null);
  const { indices, scores } = await source.candidates(queries, k, { allowed, signal, onProgress });
  for (let i = 0; i < scores.length; i++) {
    const length = lengths[Math.floor(i / k)];
    scores[i] = indices[i] < 0 ? -Infinity : std * scores[i] + length * mean;
  }
  return { indices, scores, k };
}
