import type { SearchDevice } from '../../device/device.js';
import type { DeviceCodes } from '../../device/device-codes.js';
import type { TopRows } from '../../device/retriever.js';
import { withTensors } from '../../device/with-tensors.js';
import type { CandidateRequest } from '../candidate-source.js';
import { type ScanQueries, type ScanSource, uploadMask } from '../scan-source.js';
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
      const listed = rescored ?? RESCORED * k;
      const { codes } = stage;
      const { features, ...best } =
        'fetch' in codes
          ? await stepByStep(device, { ...stage, codes }, queries, listed, k, request)
          : await inOneCall(device, { ...stage, codes }, queries, listed, k, request);
      // scores estimate <w - mean, q>, or with lengths <w - base, q>
      const constants = productsWith(features, (codes.lengths && base) || mean);
      for (let at = 0; at < best.scores.length; at++)
        best.scores[at] += constants[Math.floor(at / k)];
      return { ...best, k };
    },
  };
}

type ScanRequest = Omit<CandidateRequest, 'filter'>;
type ScannedRows = TopRows & { features: Float32Array };

function inOneCall(
  device: SearchDevice,
  { prefixMap: { mean, base }, codes, queryProjection }: FirstStage<DeviceCodes>,
  queries: ScanQueries,
  rescored: number,
  k: number,
  { allowed, signal, onProgress }: ScanRequest,
): Promise<ScannedRows> {
  return withTensors(device, async (scope) => {
    const asked = {
      featureMap: queries.featureMap(),
      tokens: await queries.uploaded(),
      projection: queryProjection,
      means: codes.lengths && base ? { mean, base } : null,
    };
    const options = { allowed: await uploadMask(scope, allowed), signal, onProgress };
    return device.topCodesOfTokens(codes, asked, rescored, k, options);
  });
}

/** Where the full codes lie in a storage: they are fetched after the scan. */
async function stepByStep(
  device: SearchDevice,
  { prefixMap: { mean, base, dim }, codes, queryProjection }: FirstStage<FetchedCodes>,
  queries: ScanQueries,
  rescored: number,
  k: number,
  { allowed, signal, onProgress }: ScanRequest,
): Promise<ScannedRows> {
  const tensor = await queries.featureTensor();
  const features = await queries.features();
  const count = features.length / mean.length;
  return withTensors(device, async (scope) => {
    const prefixes = await scope.allocate('f32', count * dim);
    await device.innerProducts(tensor, count, queryProjection, dim, mean.length, prefixes, {
      signal,
    });
    const means = codes.lengths && base ? productsWith(features, mean) : null;
    const bases = means && base && productsWith(features, base);
    const shifts = bases && Float32Array.from(bases, (value, i) => means[i] - value);
    const options = {
      allowed: await uploadMask(scope, allowed),
      shifts: shifts && (await scope.upload('f32', shifts)),
      signal,
      onProgress,
    };
    const best = await bestByCodes(device, codes, tensor, prefixes, count, rescored, k, options);
    return { ...best, features };
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
