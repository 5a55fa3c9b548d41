import { wholePanels } from '../../../kernels/kernels.js';
import type { DeviceTokens } from '../../device-tokens.js';
import { forEachTile, tileScratch } from './document-tiles.js';
import type { Context } from './operation.js';

/** Largest code of a lane: with int8 on the other side the sums of 4,000 dimensions fit int32. */
const LANE_LIMIT = 4095;

/**
 * Vectors packed for products with a set of documents: float32, or int16 with a scale for each,
 * and its product with the documents' mean, where those are int8.
 */
export interface PackedLanes {
  readonly panels: number;
  readonly lanes: number;
  readonly scales: number;
  readonly shifts: number;
}

/** Bytes of scratch of `packLanes` and `largestProducts` together, output not included. */
export function productScratch(documents: DeviceTokens, lanes: number): number {
  return (
    tileScratch(documents) + 4 * wholePanels(lanes) * (2 * documents.dim + 7) + 4 * documents.dim
  );
}

/** Packs `lanes` float32 rows at address `x`. */
export function packLanes(
  context: Context,
  documents: DeviceTokens,
  x: number,
  lanes: number,
): PackedLanes {
  const { dim } = documents;
  const panels = context.scratch(wholePanels(lanes) * (dim + (dim & 1)) * 4);
  if (!documents.mean) {
    context.kernels.packLanesF32(x, lanes, dim, panels);
    return { panels, lanes, scales: 0, shifts: 0 };
  }
  const scales = context.scratch(lanes * 4);
  const even = dim + (dim & 1);
  const codes = context.scratch(lanes * even * 2);
  context.kernels.quantizeRowsI16(x, lanes, dim, LANE_LIMIT, 0, codes, scales);
  context.kernels.packLanesI16(codes, lanes, even, panels);
  const shifts = context.scratch(lanes * 4);
  context.kernels.scanF32(context.stage(documents.mean, 0, dim), x, lanes, dim, shifts);
  return { panels, lanes, scales, shifts };
}

/**
 * out[lane * stride + i - from] = largest inner product of each lane with document numbers[i]
 * (document i without numbers), i from `from` to `to`; `out` is an address. No result depends on
 * the other lanes or documents.
 */
export function largestProducts(
  context: Context,
  documents: DeviceTokens,
  { panels, lanes, scales, shifts }: PackedLanes,
  numbers: Int32Array | null,
  from: number,
  to: number,
  out: number,
  stride: number,
): void {
  const { kernels } = context;
  const { dim } = documents;
  forEachTile(context, documents, numbers, from, to, (tile) => {
    const at = out + (tile.first - from) * 4;
    if (!documents.scales) {
      kernels.maxDotsF32(panels, lanes, dim, tile.tokens, tile.counts, tile.documents, at, stride);
      return;
    }
    kernels.maxDotsI16(
      panels,
      lanes,
      dim + (dim & 1),
      tile.tokens,
      tile.counts,
      tile.documents,
      at,
      stride,
    );
    kernels.dequantise(at, lanes, tile.documents, stride, scales, tile.scales, shifts);
  });
}
