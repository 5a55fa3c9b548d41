import type { SearchDevice } from '../../device/device.js';
import type { DeviceCodes } from '../../device/device-codes.js';
import type { CodesOfRows, FetchedCodes } from '../../search/prefix/best-by-codes.js';
import type { SegmentCodes } from './codes-file.js';
import { firstNumbers, joinValues, splitBySegment } from './document-numbers.js';
import type { QueryModel } from './model-file.js';
import type { SegmentView } from './open-files.js';
import type { Keep } from './snapshot-tokens.js';

/**
 * Codes of all documents: on the device, which may read the full ones from files; or with full ones
 * that are fetched, where a segment leaves them in its storage.
 */
export async function snapshotCodes(
  device: SearchDevice,
  segments: readonly SegmentView[],
  model: QueryModel,
  keep: Keep,
): Promise<DeviceCodes | FetchedCodes> {
  const rows = firstNumbers(segments)[segments.length];
  const of = segments.map(({ codes }) => codes as SegmentCodes);
  const scales = joinValues(new Float32Array(rows), segments, ({ codes }) => codes?.scales);
  const lengths = of.some((codes) => codes.lengths)
    ? joinValues(new Float32Array(rows).fill(1), segments, ({ codes }) => codes?.lengths)
    : null;
  const parts = of.map(({ prefix }) => prefix);
  const shared = {
    rows,
    dim: model.featureMap.layout.latentDim,
    prefixDim: model.prefixMap.dim,
    prefix: await keep(device.join('i8', parts)),
    scales: await keep(device.upload('f32', scales)),
    lengths: lengths && {
      relative: await keep(device.upload('f32', lengths)),
      step: model.prefixMap.step,
    },
  };
  const full = of.map((codes) => codes.full);
  if (!full.every((part) => part !== null))
    return { ...shared, fetch: fetchCodes(segments, shared.dim, scales, lengths) };
  const checks = joinValues(new Int32Array(rows), segments, ({ codes }) => codes?.checks);
  return {
    ...shared,
    full: await keep(device.join('i8', full)),
    checks: await keep(device.upload('i32', checks)),
  };
}

function fetchCodes(
  segments: readonly SegmentView[],
  dim: number,
  scales: Float32Array,
  lengths: Float32Array | null,
): FetchedCodes['fetch'] {
  const firsts = firstNumbers(segments);
  return async (rows, signal): Promise<CodesOfRows> => {
    const full = new Int8Array(rows.length * dim);
    for (const { segment, at, documents } of splitBySegment(firsts, rows)) {
      const codes = segments[segment].codes as SegmentCodes;
      full.set(await codes.fetchFull(documents, signal), at * dim);
    }
    return {
      full,
      scales: Float32Array.from(rows, (row) => scales[row]),
      lengths: lengths && Float32Array.from(rows, (row) => lengths[row]),
    };
  };
}
