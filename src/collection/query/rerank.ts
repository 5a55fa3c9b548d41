import type { SearchDevice } from '../../device/device.js';
import type { DeviceQueries } from '../../search/device-queries.js';
import { scoreDocuments } from '../../search/score-documents.js';
import type { TopK } from '../../search/top-documents.js';
import type { Snapshot } from '../files/snapshot.js';

/**
 * The k best of each query's candidates (numbers of documents) by exact MaxSim with the stored
 * tokens; equal scores rank by the order of the candidates.
 */
export function rerank(
  device: SearchDevice,
  snapshot: Snapshot,
  queries: DeviceQueries,
  candidates: readonly Int32Array[],
  k: number,
  signal?: AbortSignal | undefined,
): Promise<TopK> {
  return scoreDocuments(device, queries, snapshot.tokens, candidates, k, { signal });
}
