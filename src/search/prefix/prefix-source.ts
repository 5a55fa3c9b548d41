import type { SearchDevice } from '../../device/device.js';
import type { DeviceCodes } from '../../device/device-codes.js';
import type { Tensor } from '../../device/memory.js';
import type { TopRows } from '../../device/retriever.js';
import { withTensors } from '../../device/with-tensors.js';
import type { CandidateRequest } from '../candidate-source.js';
import { type ScanSource, uploadMask } from '../scan-source.js';
import { bestByCodes, type FetchedCodes } from './best-by-codes.js';
import type { FirstStage } from './first-stage.js';

/**
 * Full codes looked at for every candidate asked for: with prefixes of 256 bytes next to no recall
 * is lost against the scan of all weights (docs/benchmarks/first-stage.md).
 */
export const RESCORED = 4;

/**
 * The documents with the largest estimated <w, q> by full codes, among the `rescored` (default 4 k)
 * whose prefixes are best.
 */
export function prefixSource(
  device: SearchDevice,
  stage: FirstStage<DeviceCodes | FetchedCodes>,
  rescored?: number,
): ScanSource {
  const { mean, base } = stage.prefixMap;
  return {
    name: 'prefix',
    async candidates(queries, k, request) {
      const features = await queries.features();
      // scores estimate <w - mean, q>, or with lengths <w - base, q>
      const means = productsWith(features, mean);
      const bases = stage.codes.lengths && base ? productsWith(features, base) : null;
      const shifts = bases && Float32Array.from(means, (value, i) => value - bases[i]);
      const listed = rescored ?? RESCORED * k;
      const scanned = { features: await queries.featureTensor(), count: means.length, shifts };
      const best = await scanPrefixes(device, stage, scanned, listed, k, request);
      const constants = bases ?? means;
      for (let at = 0; at < best.scores.length; at++)
        best.scores[at] += constants[Math.floor(at / k)];
      return { ...best, k };
    },
  };
}

interface ScannedQueries {
  /** count x d'. */
  readonly features: Tensor<'f32'>;
  readonly count: number;
  /** Of codes with lengths: <mean - base, q> for each query. */
  readonly shifts: Float32Array | null;
}

async function scanPrefixes(
  device: SearchDevice,
  { prefixMap, codes, queryProjection }: FirstStage<DeviceCodes | FetchedCodes>,
  queries: ScannedQueries,
  rescored: number,
  k: number,
  { allowed, signal, onProgress }: Omit<CandidateRequest, 'filter'>,
): Promise<TopRows> {
  const { mean, dim } = prefixMap;
  const { features, count } = queries;
  return withTensors(device, async (scope) => {
    const prefixes = await scope.allocate('f32', count * dim);
    await device.innerProducts(features, count, queryProjection, dim, mean.length, prefixes, {
      signal,
    });
    const shifts = queries.shifts && (await scope.upload('f32', queries.shifts));
    const options = { allowed: await uploadMask(scope, allowed), shifts, signal, onProgress };
    return bestByCodes(device, codes, features, prefixes, count, rescored, k, options);
  });
}

/** <row, q> for each of the rows of q. */
function productsWith(q: Float32Array, row: Float32Array): Float64Array {
  const n = row.length;
  return Float64Array.from({ length: q.length / n }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += row[j] * q[i * n + j];
    return sum;
  });
}
