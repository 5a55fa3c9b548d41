import type { DeviceTokens } from '../../device-tokens.js';
import { forEachTile, mostTileTokens, tileScratch } from './document-tiles.js';
import type { Context } from './operation.js';
import type { PackedLanes } from './token-scorer.js';
import { scorerOf } from './token-scorers.js';

/** Bytes of scratch of `packLanes` and `largestProducts` together, output not included. */
export function productScratch(documents: DeviceTokens, lanes: number): number {
  const { packScratch, scoreScratch } = scorerOf(documents);
  const { dim } = documents;
  const tile = tileScratch(documents) + scoreScratch(mostTileTokens(documents), dim);
  return tile + packScratch(lanes, dim);
}

/** Packs `lanes` float32 rows at address `x` for products with documents. */
export function packLanes(
  context: Context,
  documents: DeviceTokens,
  x: number,
  lanes: number,
): PackedLanes {
  return scorerOf(documents).pack(context, documents, x, lanes);
}

/**
 * out[lane * stride + i - from] = largest inner product of each lane with document numbers[i]
 * (document i without numbers), i from `from` to `to`; `out` is an address. No result depends on
 * the other lanes or documents.
 */
export function largestProducts(
  context: Context,
  documents: DeviceTokens,
  packed: PackedLanes,
  numbers: Int32Array | null,
  from: number,
  to: number,
  out: number,
  stride: number,
): void {
  const scorer = scorerOf(documents);
  forEachTile(context, documents, numbers, from, to, (tile) =>
    scorer.score(context, documents, packed, tile, out + (tile.first - from) * 4, stride),
  );
}
