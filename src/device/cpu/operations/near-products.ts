import { LANES, wholePanels } from '../../../kernels/kernels.js';
import type { DeviceTokens } from '../../device-tokens.js';
import { laneLimit } from '../../lane-limit.js';
import { forEachTile, mostTileTokens, tileScratch } from './document-tiles.js';
import type { Context } from './operation.js';
import { evenUp, widenRows } from './widened-rows.js';

/** Lanes at a time: panels of one panel of centres. */
const MOST_LANES = LANES * LANES;

/** Lanes in groups of 16 that are like each other, packed with the groups' centres. */
interface NearLanes {
  readonly panels: number;
  readonly lanes: number;
  readonly centres: number;
  readonly scales: number;
  readonly shifts: number;
}

/**
 * Tokens of a document that a group looks at. Of 157 tokens 12 were enough for the recall of all.
 */
function nearestOf(count: number): number {
  return 8 + (count >> 5);
}

/** Whether the encoding of documents has these products. */
export function hasNearProducts({ encoding, parameters }: DeviceTokens): boolean {
  return encoding === 'int8' && parameters !== null;
}

/** Bytes of scratch of `packNearLanes` and `nearProducts` together, output not included. */
export function nearScratch(documents: DeviceTokens): number {
  const { dim } = documents;
  const tokens = mostTileTokens(documents);
  const pack = MOST_LANES * (4 * evenUp(dim) + 8) + 4 * dim + LANES * (8 * evenUp(dim) + 4);
  const score = tokens * (2 * evenUp(dim) + 4) + 68 * (tokens + 1) + 128;
  return tileScratch(documents) + pack + score + 1024;
}

/** Packs at most 256 float32 rows at address `x`. */
export function packNearLanes(
  context: Context,
  { dim, parameters }: DeviceTokens,
  x: number,
  lanes: number,
): NearLanes {
  const { kernels } = context;
  const { panels, scales } = packRows(context, x, lanes, dim);
  const groups = Math.ceil(lanes / LANES);
  const sums = context.scratch(groups * dim * 4);
  for (let g = 0; g < groups; g++) {
    const rows = Math.min(LANES, lanes - g * LANES);
    kernels.sumRows(x + g * LANES * dim * 4, rows, dim, dim, 0, sums + g * dim * 4);
  }
  const centres = packRows(context, sums, groups, dim).panels;
  const shifts = context.scratch(lanes * 4);
  if (!parameters) throw new Error('int8 documents without a mean');
  kernels.scanF32(context.stage(parameters, 0, dim), x, lanes, dim, shifts);
  return { panels, lanes, centres, scales, shifts };
}

function packRows(
  context: Context,
  x: number,
  rows: number,
  dim: number,
): { panels: number; scales: number } {
  const { kernels } = context;
  const even = evenUp(dim);
  const panels = context.scratch(wholePanels(rows) * even * 2);
  const scales = context.scratch(rows * 4);
  const codes = context.scratch(rows * even * 2);
  kernels.quantizeRowsI16(x, rows, dim, laneLimit(dim), 0, codes, scales);
  kernels.packPanelsI16(codes, rows, even, panels);
  return { panels, scales };
}

/**
 * out[lane * stride + d - from] = largest inner product of each lane with the tokens of document d
 * that are nearest to the centre of its group, d from `from` to `to`; `out` is an address. No
 * result depends on the other documents.
 */
export function nearProducts(
  context: Context,
  documents: DeviceTokens,
  { panels, lanes, centres, scales, shifts }: NearLanes,
  from: number,
  to: number,
  out: number,
  stride: number,
): void {
  const { kernels } = context;
  const { dim } = documents;
  const even = evenUp(dim);
  forEachTile(context, documents, null, from, to, (tile) => {
    const { counts, tokens } = tile;
    const wide = widenRows(context, tile.pieces, tokens, dim);
    const nearest = context.scratch(tile.documents * 4);
    const ofDocuments = context.at('i32', counts, tile.documents);
    context.at('i32', nearest, tile.documents).set(ofDocuments.map(nearestOf));
    const scratch = context.scratch(128 + 68 * (Math.max(...ofDocuments) + 1));
    const at = out + (tile.first - from) * 4;
    kernels.nearDotsI16(
      panels,
      lanes,
      centres,
      even,
      wide,
      counts,
      nearest,
      tile.documents,
      at,
      stride,
      scratch,
    );
    kernels.dequantise(at, lanes, tile.documents, stride, scales, tile.scales, shifts);
  });
}
